"""Names in a language's habits: camelCase in Java, snake_case in Python, for what a translation declares itself."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator

from tree_sitter import Node

from apps.code.syntax import nodes, parse, text_of

# Where a name is declared: the type of the node, and the field that has the name
_DECLARING = {
    "java": {
        "method_declaration": "name",
        "formal_parameter": "name",
        "variable_declarator": "name",
        "enhanced_for_statement": "name",
        "catch_formal_parameter": "name",
    },
    "python": {
        "function_definition": "name",
        "assignment": "left",
        "default_parameter": "name",
        "typed_default_parameter": "name",
        "for_statement": "left",
    },
}
_JAVA_WORDS = """abstract assert boolean break byte case catch char class const continue default do double else enum
extends final finally float for goto if implements import instanceof int interface long native new package private
protected public return short static strictfp super switch synchronized this throw throws transient try void volatile
while true false null var record yield"""
_RESERVED = {"java": frozenset(_JAVA_WORDS.split()), "python": frozenset(keyword.kwlist)}


def in_habits(code: str, language: str, kept: str = "") -> str:
    """Code whose own functions, parameters and variables are named as is usual in the language.

    Names in `kept` stay, as do those for which the usual name is taken, types, constants, and all of C++, where both
    are usual. What the code does not declare itself is somebody else's name.
    """
    if language not in _DECLARING:
        return code
    root = parse(code, language)
    used = {text_of(node) for node in nodes(root, "identifier")}
    declared = {text_of(node) for node in _declared(root, language)}
    held = set(re.findall(r"\w+", kept))
    renamed: dict[str, str] = {}
    for name in sorted(declared - held):
        usual = _snake(name) if language == "python" else _camel(name)
        if (
            usual != name
            and usual not in _RESERVED[language]
            and usual not in used
            and usual not in renamed.values()
        ):
            renamed[name] = usual
    content = bytearray(code.encode("utf-8", "replace"))
    places = [node for node in nodes(root, "identifier") if text_of(node) in renamed]
    for node in sorted(places, key=lambda node: node.start_byte, reverse=True):
        content[node.start_byte : node.end_byte] = renamed[text_of(node)].encode()
    return content.decode("utf-8", "replace")


def _declared(root: Node, language: str) -> Iterator[Node]:
    fields = _DECLARING[language]
    for node in nodes(root):
        if node.type in fields and not _may_override(node):
            for name in node.children_by_field_name(fields[node.type]):
                yield from _names(name)
        elif node.type in ("parameters", "lambda_parameters", "typed_parameter", "inferred_parameters"):
            yield from (child for child in node.named_children if child.type == "identifier")


def _may_override(node: Node) -> bool:
    """Whether it is a method of a Python class with a base, whose name may be the base's."""
    holder = node.parent.parent if node.type == "function_definition" and node.parent is not None else None
    return holder is not None and holder.child_by_field_name("superclasses") is not None


def _names(node: Node) -> Iterator[Node]:
    """The name itself, those of `a, b = …`, and the attribute of `self.a = …`."""
    if node.type == "identifier":
        yield node
    elif node.type in ("pattern_list", "tuple_pattern"):
        for child in node.named_children:
            yield from _names(child)
    elif node.type == "attribute" and text_of(node.child_by_field_name("object")) == "self":
        attribute = node.child_by_field_name("attribute")
        if attribute is not None:
            yield attribute


def _snake(name: str) -> str:
    """has_close_elements from hasCloseElements; constants and types stay."""
    if not re.fullmatch(r"_*[a-z]+[0-9]*(?:[A-Z][a-z0-9]*)+_*", name):
        return name
    return re.sub(r"(?<=[a-z0-9])([A-Z])|([A-Z])(?=[a-z])", r"_\1\2", name).lower().replace("__", "_")


def _camel(name: str) -> str:
    """hasCloseElements from has_close_elements; constants and names in one word stay."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+", name):
        return name
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
