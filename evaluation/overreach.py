"""What a candidate may not define, since its tests would then mean something else.

Python's tests run in a process of their own; Java's and C++'s stand in one program with the candidate.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator

from tree_sitter import Node

from apps.code.definitions import definitions, function_name, names_defined
from apps.code.syntax import nodes, parse, text_of
from evaluation.problems import Problem

_REFLECTION = "java.lang.reflect"
_RESERVED = re.compile(r".*__|_[A-Z]")  # by the C++ standard, [lex.name]
_COMPARISON = re.compile(r"operator\s*(==|!=|<=>|<=|>=|<|>)")
_TYPES = ("struct_specifier", "class_specifier", "enum_specifier", "union_specifier")


def overreach(problem: Problem, code: str) -> str | None:
    """Why the tests would not be what they say, or None."""
    if problem.accepts is not None:  # the answers are compared outside
        return None
    given = set(re.findall(r"\w+", problem.start)) | names_defined(problem.reference or "", problem.language)
    defined = names_defined(definitions(code, problem.language), problem.language) - given
    if problem.language == "java":
        replaced = defined & set(re.findall(r"\b[A-Z]\w*", problem.after))
        other = _java(code)
    else:
        called = set(re.findall(r"\b(\w+)\s*\(", problem.after))
        replaced = defined & (called | names_defined(problem.after, "cpp"))
        other = next(_cpp(code), None)
    return f"it defines {', '.join(sorted(replaced))}, which the tests use" if replaced else other


def _java(code: str) -> str | None:
    if any(
        text_of(node.child_by_field_name("name")) == "equals"
        for node in nodes(parse(code, "java"), "method_declaration")
    ):
        return "it defines equals, by which the tests compare"
    if _REFLECTION in code:
        return f"it uses {_REFLECTION}, which reaches what the tests compare by"
    return None


def _cpp(code: str) -> Iterator[str]:
    root = parse(code, "cpp")
    own = {text_of(node.child_by_field_name("name")) for kind in _TYPES for node in nodes(root, kind)}
    for node in nodes(root):
        if node.type == "linkage_specification":
            yield 'its extern "C" may stand for a function of the library'
        elif node.type == "gnu_asm_expression":
            yield "its assembler may stand for a function of the library"
        elif node.type == "function_definition" and not _within(node, "field_declaration_list"):
            name, types, pointers = function_name(node), _types(node), _pointers(node)
            if _RESERVED.match(name):
                yield f"it defines {name}, a name that is the library's"
            elif (_COMPARISON.fullmatch(name) or _within_std(node)) and not types & own:
                yield f"it defines {name} for types of the library, by which the tests compare"
            elif pointers and hasattr(ctypes.CDLL(None), name):
                yield f"it defines {name}, which is a function of the library"


def _types(function: Node) -> set[str]:
    return {text_of(node) for node in nodes(_parameters(function), "type_identifier")}


def _pointers(function: Node) -> bool:
    kinds = ("pointer_declarator", "abstract_pointer_declarator")
    return any(True for kind in kinds for _ in nodes(_parameters(function), kind))


def _parameters(function: Node) -> Node:
    return next(nodes(function, "parameter_list"), function)


def _within(node: Node, kind: str) -> bool:
    above = node.parent
    while above is not None and above.type != kind:
        above = above.parent
    return above is not None


def _within_std(node: Node) -> bool:
    above = node.parent
    while above is not None:
        if above.type == "namespace_definition" and text_of(above.child_by_field_name("name")) == "std":
            return True
        above = above.parent
    return False
