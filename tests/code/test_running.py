"""Code is run as somebody has it in front of them."""

from __future__ import annotations

import pytest

from apps.code import running
from apps.code.running import CannotRunError, run
from apps.code.sandbox import Limits, Sandbox
from tests.compilers import installed

PYTHON = """\
def double(values):
    return [2 * value for value in values]


if __name__ == '__main__':
    print(double([1, 2]))
"""
JAVA = """\
public class A {
    static int half(int n) {
        return n / 2;
    }

    public static void main(String[] args) {
        System.out.println("four: " + half(8));
    }
}
"""
CPP = """\
#include <iostream>

int half(int n) {
    return n / 2;
}

int main() {
    std::cout << half(8) << std::endl;
}
"""


def test_a_program_says_what_it_printed(sandbox: Sandbox) -> None:
    output = run(PYTHON, "python", sandbox)
    assert (output.stdout, output.problem) == ("[2, 4]\n", None)


def test_what_went_wrong_is_told(sandbox: Sandbox) -> None:
    output = run("print('first')\nraise ValueError('no more')\n", "python", sandbox)
    assert output.stdout == "first\n"
    assert "ValueError: no more" in output.stderr
    assert output.problem == "exit 1: ValueError: no more"


def test_a_program_without_an_end_is_ended(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "RUN_LIMITS", Limits(cpu_s=0.3, wall_s=10))
    assert run("while True:\n    pass\n", "python", sandbox).problem.startswith("CPU limit")


def test_a_function_is_called_with_values(sandbox: Sandbox) -> None:
    assert run(PYTHON, "python", sandbox, "double([1, 20])").value == "[2, 40]"
    assert run(PYTHON, "python", sandbox, "double(7)").problem.startswith("TypeError")


@pytest.mark.parametrize(
    ("called", "reason"), [("halve(1)", "no_function"), ("double(x)", "no_call"), ("double", "no_call")]
)
def test_what_is_no_call_is_said_so(sandbox: Sandbox, called: str, reason: str) -> None:
    with pytest.raises(CannotRunError) as refused:
        run(PYTHON, "python", sandbox, called)
    assert refused.value.reason == reason


def test_in_java_and_cpp_without_a_main_a_call_is_asked_for(sandbox: Sandbox) -> None:
    for code, language in (
        ("class A { static int f() { return 1; } }", "java"),
        ("int f() { return 1; }", "cpp"),
    ):
        with pytest.raises(CannotRunError, match="no main"):
            run(code, language, sandbox)


def test_java_is_run_and_called(sandbox: Sandbox) -> None:
    installed("java", sandbox)
    assert run(JAVA, "java", sandbox).stdout == "four: 4\n"
    assert run(JAVA, "java", sandbox, "half(10)").value == "5"
    assert "does not compile" in run(JAVA.replace("n / 2", '"no"'), "java", sandbox).problem


def test_cpp_is_run_and_called(sandbox: Sandbox) -> None:
    installed("cpp", sandbox)
    assert run(CPP, "cpp", sandbox).stdout == "4\n"
    assert run(CPP, "cpp", sandbox, "half(10);").value == "5"
