"""The languages with a grammar. A language whose grammar has no external scanner is one more line here and a data
file, made by `python -m apps.code.grammar.build NAME`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.code.grammar.cpp_rules import CppRules
from apps.code.grammar.cpp_scanner import CppScanner
from apps.code.grammar.errors import UnknownLanguageError
from apps.code.grammar.java_rules import JavaRules
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
    openings: tuple[str, ...] = ()  # what may have to stand before a suffix
    indented: bool = False  # whether lines have to be


_PYTHON_OPENINGS = (
    *(
        "x,",
        ",",
        "x",
        "+",
        "(",
        "[",
        "{",
        "x(",
        "x[",
        "x: [",
        "x: {",
        ": x,",
        "x = (",
        "x = [",
        "x = {",
        "x if x",
    ),
    *('"', "'", '"""', "'''", "if x:\n", "if x: x\n", "try: x\n", "match x:\n", "try:\n", "for x in x:\n"),
    *("def x(", "class x(", "if x", "if (", "if (x", 'if x:\n"""'),
)
_BRACE_OPENINGS = (
    *(
        "x,",
        ",",
        "x",
        "x()",
        "+",
        "{",
        "(",
        "[",
        "x(",
        "x[",
        "x = {",
        "if (x) {",
        "if (x) x; ",
        "else {",
        "try {",
    ),
    *(
        "try {} ",
        "switch (x) {",
        "do {",
        "void x() {",
        "class x {",
        "enum x {",
        "class x { void x() {",
        "x() {",
    ),
    *("for (x;", "x ? x", "/*", '"', "'", "void x(", "class x", "if (x", "x(x", "return x("),
)
_JAVA_OPENINGS = (
    *("x -> {", "x(x -> {", "x(new x() {", "new x() {", "catch (x x) {", "finally {", '"""\n', "@x(", "@x({"),
    *("module x {", "class x { x x = {"),
)
_CPP_OPENINGS = (
    *(
        "#if x\n",
        "namespace x {",
        "struct x {",
        "catch (...) {",
        "x([] {",
        'extern "x" {',
        "template <",
        "x<",
    ),
    *('R"(',),
)

LANGUAGES = (
    Language(
        "python",
        "tree-sitter-python",
        "0.25.0",
        ("py", "python3"),
        PythonScanner,
        PythonRules,
        openings=_PYTHON_OPENINGS,
        indented=True,
    ),
    Language(
        "java",
        "tree-sitter-java",
        "0.23.5",
        strict_rules=JavaRules,
        openings=(*_BRACE_OPENINGS, *_JAVA_OPENINGS),
    ),
    Language(
        "cpp",
        "tree-sitter-cpp",
        "0.23.4",
        ("c++", "cc", "cxx", "hpp"),
        _cpp_scanner,
        CppRules,
        comment="/**/",
        openings=(*_BRACE_OPENINGS, *_CPP_OPENINGS),
    ),
    Language("json", "tree-sitter-json", "0.24.8", openings=("[", "{", '"', '{"x":')),
)


def language(name: str) -> Language:
    """The language of a name or alias, in any case. Raises UnknownLanguageError."""
    wanted = name.strip().lower()
    for spec in LANGUAGES:
        if wanted == spec.name or wanted in spec.aliases:
            return spec
    raise UnknownLanguageError(name, [spec.name for spec in LANGUAGES])
