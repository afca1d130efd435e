"""Code made ready to stand in a larger program."""

from __future__ import annotations

from collections.abc import Collection

from tree_sitter import Node

from apps.code.java_units import TYPES, name_of
from apps.code.syntax import nodes, parse, text_of


def definitions(code: str, language: str, *, keep_main: bool = False) -> str:
    """The code without its own entry point and demonstrations, which would get in the way of a caller's.

    Python loses top-level asserts, prints and `if __name__ …`; C++ its `main`; Java a class `Main` (unless
    `keep_main`), the package line, and the `public` of its types (only one public type fits into a file).
    """
    content = bytearray(code.encode("utf-8", "replace"))
    for node in reversed(parse(code, language).children):
        if _is_in_the_way(node, language, keep_main):
            del content[node.start_byte : node.end_byte]
        elif language == "java" and node.type in TYPES:
            for public in _public_words(node):
                del content[public.start_byte : public.end_byte]
    return content.decode("utf-8", "replace")


def without_demonstration(code: str, language: str) -> str:
    """The code without an entry point and demonstrations that a model added; Java's types keep all else."""
    if language != "java":
        return definitions(code, language)
    content = bytearray(code.encode("utf-8", "replace"))
    mains = [node for node in nodes(parse(code, language), "method_declaration") if name_of(node) == "main"]
    for node in sorted(mains, key=lambda node: node.start_byte, reverse=True):
        del content[node.start_byte : node.end_byte]
    return content.decode("utf-8", "replace")


def without(code: str, language: str, names: Collection[str]) -> str:
    """The code without the definitions, and Python's imports, of any of these names."""
    content = bytearray(code.encode("utf-8", "replace"))
    for node in reversed(parse(code, language).children):
        imported = {text_of(name) for name in node.children_by_field_name("name")}
        is_import = node.type == "import_from_statement" and bool(imported & set(names))
        if is_import or set(_defined_by(node)) & set(names):
            del content[node.start_byte : node.end_byte]
    return content.decode("utf-8", "replace")


def names_defined(code: str, language: str) -> set[str]:
    """The types, functions and macros that code defines outside of any other."""
    return {name for node in parse(code, language).children for name in _defined_by(node)}


def macros_of(code: str) -> list[str]:
    """The names of all macros that C++ code defines, also within conditions."""
    found, waiting = [], [parse(code, "cpp")]
    while waiting:
        node = waiting.pop()
        if node.type in ("preproc_def", "preproc_function_def"):
            found.append(name_of(node))
        waiting += node.children
    return found


def function_name(definition: Node) -> str:
    """The plain name of a C++ function."""
    declarator = definition.child_by_field_name("declarator")
    while declarator is not None and declarator.type not in ("identifier", "operator_name"):
        declarator = declarator.child_by_field_name("declarator")
    return (declarator.text or b"").decode("utf-8", "replace") if declarator is not None else ""


def _defined_by(node: Node) -> list[str]:
    match node.type:
        case "function_definition" if node.child_by_field_name("declarator") is not None:
            return [function_name(node)]
        case "declaration" | "template_declaration" | "decorated_definition" | "type_definition":
            return [name for child in node.children for name in _defined_by(child)]
        case "preproc_def" | "preproc_function_def" | "class_definition" | "function_definition":
            return [name_of(node)]
        case "struct_specifier" | "class_specifier" | "enum_specifier" | "union_specifier":
            return [name_of(node)] if node.child_by_field_name("body") is not None else []
        case kind if kind in TYPES:
            return [name_of(node)]
    return []


def _is_in_the_way(node: Node, language: str, keep_main: bool) -> bool:
    match language:
        case "python":
            text = node.text or b""
            return node.type == "assert_statement" or text.startswith((b"print(", b"if __name__"))
        case "cpp":
            return node.type == "function_definition" and function_name(node) == "main"
        case _:
            if node.type == "package_declaration":
                return True
            return node.type == "class_declaration" and name_of(node) == "Main" and not keep_main


def _public_words(declaration: Node) -> list[Node]:
    modifiers = next((node for node in declaration.children if node.type == "modifiers"), None)
    return [word for word in modifiers.children if word.type == "public"] if modifiers is not None else []
