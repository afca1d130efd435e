"""A long program in parts that can be translated one by one, and their translations put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Node

from apps.code.definitions import names_defined
from apps.code.java_units import TYPES
from apps.code.syntax import parse, text_of

LONGEST = 2_000
"""Characters of a part, if its functions are no longer than that: about 600 tokens, and as many of the target."""

_HEADS = (
    "import_declaration",
    "package_declaration",
    "import_statement",
    "import_from_statement",
    "future_import_statement",
    "preproc_include",
    "using_declaration",
)
_ACCESS = ("public:", "protected:", "private:")
_CLASSES = (*TYPES, "class_definition", "class_specifier", "struct_specifier")


@dataclass(frozen=True)
class Part:
    """Code that parses by itself; `names` are those of its types and functions."""

    code: str
    names: tuple[str, ...]


@dataclass
class _Unit:
    """A node with the comments above it and behind it, by bytes of the code; None for comments alone."""

    node: Node | None
    start: int
    end: int
    end_row: int


def parts_of(code: str, language: str, longest: int = LONGEST) -> list[Part]:
    """Groups of whole top-level nodes with their comments; of a class that is too long, groups of its members within
    its head. Imports and includes are in none: the target has its own."""
    content = code.encode("utf-8", "replace")
    texts: list[str] = []
    for unit in _units(parse(code, language).children):
        texts += _pieces(unit, content, language, longest)
    groups: list[str] = []
    for text in texts:
        if groups and len(groups[-1]) + len(text) <= longest:
            groups[-1] += "\n\n" + text
        else:
            groups.append(text)
    return [Part(f"{group}\n", tuple(sorted(names_defined(group, language)))) for group in groups]


def joined(codes: Sequence[str], language: str) -> str:
    """One program of translated parts: each import once, at the top, and classes of one name made one."""
    heads: dict[str, None] = {}
    bodies: list[str] = []
    place_of: dict[str, int] = {}
    for code in codes:
        content = code.encode("utf-8", "replace")
        for unit in _units(parse(code, language).children):
            text = content[unit.start : unit.end].decode().strip()
            kind = unit.node.type if unit.node is not None else ""
            if kind in _HEADS:
                heads[text] = None
                continue
            name = text_of(unit.node.child_by_field_name("name")) if unit.node and kind in _CLASSES else ""
            if unit.node is not None and name in place_of:
                place = place_of[name]
                bodies[place] = _extended(bodies[place], unit.node, content, language)
            elif text not in bodies:
                if name:
                    place_of[name] = len(bodies)
                bodies.append(text)
    gap = "\n\n\n" if language == "python" else "\n\n"
    return gap.join([*(["\n".join(heads)] if heads else []), *bodies]) + "\n"


def _units(children: Sequence[Node]) -> list[_Unit]:
    units: list[_Unit] = []
    start: int | None = None  # of comments that wait for their node
    end = end_row = 0
    for node in children:
        last = units[-1] if units else None
        is_comment = node.type.endswith("comment")
        follows = last is not None and start is None and node.start_point.row == last.end_row
        if last is not None and follows and (is_comment or not node.is_named) and node.type != "}":
            last.end, last.end_row = node.end_byte, node.end_point.row
        elif is_comment:
            start = node.start_byte if start is None else start
            end, end_row = node.end_byte, node.end_point.row
        elif node.is_named:
            first = node.start_byte if start is None else start
            units.append(_Unit(node, first, node.end_byte, node.end_point.row))
            start = None
    if start is not None:
        units.append(_Unit(None, start, end, end_row))
    return units


def _pieces(unit: _Unit, content: bytes, language: str, longest: int) -> list[str]:
    """The unit, or parts of the class that it is. Comments of a class stand above its first part."""
    node, text = unit.node, content[unit.start : unit.end].decode()
    if node is None or node.type in _HEADS:
        return [text] if node is None else []
    body = node.child_by_field_name("body")
    if len(text) <= longest or node.type not in _CLASSES or body is None:
        return [text]
    above = content[unit.start : node.start_byte].decode()
    head = content[node.start_byte : body.start_byte].decode()
    opening, closing = {"python": ("", ""), "java": ("{\n", "\n}"), "cpp": ("{\n", "\n};")}[language]
    if language == "python":
        head = head.rstrip(" ")
    groups: list[list[str]] = []
    size = longest
    access = ""
    for member in _members(body, content):
        if size + len(member) > longest:
            groups.append([access] if access and groups else [])
            size = 0
        groups[-1].append(member)
        access = member if member.strip() in _ACCESS else access
        size += len(member)
    return [
        f"{above if number == 0 else ''}{head}{opening}" + "\n\n".join(group) + closing
        for number, group in enumerate(groups)
    ]


def _members(body: Node, content: bytes) -> list[str]:
    """What is in a class, each with its comments and indentation."""
    texts = []
    for unit in _units(body.children):
        line = content.rfind(b"\n", 0, unit.start) + 1
        before = content[line : unit.start]
        indent = before.decode() if not before.strip() else "    "
        texts.append(indent + content[unit.start : unit.end].decode())
    return texts


def _extended(text: str, another: Node, content: bytes, language: str) -> str:
    """A class with the members of another part's class of the same name that it does not have yet."""
    body = another.child_by_field_name("body")
    new = [member for member in _members(body, content) if member.strip() not in text] if body else []
    if not new:
        return text
    if language == "python":
        # What stands directly below a class's head is no part of its body.
        above = [text_of(child) for child in another.children if child.type == "comment"]
        new[0] = "".join(f"    {comment}\n" for comment in above) + new[0]
        return text + "\n\n" + "\n\n".join(new)
    end = text.rindex("}")
    return text[:end].rstrip() + "\n\n" + "\n\n".join(new) + "\n" + text[end:]
