"""Code made ready to stand in a larger program."""

from __future__ import annotations

import re

from tree_sitter import Node

from apps.code.syntax import parse


def definitions(code: str, language: str) -> str:
    """The code without its own entry point and demonstrations, which would get in the way of a caller's.

    Python loses top-level asserts, prints and `if __name__ …`; C++ its `main`; Java a class `Main`, the
    package line, and the `public` of its classes (only one public class fits into a file).
    """
    content = bytearray(code.encode("utf-8", "replace"))
    for node in reversed(parse(code, language).children):
        if _is_in_the_way(node, language):
            del content[node.start_byte : node.end_byte]
    text = content.decode("utf-8", "replace")
    if language == "java":
        kinds = r"((?:final\s+|abstract\s+)*(?:class|interface|record|enum)\b)"
        text = re.sub(rf"^public\s+{kinds}", r"\1", text, flags=re.MULTILINE)
        text = re.sub(r"^\s*package\s+[\w.]+;", "", text)
    return text


def _is_in_the_way(node: Node, language: str) -> bool:
    match language:
        case "python":
            text = node.text or b""
            return node.type == "assert_statement" or text.startswith((b"print(", b"if __name__"))
        case "cpp":
            return node.type == "function_definition" and _declares_main(node)
        case _:
            name = node.child_by_field_name("name")
            return node.type == "class_declaration" and name is not None and name.text == b"Main"


def _declares_main(function: Node) -> bool:
    declarator = function.child_by_field_name("declarator")
    while declarator is not None and declarator.type != "identifier":
        declarator = declarator.child_by_field_name("declarator")
    return declarator is not None and declarator.text == b"main"
