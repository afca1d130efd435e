"""Uses of code that are made up: examples that call it, runs of a program in one folder."""

from __future__ import annotations

import json

from apps.code.answers import Checked
from apps.code.checking import agree, agreement, alike, check
from apps.code.drivers import CallResult
from apps.code.sandbox import Sandbox
from apps.code.usage import ProgramRun, Usage, is_program, runs_of, try_out, usage_of
from tests.compilers import installed

TODO = """import sys

tasks = [line.strip() for line in open("tasks.txt")]
if sys.argv[1] == "add":
    open("tasks.txt", "a").write(sys.argv[2] + "\\n")
else:
    print(tasks, sys.stdin.read().strip())
"""


def test_the_runs_of_a_program_share_a_folder(sandbox: Sandbox) -> None:
    runs = (ProgramRun(("add", "b c")), ProgramRun(("list",), "typed\n"))
    results = try_out(Usage(runs=runs, files={"tasks.txt": "a\n"}), TODO, "python", sandbox)
    assert list(results) == ["1. program add 'b c'", "2. program list <<< typed"]
    assert [result.value for result in results.values()] == ["", "['a', 'b c'] typed"]


def test_a_program_that_says_nothing_or_breaks_off_gave_no_answer(sandbox: Sandbox) -> None:
    usage = Usage(runs=(ProgramRun(), ProgramRun()))
    silent = try_out(usage, "x = 1\n", "python", sandbox)
    assert {result.error for result in silent.values()} == {"nothing printed"}
    (broken,) = try_out(Usage(runs=(ProgramRun(),)), "print(input())\n", "python", sandbox).values()
    assert "EOFError" in str(broken.error)
    (refused,) = try_out(
        Usage(runs=(ProgramRun(),)), "import sys\nprint('no')\nsys.exit(2)\n", "python", sandbox
    ).values()
    assert refused.value == "no\n(exit code 2)"


def test_an_example_uses_the_code_of_a_draft(sandbox: Sandbox) -> None:
    installed("java", sandbox)
    code = (
        "public class Box {\n    private int n;\n    public void add(int x) { n += x; }\n"
        "    public int get() { return n; }\n}\n"
    )
    example = (
        "import java.util.List;\npublic class Main {\n    public static void main(String[] args) {\n"
        "        Box box = new Box();\n        for (int x : List.of(2, 3)) box.add(x);\n"
        "        System.out.println(box.get());\n    }\n}\n"
    )
    usage = usage_of(example, code, "java")
    assert usage is not None
    (result,) = try_out(usage, code, "java", sandbox).values()
    assert result.value == "5"


def test_what_the_draft_has_itself_is_left_out_of_an_example() -> None:
    code = "class Box:\n    pass\n"
    usage = usage_of("from box import Box\n\nclass Box:\n    pass\n\nprint(Box())\n", code, "python")
    assert usage is not None
    assert usage.code.strip() == "print(Box())"
    assert usage_of("class Box:\n    pass\n", code, "python") is None


def test_runs_that_name_files_elsewhere_are_refused() -> None:
    def told(name: str) -> str:
        files, runs = [{"name": name, "text": "x"}], [{"arguments": ["a"], "input": ["1", "2"]}]
        return json.dumps({"files": files, "runs": runs})

    assert runs_of(told("a.txt")) == Usage(runs=(ProgramRun(("a",), "1\n2\n"),), files={"a.txt": "x"})
    assert runs_of(told("../a.txt")) is None
    assert runs_of(told("/etc/passwd")) is None
    assert runs_of(told("a.txt")[:-5]) is None


def test_programs_are_told_from_what_is_used() -> None:
    assert is_program("import sys\n\nprint(sys.argv)\n", "python")
    assert is_program("def f(): ...\n\n\nif __name__ == '__main__':\n    f()\n", "python")
    assert not is_program('"""Doc."""\nX = 1\n\n\nclass A:\n    pass\n', "python")
    assert is_program("class A { public static void main(String[] a) {} }", "java")
    assert not is_program("class A { void main2() {} }", "java")
    assert is_program("int main() { return 0; }", "cpp")
    assert not is_program("int f() { return 0; }", "cpp")


def test_printed_texts_are_alike_when_they_say_the_same_in_other_words() -> None:
    def printed(text: str) -> CallResult:
        return CallResult(text, printed=True)

    one, another = printed("1. buy milk\n2. call Bob"), printed("1: buy milk 2: call Bob")
    assert alike(one, another)
    assert not alike(one, printed("no tasks"))
    assert not alike(one, CallResult(error="EOFError"))
    assert agree({"a": one}, {"a": another})
    lists, loses = {"a": one}, {"a": printed("no tasks")}
    assert agreement([loses, lists, {"a": another}])[0] < agreement([loses, lists, {"a": another}])[1]


def test_nothing_passes_that_was_not_run(sandbox: Sandbox) -> None:
    installed("cpp", sandbox)
    verdict = check("int main() { return 0; }\n", "cpp", None, [], sandbox, whole=True)
    assert [(item.name, item.passed) for item in verdict.checks] == [("compiles", True)]
    broken = check("int main() { return x; }\n", "cpp", None, [], sandbox, whole=True)
    assert broken.problem is not None
    assert "passes" not in Checked(1, 0, verdict.examples, verdict.problem).verdict
    assert Checked(1, 0, 0, None, tried=3).verdict == (
        "no fault found; run on 3 made-up inputs, whose right answers nobody gave"
    )
    assert Checked(1, 1, 2, None).verdict == "passes 1 of 2 examples"


def test_code_that_the_grammar_does_not_know_is_judged_by_the_compiler(sandbox: Sandbox) -> None:
    installed("cpp", sandbox)
    code = "template <class... Ts> struct All : Ts... { using Ts::operator()...; };\nint f(int x) { return x; }\n"
    verdict = check(code, "cpp", None, [], sandbox, whole=True)
    assert (verdict.problem, verdict.passed) == (None, 1)
    assert verdict.unknown is not None
    broken = check(code + "int g() { return y; }\n", "cpp", None, [], sandbox, whole=True)
    assert str(broken.problem).startswith("it does not parse")
