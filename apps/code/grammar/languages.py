"""The languages with a grammar. A language whose grammar has no external scanner is one more line here and a data
file, made by `python -m apps.code.grammar.build NAME`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from apps.code.grammar import openings
from apps.code.grammar.cpp_rules import CppRules
from apps.code.grammar.cpp_scanner import CppScanner
from apps.code.grammar.errors import UnknownLanguageError
from apps.code.grammar.java_rules import JavaRules
from apps.code.grammar.openings import Openings
from apps.code.grammar.python_rules import PythonRules
from apps.code.grammar.python_scanner import PythonScanner
from apps.code.grammar.scanner import ExternalScanner
from apps.code.grammar.strict_rules import StrictRules
from apps.code.grammar.tables import Tables


def _cpp_scanner(names: list[str], token_count: int, strict: bool) -> ExternalScanner:
    return CppScanner()


@dataclass(frozen=True)
class Language:
    """A tree-sitter grammar package and what is known beside it."""

    name: str
    package: str  # on PyPI and npm alike
    version: str
    aliases: tuple[str, ...] = ()
    scanner: Callable[[list[str], int, bool], ExternalScanner] | None = None
    strict_rules: Callable[[Tables], StrictRules] = StrictRules
    comment: str | None = None  # the shortest; it ends what a backslash and a newline begin
    openings: Openings = field(default_factory=Openings)


LANGUAGES = (
    Language(
        name="python",
        package="tree-sitter-python",
        version="0.25.0",
        aliases=("py", "python3"),
        scanner=PythonScanner,
        strict_rules=PythonRules,
        openings=openings.PYTHON,
    ),
    Language("java", "tree-sitter-java", "0.23.5", strict_rules=JavaRules, openings=openings.JAVA),
    Language(
        name="cpp",
        package="tree-sitter-cpp",
        version="0.23.4",
        aliases=("c++", "cc", "cxx", "hpp"),
        scanner=_cpp_scanner,
        strict_rules=CppRules,
        comment="/**/",
        openings=openings.CPP,
    ),
    Language("json", "tree-sitter-json", "0.24.8", openings=openings.JSON),
)


def language(name: str) -> Language:
    """The language of a name or alias, in any case. Raises UnknownLanguageError."""
    wanted = name.strip().lower()
    for spec in LANGUAGES:
        if wanted == spec.name or wanted in spec.aliases:
            return spec
    raise UnknownLanguageError(name, [spec.name for spec in LANGUAGES])
