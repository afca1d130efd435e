"""How a translation is compared with its source; no model is needed for that."""

from __future__ import annotations

import pytest

from apps.code.literals import literals_of
from apps.code.sandbox import Sandbox
from apps.code.translating import Translating
from tests.compilers import installed

JAVA = """/*
 * Copyright 2024 Example Ltd.
 */
package com.example.util;

import java.util.List;

public class Main {
    /* public class Example in a comment */
    public static int most(int a, int b) { return b > a ? most(b, a) : a; }
    public static boolean isName(String caf\\u00e9) {
        return caf\\u00e9.startsWith("Mr. ") || caf\\u00e9.endsWith("-san");
    }
    static public void main(String[] args) { System.out.println(most(12, 18)); }
}
"""
PYTHON = """def most(a: int, b: int) -> int:
    return most(b, a) if b > a else a


def is_name(text: str) -> bool:
    return text.startswith("Mr. ") or text.endswith("-san")


if __name__ == "__main__":
    print(most(12, 18))
"""


def judged(
    sandbox: Sandbox, draft: str, code: str = JAVA, source: str = "java", target: str = "python"
) -> str:
    installed("java", sandbox)
    installed("cpp", sandbox)
    verdict = Translating(code, source, target, None, sandbox).judge(draft)
    if verdict.problem is None:
        return f"{sum(check.is_example for check in verdict.checks)} agree"
    return verdict.problem


def test_every_function_is_compared_and_what_the_program_prints(sandbox: Sandbox) -> None:
    verdict = Translating(JAVA, "java", "python", None, sandbox).judge(PYTHON)
    assert verdict.problem is None
    names = {check.name.partition("(")[0] for check in verdict.checks}
    assert names == {"most", "isName", "prints what the source prints"}


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        ("b > a else a", "b > a else b", "most("),
        ('"Mr. "', '"Mr."', "is_name("),  # told apart only by a text of the source's
        ("print(most(12, 18))", "print(most(12, 17))", "must print '18'"),
    ],
)
def test_a_translation_that_differs_anywhere_is_wrong(
    sandbox: Sandbox, right: str, wrong: str, found: str
) -> None:
    assert found in judged(sandbox, PYTHON.replace(right, wrong))


def test_a_private_helper_of_the_draft_is_no_function_of_the_source(sandbox: Sandbox) -> None:
    draft = PYTHON.replace("def most", "def _unused(x, y, z):\n    raise ValueError\n\n\ndef most")
    assert judged(sandbox, draft).endswith(" agree")


def test_what_the_drivers_cannot_call_does_not_hide_the_rest(sandbox: Sandbox) -> None:
    source = "def size(counts: dict) -> int:\n    return len(counts)\n\n\ndef twice(n: int) -> int:\n    return 2 * n\n"
    cpp = (
        "#include <map>\nint size(const std::map<int, int>& counts) { return counts.size(); }\n"
        "int twice(int n) { return 2 * n; }\n"
    )
    assert judged(sandbox, cpp, source, "python", "cpp").endswith(" agree")
    assert "twice(" in judged(sandbox, cpp.replace("2 * n", "3 * n"), source, "python", "cpp")


def test_what_the_grammar_does_not_know_of_the_source_is_told() -> None:
    code = "template <class... Ts> struct All : Ts... { using Ts::operator()...; };\n"
    assert "C++ does not know line 1" in str(Translating(code, "cpp", "python", None, None).work.unknown)
    assert Translating(PYTHON, "python", "java", None, None).work.unknown is None
    assert (
        Translating(JAVA, "java", "python", None, None).work.unknown is None
    )  # escapes are read as javac does


def test_literals_are_taken_from_the_code() -> None:
    found = literals_of("String f(String s) { return s.split(\", \")[0] + 'x' + 12 + 0.5; }", "java")
    assert found.texts == (", ", "x")
    assert found.numbers == (0, 12, 0.5)
    assert literals_of("def f(s):\n    return s.replace('ab', r'\\d') + f'{s}!'\n", "python").texts[0] == "ab"
