"""Import lines for what Java code uses of the JDK, and classes for exceptions that it throws and nobody defines."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tree_sitter import Node

from apps.code.java_units import TYPES, modifiers_of, name_of
from apps.code.syntax import nodes, parse, text_of

_PACKAGES = Path(__file__).with_name("java_packages.toml")
_HOLDERS = ("Program", *(f"Program{number}" for number in range(2, 100)))
_HEADS = ("import_declaration", "package_declaration")
# Nodes with an identifier that is a type's, and the field that it is in
_NAMED_IN = {
    "method_invocation": "object",
    "field_access": "object",
    "method_reference": "",
    "marker_annotation": "name",
    "annotation": "name",
}
_CONSTRUCTORS = (
    "{name}() {{\n    }}",
    "{name}(String message) {{\n        super(message);\n    }}",
    "{name}(String message, Throwable cause) {{\n        super(message, cause);\n    }}",
)


def with_declarations(code: str) -> str:
    """Java code with the class, the imports and the exception classes that it lacks; the rest stays as it is."""
    return with_imports(_with_exceptions(_in_class(code)))


def with_imports(code: str) -> str:
    """Java code with an import for each of the JDK's types that it names, behind those it has.

    Names that the code declares or imports itself are its own, also those of packages that it imports whole.
    """
    root = parse(code, "java")
    imported = [_imported(node) for node in root.children if node.type == "import_declaration"]
    whole = {name.removesuffix(".*") for name in imported if name.endswith(".*")}
    own = {name.rpartition(".")[2] for name in imported} | _declared(root)
    homes = {name: _package_of(name) for name in _named_types(root) - own}
    missing = sorted(
        f"import {package}.{name};\n"
        for name, package in homes.items()
        if package is not None and package != "java.lang" and package not in whole
    )
    return _inserted(code, root, "".join(missing)) if missing else code


def _in_class(code: str) -> str:
    """Methods that stand in no class are put into one, static, as no JDK before 25 takes them otherwise.

    What has a `main` there is meant for a newer one.
    """
    root = parse(code, "java")
    methods = [node for node in root.children if node.type == "method_declaration"]
    if not methods or root.has_error or '"""' in code or any(name_of(node) == "main" for node in methods):
        return code
    content = bytearray(code.encode("utf-8", "replace"))
    for node in reversed(methods):
        if "static" not in modifiers_of(node):
            modifiers = [child for child in node.children if child.type == "modifiers"]
            place = modifiers[0].end_byte if modifiers else node.start_byte
            content[place:place] = b" static" if modifiers else b"static "
    text = content.decode("utf-8", "replace")
    heads = [node for node in parse(text, "java").children if node.type in _HEADS]
    place = heads[-1].end_byte if heads else 0
    head, body = text.encode()[:place].decode(), text.encode()[place:].decode().strip("\n")
    inside = "\n".join(f"    {line}".rstrip() for line in body.split("\n"))
    return f"{head}{chr(10) * 2 if head else ''}public class {_holder(text)} {{\n{inside}\n}}\n"


def _holder(code: str) -> str:
    """A class name that the code has no other use for."""
    used = {text_of(node) for node in nodes(parse(code, "java")) if node.type.endswith("identifier")}
    return next(name for name in _HOLDERS if name not in used)


def _inserted(code: str, root: Node, lines: str) -> str:
    """Behind the imports, or else the package line, or else at the beginning."""
    heads = [node for node in root.children if node.type in _HEADS]
    rows = code.splitlines(keepends=True)
    place = heads[-1].end_point.row + 1 if heads else 0
    before, after = "".join(rows[:place]), "".join(rows[place:])
    if before and not before.endswith("\n"):
        before += "\n"
    if heads and heads[-1].type == "package_declaration":
        before += "\n"
    if not (heads and heads[-1].type == "import_declaration") and not after.startswith("\n"):
        lines += "\n"
    return before + lines + after


def _with_exceptions(code: str) -> str:
    root = parse(code, "java")
    thrown = {
        text_of(made.child_by_field_name("type"))
        for statement in nodes(root, "throw_statement")
        for made in nodes(statement, "object_creation_expression")
    }
    imported = {
        _imported(node).rpartition(".")[2] for node in root.children if node.type == "import_declaration"
    }
    unknown = sorted(
        name for name in thrown - _declared(root) - imported if name.isidentifier() and not _package_of(name)
    )
    return code + "".join(f"\n{_exception(name, root)}" for name in unknown)


def _exception(name: str, root: Node) -> str:
    """Unchecked, so that what throws it need not say so; with the constructors that are called."""
    counts = {
        len(arguments.named_children)
        for made in nodes(root, "object_creation_expression")
        if text_of(made.child_by_field_name("type")) == name
        and (arguments := made.child_by_field_name("arguments")) is not None
    }
    built = [_CONSTRUCTORS[count].format(name=name) for count in sorted(counts) if count < len(_CONSTRUCTORS)]
    body = "\n\n".join(f"    {constructor}" for constructor in built)
    return f"class {name} extends RuntimeException {{\n{body}\n}}\n"


def _imported(node: Node) -> str:
    words = text_of(node).removeprefix("import").strip().rstrip(";").split()
    return "".join(word for word in words if word != "static")


def _declared(root: Node) -> set[str]:
    return {name_of(node) for kind in TYPES for node in nodes(root, kind)} | {
        text_of(node.named_children[0]) for node in nodes(root, "type_parameter") if node.named_children
    }


def _named_types(root: Node) -> set[str]:
    return {text_of(node) for node in _type_names(root)}


def _type_names(root: Node) -> Iterator[Node]:
    """Where a type is named: in declarations, or in front of a dot or a double colon (`Math.max`, `Integer::sum`)."""
    for node in nodes(root):
        parent = node.parent
        if node.type == "type_identifier":
            if parent is None or parent.type != "scoped_type_identifier" or parent.children[0] == node:
                yield node
        elif node.type == "identifier" and parent is not None:
            field = _NAMED_IN.get(parent.type)
            if field is not None and (parent.child_by_field_name(field) or parent.children[0]) == node:
                yield node


@cache
def _homes() -> dict[str, str]:
    homes: dict[str, str] = {}
    for package, names in tomllib.loads(_PACKAGES.read_text(encoding="utf-8")).items():
        for name in names.split():
            homes.setdefault(name, package)
    return homes


def _package_of(name: str) -> str | None:
    return _homes().get(name)
