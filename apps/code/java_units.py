"""A Java file's own names: its package, its types, and which of them has `main`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from apps.code.syntax import parse

# A backslash that another one escapes begins no Unicode escape.
_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\u+([0-9a-fA-F]{4})")
TYPES = (
    "class_declaration",
    "interface_declaration",
    "enum_declaration",
    "record_declaration",
    "annotation_type_declaration",
)


@dataclass(frozen=True)
class JavaUnit:
    """`file_name` is what javac wants the file to be called, without suffix; `main_class` what java begins.

    `types` are the binary names (`Outer$Inner`) of all types that can have functions, outer ones first.
    """

    file_name: str
    main_class: str
    types: tuple[str, ...]
    has_main: bool = False


def java_unit(source: str) -> JavaUnit:
    """`Main` has `main` where there is one, or else the file's public type, or the first that has it."""
    children = parse(source, "java").children
    top = [node for node in children if node.type in TYPES]
    public = next((name_of(node) for node in top if "public" in modifiers_of(node)), None)
    found = [(name, node) for node in top for name, node in _types(node, "")]
    begun = [name for name, node in found if _has_main(node)]
    preferred = next((name for name in ("Main", public) if name in begun), begun[0] if begun else None)
    package = next((_package(node) for node in children if node.type == "package_declaration"), "")
    main = preferred or public or "Main"
    return JavaUnit(
        public or "Main",
        f"{package}.{main}" if package else main,
        tuple(name for name, _ in found),
        preferred is not None,
    )


def with_characters(source: str) -> str:
    """Source with the characters that its Unicode escapes stand for, as javac reads it (JLS 3.3)."""
    if "\\u" not in source:
        return source
    text = _ESCAPE.sub(lambda escape: escape[1] + chr(int(escape[2], 16)), source)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def name_of(declaration: Node) -> str:
    """The plain name of a type or a method."""
    name = declaration.child_by_field_name("name")
    return (name.text or b"").decode("utf-8", "replace") if name is not None else ""


def modifiers_of(declaration: Node) -> list[str]:
    """`public`, `static`, …, without annotations."""
    return [
        word.type
        for node in declaration.children
        if node.type == "modifiers"
        for word in node.children
        if not word.is_named
    ]


def _types(node: Node, outer: str) -> Iterator[tuple[str, Node]]:
    name = f"{outer}${name_of(node)}" if outer else name_of(node)
    yield name, node
    for member in _members(node):
        if member.type in TYPES:
            yield from _types(member, name)


def _members(declaration: Node) -> Iterator[Node]:
    body = declaration.child_by_field_name("body")
    for member in body.children if body is not None else ():
        if member.type == "enum_body_declarations":
            yield from member.children
        else:
            yield member


def _has_main(declaration: Node) -> bool:
    return any(
        member.type == "method_declaration"
        and name_of(member) == "main"
        and ("static" in modifiers_of(member) or declaration.type == "interface_declaration")
        for member in _members(declaration)
    )


def _package(node: Node) -> str:
    name = next(
        (child for child in node.named_children if child.type in ("scoped_identifier", "identifier")), None
    )
    return (name.text or b"").decode("utf-8", "replace") if name is not None else ""
