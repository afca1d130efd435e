"""Functions of all three languages, called with JSON."""

from __future__ import annotations

from typing import Any

import pytest

from apps.code import drivers
from apps.code.checking import agree, agreement, call, check
from apps.code.drivers import CallResult, same
from apps.code.examples import Example
from apps.code.sandbox import Sandbox
from apps.code.signatures import signature_of
from tests.compilers import installed

ECHO = {
    "python": "def echo(numbers, words, flag, real):\n    return [numbers, words, flag, real]\n",
    "java": """import java.util.*;
class Tool {
    static List<Object> echo(List<Integer> numbers, String[][] words, boolean flag, double real) {
        return Arrays.asList(numbers, words, flag, real);
    }
}""",
    "cpp": """#include <tuple>
using Kept = std::pair<std::pair<vector<int>, vector<vector<string>>>, std::pair<bool, double>>;
Kept echo(vector<int> numbers, const vector<vector<string>>& words, bool flag, double real) {
    return {{numbers, words}, {flag, real}};
}""",
}
ARGUMENTS = ([1, -2], [['a"b', "\\\n"], []], True, 0.5)


def sandboxed(language: str, sandbox: Sandbox) -> Sandbox:
    installed(language, sandbox)
    return sandbox


@pytest.mark.parametrize("language", ECHO)
def test_arguments_and_results_survive_the_way_there_and_back(language: str, sandbox: Sandbox) -> None:
    function = signature_of(ECHO[language], language, "echo")
    assert function is not None
    calls = call(ECHO[language], language, function, [ARGUMENTS, ARGUMENTS], sandboxed(language, sandbox))
    assert calls.failure is None
    numbers, words, flag, real = ARGUMENTS
    expected: Any = [[numbers, words], [flag, real]] if language == "cpp" else list(ARGUMENTS)
    assert [result.value for result in calls.results] == [expected, expected]


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "def f(n):\n    print('noise', n)\n    return 10 // n\n\n\nprint(f(5))\n"),
        ("java", "public class Tool { public static int f(int n) { System.out.print(n); return 10 / n; }\n"
         "public static void main(String[] a) { System.exit(3); } }"),
        ("cpp", "int f(int n) { cout << n; if (!n) throw runtime_error(\"zero\"); return 10 / n; }\n"
         "int main() { return 3; }"),
    ],
)  # fmt: skip
def test_one_failing_call_does_not_end_the_others_and_noise_is_no_result(
    language: str, code: str, sandbox: Sandbox
) -> None:
    function = signature_of(code, language, "f")
    assert function is not None
    results = call(code, language, function, [(5,), (0,), (2,)], sandboxed(language, sandbox)).results
    assert [result.value for result in results] == [2, None, 5]
    assert [result.error is None for result in results] == [True, False, True]


def test_a_program_that_one_call_kills_is_begun_again_behind_it(sandbox: Sandbox) -> None:
    code = "int f(std::vector<int> xs) { if (xs.empty()) abort(); return xs[0]; }\n"
    function = signature_of(code, "cpp")
    assert function is not None
    results = call(code, "cpp", function, [([3],), ([],), ([4],)], sandboxed("cpp", sandbox)).results
    assert [result.value for result in results] == [3, None, 4]
    assert "SIGABRT" in str(results[1].error)
    first = call(code, "cpp", function, [([],), ([4],)], sandboxed("cpp", sandbox)).results
    assert [result.value for result in first] == [None, 4]
    dead = call(code, "cpp", function, [([],), ([],)], sandboxed("cpp", sandbox))
    assert "SIGABRT" in str(dead.failure)


def test_a_wrong_draft_is_told_with_its_first_wrong_call(sandbox: Sandbox) -> None:
    code = "def add(a, b):\n    return a - b\n"
    examples = [Example((1, 0), 1, "add(1, 0) == 1"), Example((1, 2), 3, "add(1, 2) == 3")]
    verdict = check(code, "python", signature_of(code, "python"), examples, sandbox)
    assert [item.passed for item in verdict.checks] == [True, False]
    assert verdict.problem == "add(1, 2) gives -1, but it must give 3"


def test_a_draft_that_does_not_compile_is_told_with_the_compilers_words(sandbox: Sandbox) -> None:
    code = "int f(int n) { return m; }\n"
    verdict = check(code, "cpp", signature_of(code, "cpp"), [], sandboxed("cpp", sandbox))
    assert verdict.passed == 0
    assert "does not compile" in str(verdict.problem)
    assert "'m'" in str(verdict.problem).replace("‘", "'").replace("’", "'")


def test_the_draft_that_others_agree_with_scores_highest() -> None:
    def results(*values: object) -> dict[str, CallResult]:
        return {str(index): CallResult(value) for index, value in enumerate(values)}

    assert agreement([results(1, 2), results(1, 2), results(1, 9)]) == [5, 5, 4]
    assert agreement([{"0": CallResult(error="x")}, {"0": CallResult(error="x")}, results(1)]) == [0, 0, 1]


