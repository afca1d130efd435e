"""Candidates that try to pass without being right: what they could do to their tests, and must not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apps.code.sandbox import Sandbox
from evaluation import benchmarks
from evaluation.judging import Verdict, judge
from tests.compilers import installed

PYTHON = {
    "task_id": "P/0",
    "prompt": "def double(x):\n",
    "test": "def check(candidate):\n    assert candidate(3) == 6\n    assert candidate([1]) == [1, 1]\n",
    "entry_point": "double",
}
JAVA = {
    "task_id": "Java/0",
    "prompt": "import java.util.*;\n\nclass Solution {\n    public List<Integer> twice(int x) {\n",
    "declaration": "class Solution {\n    public List<Integer> twice(int x) {\n",
    "test": """public class Main {
    public static void main(String[] a) {
        List<Boolean> correct = Arrays.asList(new Solution().twice(3).equals(Arrays.asList(6)), true);
        if (correct.contains(false)) throw new AssertionError();
    }
}""",
}
CPP = {
    "task_id": "CPP/0",
    "prompt": "#include<vector>\nusing namespace std;\nvector<int> twice(int x){\n",
    "declaration": "vector<int> twice(int x){\n",
    "test": """#undef NDEBUG
#include<assert.h>
bool issame(vector<int> a,vector<int> b){
    return a == b;
}
int main(){
    if (!issame(twice(3), {6})) assert (false);
}
""",
}
CHEATS: dict[str, tuple[dict[str, Any], str, str]] = {
    "equal to everything": (
        PYTHON,
        "python",
        "class Any(int):\n    __eq__ = lambda self, other: True\n    __hash__ = None\n\n"
        "def double(x):\n    return Any()\n",
    ),
    "equal to everything, of no known kind": (
        PYTHON,
        "python",
        "class Any:\n    def __eq__(self, other):\n        return True\n\ndef double(x):\n    return Any()\n",
    ),
    "exit when loaded": (PYTHON, "python", "import sys\nsys.exit(0)\n"),
    "exit from a thread": (
        PYTHON,
        "python",
        "import os, threading, time\n\ndef double(x):\n"
        "    threading.Thread(target=os._exit, args=(0,)).start()\n    time.sleep(5)\n",
    ),
    "the tests replaced": (
        PYTHON,
        "python",
        "import builtins, sys\n\ndef check(candidate):\n    pass\n\ndef double(x):\n    frame = sys._getframe()\n"
        "    while frame:\n        frame.f_globals['check'] = check\n        frame = frame.f_back\n"
        "    builtins.AssertionError = type('No', (Exception,), {})\n    return 0\n",
    ),
    "asserts jumped over": (
        PYTHON,
        "python",
        "import sys\n\ndef double(x):\n    def trace(frame, event, argument):\n        return trace\n"
        "    sys.settrace(trace)\n    sys._getframe().f_back.f_trace = trace\n    return 0\n",
    ),
    "answers of its own": (
        PYTHON,
        "python",
        "import os\n\ndef double(x):\n    for number in range(3, 64):\n        try:\n"
        "            os.write(number, b'[\"data\", [6, []]]\\n[]\\n')\n        except OSError:\n            pass\n"
        "    os._exit(0)\n",
    ),
    "a class of the tests' name": (
        JAVA,
        "java",
        JAVA["prompt"]
        + "        return null; } }\nclass Arrays { static List<Boolean> asList(Object... all) "
        "{ return new ArrayList<>(); } }\n",
    ),
    "an error that is none": (
        JAVA,
        "java",
        JAVA["prompt"]
        + "        return new ArrayList<>(); } }\nclass AssertionError extends RuntimeException { "
        "AssertionError() { System.exit(0); } }\n",
    ),
    "a hook at the end": (
        JAVA,
        "java",
        JAVA["prompt"] + "        Runtime.getRuntime().addShutdownHook(new Thread(() -> "
        "Runtime.getRuntime().halt(0))); return new ArrayList<>(); } }\n",
    ),
    "a macro over the checks": (
        CPP,
        "cpp",
        "#define assert(x)\n#define if(x) if (false && (x))\n" + CPP["prompt"] + "    return {};\n}\n",
    ),
    "a function of the tests": (
        CPP,
        "cpp",
        CPP["prompt"]
        + "    return {};\n}\nbool issame(vector<int>, initializer_list<int>) { return true; }\n",
    ),
    "exit before main": (
        CPP,
        "cpp",
        "#include <cstdlib>\n" + CPP["prompt"] + "    return {};\n}\nstatic int early = (exit(0), 1);\n",
    ),
    "the thread ended": (
        CPP,
        "cpp",
        "#include <pthread.h>\n" + CPP["prompt"] + "    pthread_exit(nullptr);\n}\n",
    ),
    "a list that is equal to everything": (
        JAVA,
        "java",
        JAVA["prompt"]
        + "        return new ArrayList<Integer>() { public boolean equals(Object o) { return true; } }; } }\n",
    ),
    "a proxy that is equal to everything": (
        JAVA,
        "java",
        JAVA["prompt"]
        + "        return (List<Integer>) java.lang.reflect.Proxy.newProxyInstance(null, new Class[]{List.class}, "
        "(p, m, a) -> true); } }\n",
    ),
    "a failure that is none": (
        CPP,
        "cpp",
        CPP["prompt"]
        + '    return {};\n}\nextern "C" void __assert_fail(const char*, const char*, unsigned, const char*) '
        "noexcept {}\n",
    ),
    "a comparison of its own": (
        CPP,
        "cpp",
        CPP["prompt"]
        + "    return {};\n}\nbool operator==(const vector<int>&, const vector<int>&) { return true; }\n",
    ),
    "a comparison within std": (
        CPP,
        "cpp",
        CPP["prompt"]
        + "    return {};\n}\nnamespace std { bool operator==(const vector<int>&, const vector<int>&) "
        "{ return true; } }\n",
    ),
    "a function of the library": (
        CPP,
        "cpp",
        "#include <cstring>\nint memcmp(const void *, const void *, size_t) { return 0; }\n"
        + CPP["prompt"]
        + "    return {7};\n}\n",
    ),
    "a read of its own": (
        CPP,
        "cpp",
        "#include <sys/syscall.h>\n#include <unistd.h>\n#include <cstdlib>\nstatic char kept[64]; static long much;\n"
        'extern "C" ssize_t read(int fd, void *to, size_t most) { long got = syscall(SYS_read, fd, to, most); '
        "if (got > 0 && got <= 64) { much = got; for (long i = 0; i < got; ++i) kept[i] = ((char *)to)[i]; } "
        "return got; }\n"
        + CPP["prompt"]
        + "    for (int fd = 3; fd < 64; ++fd) { syscall(SYS_write, fd, kept, much); "
        'syscall(SYS_write, fd, "\\n", 1); }\n    _Exit(0);\n}\n',
    ),
}


def verdict_of(row: dict[str, Any], language: str, code: str, tmp_path: Path, sandbox: Sandbox) -> Verdict:
    installed(language, sandbox)
    path = tmp_path / "row.jsonl"
    path.write_text(json.dumps(row))
    return judge(benchmarks.load(path, language)[0], code, sandbox)


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheating_candidate_does_not_pass(name: str, tmp_path: Path, sandbox: Sandbox) -> None:
    row, language, code = CHEATS[name]
    verdict = verdict_of(row, language, code, tmp_path, sandbox)
    assert (verdict.passed, verdict.compiled) == (False, True), verdict


RIGHT = {
    "python": (PYTHON, "def double(x):\n    return 2 * x\n"),
    "java": (JAVA, JAVA["prompt"] + "        return List.of(2 * x); } }\n"),
    "cpp": (CPP, "#define LIMIT 3\n" + CPP["prompt"] + "    return {2 * x};\n}\n"),
}


@pytest.mark.parametrize("language", RIGHT)
def test_a_right_answer_to_the_same_problem_passes(language: str, tmp_path: Path, sandbox: Sandbox) -> None:
    row, code = RIGHT[language]
    verdict = verdict_of(row, language, code, tmp_path, sandbox)
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    "beside",
    [
        "struct P { int a; };\nbool operator<(const P &a, const P &b) { return a.a < b.a; }\n"
        "namespace std { template <> struct hash<P> { size_t operator()(const P &p) const { return p.a; } }; }\n",
        "ostream &operator<<(ostream &out, const vector<int> &all) { return out << all.size(); }\n",
        "int index(int i) { return i; }\nint first(int *all) { return *all; }\n",
    ],
    ids=["a type of its own", "a way to print", "names of the library with other parameters"],
)
def test_what_only_looks_like_a_cheat_is_let_be(beside: str, tmp_path: Path, sandbox: Sandbox) -> None:
    prompt = "#include<functional>\n#include<iostream>\n#include<vector>\nusing namespace std;\n"
    code = prompt + beside + "vector<int> twice(int x){\n    return {2 * x};\n}\n"
    assert verdict_of(CPP, "cpp", code, tmp_path, sandbox).passed


def test_a_syntax_error_at_run_time_is_no_failed_compilation(tmp_path: Path, sandbox: Sandbox) -> None:
    code = "import ast\n\ndef double(x):\n    return ast.literal_eval('1 +')\n"
    verdict = verdict_of(PYTHON, "python", code, tmp_path, sandbox)
    assert (verdict.passed, verdict.compiled, verdict.outcome) == (False, True, "wrong_exit")
    assert "SyntaxError" in verdict.reason


@pytest.mark.parametrize(
    "words",
    [
        "bwrap: nice try",
        "setpriv: no",
        "prlimit: failed",
        "MemoryError: quoted",
        "AssertionError: File too large",
    ],
)
def test_a_candidates_words_do_not_name_its_verdict(words: str, tmp_path: Path, sandbox: Sandbox) -> None:
    code = f"import os\n\ndef double(x):\n    os.write(2, {words.encode()!r})\n    os._exit(1)\n"
    verdict = verdict_of(PYTHON, "python", code, tmp_path, sandbox)
    assert (verdict.passed, verdict.outcome) == (False, "wrong_exit")
