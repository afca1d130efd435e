"""Lines far below a cursor that use a name which nothing declares: what is written at the cursor may declare it."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator

from tree_sitter import Node

from apps.code.syntax import parse, text_of

_WORD = re.compile(r"[^\W\d]\w*")
_MAX_READ = 12_000  # characters of the suffix
_BUILT_IN = {"python": frozenset(dir(builtins))}
_OWN = ("self", "cls", "this")
_ACCESS = (".", "->", "::")
# Fields whose name is declared, where the node around it is no call
_DECLARING = ("name", "declarator", "left", "alias")
_CALL = "method_invocation"
# Nodes whose every name is declared
_DECLARATIONS = frozenset(
    {
        *("parameters", "lambda_parameters", "inferred_parameters", "type_parameter_declaration"),
        *("import_statement", "import_from_statement", "import_declaration", "as_pattern_target"),
    }
)
# Nodes that stand between a name and the node that declares it
_BETWEEN = frozenset(
    {
        *("dotted_name", "pattern_list", "tuple_pattern", "list_pattern", "typed_parameter"),
        *("function_declarator", "pointer_declarator", "reference_declarator", "array_declarator"),
    }
)


def undeclared_uses(prefix: str, suffix: str, shown: int, language: str) -> Iterator[str]:
    """The lines behind the first `shown` characters (whole lines) of a suffix that are the first to use such a name.

    A name is undeclared that stands nowhere before that line and is not declared where it stands first. Members of
    something else than the object itself are left out, for they are declared in other files.
    """
    suffix = suffix[: shown + _MAX_READ]
    known = set(_WORD.findall(prefix + suffix[:shown])) | _BUILT_IN.get(language, frozenset())
    # Without the cursor's line, which is not finished: it would be read together with what follows.
    before = prefix[: prefix.rfind("\n") + 1] + suffix[suffix.find("\n") : shown]
    text = before + suffix[shown:]
    begin = len(before.encode("utf-8", "replace"))
    lines, told = text.split("\n"), -1
    for node in _names(parse(text, language), begin):
        name = text_of(node)
        if name in known or name.startswith("__"):
            continue
        known.add(name)
        row = node.start_point.row
        if row > told and not _declared(node) and not _member(node):
            told = row
            yield lines[row] + "\n"


def _names(root: Node, begin: int) -> Iterator[Node]:
    """The identifiers from a byte on, in their order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.end_byte <= begin:
            continue
        if node.child_count:
            waiting += reversed(node.children)
        elif "identifier" in node.type and node.start_byte >= begin:
            yield node


def _declared(node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return False
    if parent.type in _DECLARATIONS:
        return True
    index = next(index for index, child in enumerate(parent.children) if child == node)
    if parent.type != _CALL and parent.field_name_for_child(index) in _DECLARING:
        return True
    return parent.type in _BETWEEN and _declared(parent)


def _member(node: Node) -> bool:
    mark = node.prev_sibling
    if mark is None or mark.type not in _ACCESS:
        return False
    return mark.prev_sibling is None or text_of(mark.prev_sibling) not in _OWN