def test_a_function_named_like_one_of_the_standard_library_is_called(sandbox: Sandbox) -> None:
    code = (
        "#include <algorithm>\n#include <vector>\nusing namespace std;\n"
        "bool is_sorted(const vector<int>& xs) { return xs.size() < 2; }\n"
    )
    function = signature_of(code, "cpp")
    assert function is not None
    results = call(code, "cpp", function, [([3],), ([1, 2],)], sandboxed("cpp", sandbox)).results
    assert [result.value for result in results] == [True, False]


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("cpp", "#include <map>\nint f(std::map<int, int> m) {{ return m.size(){}; }}\n"),
        (
            "java",
            "import java.util.*;\nclass A {{ int f(Map<String, String> m) {{ return m.size(){}; }} }}\n",
        ),
    ],
)
def test_a_function_that_takes_a_map_is_compiled_only(language: str, code: str, sandbox: Sandbox) -> None:
    examples = [Example(({"a": 1},), 1, "f({'a': 1}) == 1")]
    for ending, passes in (("", True), (" + none", False)):
        written = code.format(ending)
        function = signature_of(written, language)
        verdict = check(written, language, function, examples, sandboxed(language, sandbox))
        assert [(item.name, item.passed) for item in verdict.checks] == [("compiles", passes)]
        assert (verdict.problem is None) == passes


def test_a_java_map_is_shown_as_an_object(sandbox: Sandbox) -> None:
    code = 'class A { java.util.Map<String, Integer> f(int n) { return java.util.Map.of("n", n); } }\n'
    function = signature_of(code, "java")
    assert function is not None
    assert call(code, "java", function, [(3,)], sandboxed("java", sandbox)).results[0].value == {"n": 3}


def test_a_draft_that_prints_results_of_its_own_is_judged_all_the_same(sandbox: Sandbox) -> None:
    code = "def f(n):\n    print('\\x1e7\\n\\x1e7\\n\\x1e7', flush=True)\n    return n\n"
    examples = [Example((1,), 1, "f(1) == 1")]
    verdict = check(code, "python", signature_of(code, "python"), examples, sandbox, made_up=[(2,)])
    assert len(verdict.checks) == len(verdict.made_up) == 1


CHEATS = {
    "python": "import os\n\n\ndef add(a, b):\n    print('\\x1e3', flush=True)\n    os._exit(0)\n",
    "java": "class Tool { static int add(int a, int b) {"
    " System.out.println((char) 30 + String.valueOf(3)); System.exit(0); return 0; } }",
    "cpp": "int add(int a, int b) { std::cout << '\\x1e' << 3 << std::endl; std::exit(0); }",
}


@pytest.mark.parametrize("language", CHEATS)
def test_a_draft_that_prints_a_result_and_ends_the_program_has_given_none(
    language: str, sandbox: Sandbox
) -> None:
    code, examples = CHEATS[language], [Example((1, 2), 3, "add(1, 2) == 3")]
    verdict = check(code, language, signature_of(code, language), examples, sandboxed(language, sandbox))
    assert [item.passed for item in verdict.checks] == [False]
    assert "ended the program" in str(verdict.problem)


def test_drafts_are_alike_that_fail_on_the_same_inputs_and_else_give_the_same() -> None:
    failing, other = (
        {"0": CallResult(error="x"), "1": CallResult(2)},
        {"0": CallResult(1), "1": CallResult(2)},
    )
    assert agree(failing, {"0": CallResult(error="y"), "1": CallResult(2)})
    assert not agree(failing, other)
    assert not agree(other, {"1": CallResult(2)})


def test_made_up_inputs_are_run_behind_the_examples_and_the_first_that_fails_is_told(
    sandbox: Sandbox,
) -> None:
    code = "def head(xs):\n    return xs[0]\n"
    examples = [Example(([4],), 4, "head([4]) == 4")]
    made_up = [([7, 8],), ([],)]
    verdict = check(code, "python", signature_of(code, "python"), examples, sandbox, made_up=made_up)
    assert (verdict.passed, verdict.problem) == (1, None)
    assert verdict.made_up["([7, 8],)"] == CallResult(7)
    assert verdict.crash is not None
    assert verdict.crash.startswith("head([]) fails with IndexError")


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0000001, True),
        (1, 2, False),
        (True, 1, False),
        ([1, [2.0]], [1, [2]], True),
        (None, [], True),
        ("1", 1, False),
        ({"a": 1}, {"a": 1}, True),
    ],
)
def test_results_agree_up_to_rounding(left: Any, right: Any, equal: bool) -> None:
    assert same(left, right) is equal


def test_what_is_no_json_is_kept_as_text() -> None:
    assert drivers.results_of(["[1, 2]", "!boom", "nan?"]) == [
        CallResult([1, 2]),
        CallResult(error="boom"),
        CallResult("nan?"),
    ]
