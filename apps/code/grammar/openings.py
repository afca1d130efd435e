"""What a language opens: short constructs that may be missing before a suffix that closes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MAX_NAMES = 3  # of classes, from each side
_NAMED = ("class x {", "x() {")
_CLASSES = re.compile(r"\b(?:class|enum|record)\s+(\w+)")
_CONSTRUCTORS = re.compile(r"(?:public|protected|private|^)\s+([A-Z]\w*)\s*\(", re.MULTILINE)


@dataclass(frozen=True)
class Openings:
    """Constructs, the likelier first. What ends with a newline is a line of its own."""

    constructs: tuple[str, ...] = ()
    indented: bool = False  # whether its lines have to be


# fmt: off
PYTHON = Openings((
    "x,", ",", "x", "+", "(", "[", "{", "x(", "x[", "x: [", "x: {", ": x,", "x = (", "x = [", "x = {", "x if x",
    '"', "'", '"""', "'''",
    "if x:\n", "if x: x\n", "try: x\n", "match x:\n", "try:\n", "for x in x:\n",
    "def x(", "class x(", "if x", "if (", "if (x", 'if x:\n"""',
), indented=True)
_BRACES = (
    "x,", ",", "x", "x()", "+", "{", "(", "[", "x(", "x[", "x = {",
    "if (x) {", "if (x) x; ", "else {", "try {", "try {} ", "switch (x) {", "do {",
    "void x() {", "class x {", "enum x {", "class x { void x() {", "x() {",
    "for (x;", "x ? x", "/*", '"', "'", "void x(", "class x", "if (x", "x(x", "return x(",
)
JAVA = Openings((
    *_BRACES,
    "x -> {", "x(x -> {", "x(new x() {", "new x() {", "catch (x x) {", "finally {", '"""\n', "@x(", "@x({",
    "module x {", "class x { x x = {",
))
CPP = Openings((
    *_BRACES,
    "#if x\n", "namespace x {", "struct x {", "catch (...) {", "x([] {", 'extern "x" {', "template <", "x<", 'R"(',
))
JSON = Openings(("[", "{", '"', '{"x":'))
# fmt: on


def openings_before(openings: Openings, prefix: str, suffix: str) -> Iterator[str]:
    """The constructs of a language as they may stand between a prefix and a suffix.

    Where lines have to be indented: as far as a line of the suffix that they may have to match.
    """
    levels = _levels(suffix) if openings.indented else [""]
    within_line = suffix[:1].strip() != ""
    names = dict.fromkeys(
        [*_CLASSES.findall(prefix)[-_MAX_NAMES:], *_CONSTRUCTORS.findall(suffix)[:_MAX_NAMES]]
    )
    for construct in openings.constructs:
        if suffix.startswith(("\n", "\r")):
            construct = construct.rstrip("\n")
        for before in ("", " ", *(f"{line}{level}" for line in ("", "\n") for level in levels)):
            yield from (before + text for text in _indented(construct, levels))
            if construct.endswith("\n") and within_line:
                yield from (before + construct + level + space for level in levels for space in ("", " "))
        if construct in _NAMED:  # where a class is to have the name of its constructors
            yield from ("\n" + construct.replace("x", name, 1) for name in names)


def _indented(construct: str, levels: list[str]) -> list[str]:
    """A construct whose second line is as far indented as a line of the suffix."""
    first, line, second = construct.partition("\n")
    return [f"{first}\n{level}{second}" for level in levels] if line and second else [construct]


def _levels(suffix: str) -> list[str]:
    """The indentations that a suffix goes back to."""
    levels = [""]
    least: int | None = None
    for line in suffix.splitlines():
        code = line.lstrip()
        indentation = line[: len(line) - len(code)]
        if code and (least is None or len(indentation) < least):
            least = len(indentation)
            if indentation:
                levels.append(indentation)
    return levels
