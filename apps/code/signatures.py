"""Functions in code and the types of their parameters, in one notation for all three languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from apps.code.java_units import modifiers_of
from apps.code.syntax import parse

_FUNCTIONS = {"python": "function_definition", "java": "method_declaration", "cpp": "function_definition"}
_SCALARS = {
    "int": "int Integer long Long longlong longlongint short size_t unsigned unsignedint int64_t int32_t",
    "float": "float Float double Double longdouble",
    "str": "str String string CharSequence",
    "char": "char Character",
    "bool": "bool boolean Boolean",
    "ListNode": "ListNode ListNode*",
    "TreeNode": "TreeNode TreeNode* reeNode",  # the last as LeetCodeDataset has it once
}
_KIND_OF = {name: kind for kind, names in _SCALARS.items() for name in names.split()}
_MOST_TYPE_CHARACTERS = 400
_LISTS = {"List", "list", "ArrayList", "LinkedList", "vector", "Sequence", "Iterable", "Collection"}


@dataclass(frozen=True)
class ValueType:
    """`kind` is int, long, float, str, char, bool, ListNode, TreeNode, or list of `element`."""

    kind: str
    element: ValueType | None = None


@dataclass(frozen=True)
class Signature:
    """A function; a type is None where it is not declared or has no counterpart.

    `of_instance`: it is called on an object, whose state it may depend on.
    """

    name: str
    parameters: tuple[tuple[str, ValueType | None], ...]
    returns: ValueType | None = None
    of_instance: bool = field(default=False, compare=False)


def signatures(code: str, language: str) -> list[Signature]:
    """All functions and methods, in the order of the text; nested ones left out."""
    return [signature_at(node, language) for node in function_nodes(code, language)]


def function_nodes(code: str, language: str) -> Iterator[Node]:
    """tree-sitter's nodes of the same functions."""
    return _functions(parse(code, language), _FUNCTIONS[language])


def signature_of(code: str, language: str, name: str | None = None) -> Signature | None:
    """The function of that name (in either of snake_case and camelCase), or else the last one but `main`."""
    found = [signature for signature in signatures(code, language) if signature.name != "main"]
    if name is not None:
        found = [signature for signature in found if plain_name(signature.name) == plain_name(name)]
    return found[-1] if found else None


def plain_name(name: str) -> str:
    """Equal for has_close_elements and hasCloseElements."""
    return name.replace("_", "").lower()


def type_from(text: str) -> ValueType | None:
    """From `List[int]`, `int[][]`, `const vector<vector<string>>&`, `Optional[TreeNode]`, …"""
    return _type_from(text) if len(text) <= _MOST_TYPE_CHARACTERS else None


def _type_from(text: str) -> ValueType | None:
    text = re.sub(r"\b(const|final|std::|typing\.)|\s|&", "", text.replace("std::", ""))
    if text.endswith("[]"):
        element = _type_from(text[:-2])
        return ValueType("list", element) if element else None
    generic = re.fullmatch(r"(\w+)[\[<](.*)[\]>]", text)
    if generic is None:
        return ValueType(_KIND_OF[text]) if text in _KIND_OF else None
    element = _type_from(generic[2])
    if generic[1] in ("Optional", "optional"):
        return element
    return ValueType("list", element) if element and generic[1] in _LISTS else None


def _functions(root: Node, kind: str) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node is not root and node.type == kind:
            yield node
        else:
            waiting += reversed(node.children)


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def signature_at(node: Node, language: str) -> Signature:
    """Of one of `function_nodes`."""
    match language:
        case "python":
            parameters = node.child_by_field_name("parameters")
            named = [_python_parameter(item) for item in parameters.named_children] if parameters else []
            returns = type_from(_text(node.child_by_field_name("return_type")))
            kept = tuple(item for item in named if item is not None and item[0] not in ("self", "cls"))
            of_instance = any(item is not None and item[0] == "self" for item in named)
            return Signature(_text(node.child_by_field_name("name")), kept, returns, of_instance)
        case "java":
            parameters = node.child_by_field_name("parameters")
            typed = tuple(
                (_text(item.child_by_field_name("name")), type_from(_text(item.child_by_field_name("type"))))
                for item in (parameters.named_children if parameters else [])
                if item.type == "formal_parameter"
            )
            returns = type_from(_text(node.child_by_field_name("type")))
            of_instance = "static" not in modifiers_of(node)
            return Signature(_text(node.child_by_field_name("name")), typed, returns, of_instance)
        case _:
            return _cpp_signature(node)


def _python_parameter(item: Node) -> tuple[str, ValueType | None] | None:
    match item.type:
        case "identifier":
            return _text(item), None
        case "typed_parameter":
            return _text(item.named_children[0]), type_from(_text(item.child_by_field_name("type")))
        case "default_parameter" | "typed_default_parameter":
            name = _text(item.child_by_field_name("name"))
            return name, type_from(_text(item.child_by_field_name("type")))
    return None


def _cpp_signature(node: Node) -> Signature:
    returns = _text(node.child_by_field_name("type"))
    declarator = node.child_by_field_name("declarator")
    while declarator is not None and declarator.type != "function_declarator":
        returns += "*" if declarator.type == "pointer_declarator" else ""
        declarator = declarator.child_by_field_name("declarator")
    parameters = declarator.child_by_field_name("parameters") if declarator else None
    typed = []
    for item in parameters.named_children if parameters else []:
        if item.type not in ("parameter_declaration", "optional_parameter_declaration"):
            continue
        name = _text(item.child_by_field_name("declarator"))
        pointer = "*" if "*" in name else ""
        typed.append((name.strip("*& "), type_from(_text(item.child_by_field_name("type")) + pointer)))
    name = _text(declarator.child_by_field_name("declarator")) if declarator else ""
    inside = node.parent is not None and node.parent.type == "field_declaration_list"
    static = any(
        child.type == "storage_class_specifier" and _text(child) == "static" for child in node.children
    )
    of_instance = (inside or "::" in name) and not static
    return Signature(name.rpartition("::")[2], tuple(typed), type_from(returns), of_instance)
