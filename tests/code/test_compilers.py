"""What the languages' own compilers say of finished code."""

from __future__ import annotations

import re
import shutil
import warnings
from dataclasses import replace

import pytest

from apps.code import toolchains
from apps.code.compilers import compilation
from apps.code.sandbox import Sandbox

RIGHT = {
    "java": "public class Größe { int twice(int n) { return 2 * n; } }\n",
    "cpp": "#include <vector>\nint twice(std::vector<int> n) { return 2 * n[0]; }\n",
}
WRONG = {
    "java": ('class A {\n  int f() { return "a"; }\n}\n', "line 2: error: incompatible types"),
    "cpp": ("int f() {\n  return missing;\n}\n", "line 2:10: error: .missing. was not declared"),
}
COMPILER = {"java": "javac", "cpp": "g++"}


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("x = 1\n", None),
        ("\ufeffx = 1\n", None),
        ("def f():\r\n\treturn 1\r\n", None),
        ("x = '\\d'\n", None),
        ("return 1\n", "line 1: 'return' outside function"),
        ("x = 1\ny = (2\n", "line 2: '(' was never closed"),
        ("x = 1\0", "source code string cannot contain null bytes"),
        ("(" * 5000, "line 1: too many nested parentheses"),
    ],
)
def test_python_is_always_asked_and_needs_no_sandbox(code: str, problem: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compilation(code, "python", asked=False, sandbox=None)
    assert (found.passed, found.problem) == (problem is None, problem)


def test_cpp_of_a_newer_standard_compiles_too(sandbox: Sandbox) -> None:
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    code = "#include <concepts>\ntemplate <std::integral T> T twice(T x) { return 2 * x; }\n"
    assert compilation(code, "cpp", asked=True, sandbox=sandbox).passed


@pytest.mark.parametrize("language", ["java", "cpp"])
def test_other_compilers_are_started_only_where_asked_for(language: str, sandbox: Sandbox) -> None:
    found = compilation(WRONG[language][0], language, asked=False, sandbox=sandbox)
    assert (found.passed, found.problem) == (None, None)


@pytest.mark.parametrize("language", ["java", "cpp"])
def test_code_that_compiles_passes_also_without_a_main(language: str, sandbox: Sandbox) -> None:
    if shutil.which(COMPILER[language]) is None:
        pytest.skip(f"no {COMPILER[language]}")
    assert compilation(RIGHT[language], language, asked=True, sandbox=sandbox).passed


@pytest.mark.parametrize("language", ["java", "cpp"])
def test_what_a_compiler_refuses_is_told_with_its_line(language: str, sandbox: Sandbox) -> None:
    if shutil.which(COMPILER[language]) is None:
        pytest.skip(f"no {COMPILER[language]}")
    code, says = WRONG[language]
    found = compilation(code, language, asked=True, sandbox=sandbox)
    assert found.passed is False
    assert re.match(says, found.problem or "")


@pytest.mark.parametrize(("language", "install"), [("java", "openjdk"), ("cpp", r"apt install g\+\+")])
def test_a_compiler_that_is_not_installed_is_named(
    language: str, install: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = compilation(RIGHT[language], language, asked=True, sandbox=sandbox)
    assert found.passed is None
    assert re.search(install, found.problem or "")


def test_without_a_sandbox_no_compiler_is_started() -> None:
    found = compilation(RIGHT["cpp"], "cpp", asked=True, sandbox=None)
    assert found.passed is None
    assert "no sandbox" in (found.problem or "")


def test_a_compilation_without_end_is_stopped(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("g++") is None:
        pytest.skip("no g++")
    monkeypatch.setattr(toolchains, "_COMPILE_LIMITS", replace(toolchains._COMPILE_LIMITS, cpu_s=1))
    endless = (
        "using u = unsigned long;\nconstexpr u spin(u n) { u s = 0; for (u i = 0; i < n; ++i) s += i ^ s; return s; }\n"
        + "".join(f"constexpr u x{i} = spin(262000 + {i});\n" for i in range(400))
    )
    found = compilation(endless, "cpp", asked=True, sandbox=sandbox)
    assert found.passed is None
    assert "CPU limit" in (found.problem or "")
