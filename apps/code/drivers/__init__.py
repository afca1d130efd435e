"""Programs that call a function on many inputs: code + driver, JSON arguments in, JSON results out.

In all three languages the driver finds the types in the code itself, so nothing has to be declared: numbers,
strings, booleans, lists of lists, and LeetCode's ListNode (a list) and TreeNode (a list in level order).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.code.cpp_declarations import free_function
from apps.code.definitions import definitions, macros_of, names_defined
from apps.code.java_units import java_unit
from apps.code.runtimes import new_name
from apps.code.syntax import parse

_FOLDER = Path(__file__).parent
_EMPTY: tuple[Any, ...] = (None, [], {})
_NODES = {
    "ListNode": {
        "python": """class ListNode:
    def __init__(self, val=0, next=None):
        self.val = val
        self.next = next
""",
        "java": """class ListNode {
    int val;
    ListNode next;
    ListNode() {}
    ListNode(int val) { this.val = val; }
    ListNode(int val, ListNode next) { this.val = val; this.next = next; }
}
""",
        "cpp": """struct ListNode {
    int val;
    ListNode *next;
    ListNode() : val(0), next(nullptr) {}
    ListNode(int x) : val(x), next(nullptr) {}
    ListNode(int x, ListNode *next) : val(x), next(next) {}
};
""",
    },
    "TreeNode": {
        "python": """class TreeNode:
    def __init__(self, val=0, left=None, right=None):
        self.val = val
        self.left = left
        self.right = right
""",
        "java": """class TreeNode {
    int val;
    TreeNode left, right;
    TreeNode() {}
    TreeNode(int val) { this.val = val; }
    TreeNode(int val, TreeNode left, TreeNode right) { this.val = val; this.left = left; this.right = right; }
}
""",
        "cpp": """struct TreeNode {
    int val;
    TreeNode *left, *right;
    TreeNode() : val(0), left(nullptr), right(nullptr) {}
    TreeNode(int x) : val(x), left(nullptr), right(nullptr) {}
    TreeNode(int x, TreeNode *left, TreeNode *right) : val(x), left(left), right(right) {}
};
""",
    },
}
_JAVA_CALLS = "DuetCalls"


@dataclass(frozen=True)
class ProgramText:
    """What a toolchain builds: `entry` is what its own entry begins (`toolchain(…).build`)."""

    source: str
    entry: str


@dataclass(frozen=True)
class CallResult:
    """What one call returned, as JSON would have it, or the error it ended with; or what a program printed."""

    value: Any = None
    error: str | None = None
    printed: bool = False


def before(code: str, language: str) -> str:
    """What stands before code that is called through a driver: imports, and the nodes that it mentions and lacks."""
    match language:
        case "java":
            return "import java.util.*;\nimport java.util.function.*;\nimport java.util.stream.*;\n"
        case "cpp":
            # the driver comes first, so that no macro of the code reaches it
            driver = (_FOLDER / "driver.h").read_text(encoding="utf-8")
            return f"{driver}\n{_nodes(code, language)}using namespace std;\n"
        case _:
            return _nodes(code, language)


def unit(code: str, language: str, context: str = "") -> str:
    """Code with all that it needs to be compiled. `context` is code that stands before it."""
    body = definitions(code, language, keep_main=True)
    if language == "java":  # whose imports come first
        return f"{before(body, language)}{context}{body}\n{_nodes(context + body, language)}"
    return before(context + body, language) + context + body


def program(code: str, language: str, entry_points: Sequence[str], context: str = "") -> ProgramText:
    """The program that calls functions of `code`, one for each line of stdin (`calls_in`).

    `context` is code that stands before it.
    """
    source = unit(code, language, context)
    match language:
        case "java":
            names = ", ".join(f'"{name}"' for name in dict.fromkeys(java_unit(source).types))
            driver = (_FOLDER / "Driver.java").read_text(encoding="utf-8")
            called = ", ".join(f'"{name}"' for name in entry_points)
            calls = (
                f"class {_JAVA_CALLS} {{\n    static void duetCalls(java.util.function.Consumer<String> tell) "
                f"throws Exception {{ DuetDriver.run(tell, new String[] {{{called}}}, {names}); }}\n}}\n"
            )
            return ProgramText(f"{source}\n{driver}\n{calls}", _JAVA_CALLS)
        case "cpp":
            entry, body = new_name(), definitions(code, language)
            functions = ", ".join(_cpp_callable(body, name) for name in entry_points)
            calls = (
                f'extern "C" int {entry}(duet_driver::Tell tell) '
                f"{{ duet_driver::run(tell, {functions}); return 0; }}"
            )
            return ProgramText(f"{source}\n{undefine_macros(context + code)}{calls}\n", entry)
        case _:
            driver = (_FOLDER / "driver.py").read_text(encoding="utf-8")
            return ProgramText(source, f"{driver}\n\n_answer({', '.join(map(repr, entry_points))})\n")


def undefine_macros(code: str) -> str:
    """Lines that take back the macros of C++ code, so that they do not change what comes behind it."""
    return "".join(f"#undef {name}\n" for name in macros_of(code))


def calls_in(calls: Iterable[tuple[int, Sequence[Any]]]) -> str:
    """The program's stdin: a line for each call of one of its entry points, by number, with arguments."""
    return "".join(json.dumps([number, list(arguments)]) + "\n" for number, arguments in calls)


def arguments_in(calls: Iterable[Sequence[Any]]) -> str:
    """The stdin of a program with one entry point."""
    return calls_in((0, arguments) for arguments in calls)


def results_of(told: Iterable[str]) -> list[CallResult]:
    """The results in the order of the calls, from what a run told; fewer than calls when it ended early."""
    found = []
    for text in told:
        found.append(CallResult(error=text[1:]) if text.startswith("!") else CallResult(_value(text)))
    return found


def same(left: Any, right: Any) -> bool:
    """Whether two results agree: numbers to a relative 1e-6 when one is no integer, all else exactly."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if left in _EMPTY and right in _EMPTY:  # no list node at all is an empty list
        return True
    if isinstance(left, int) and isinstance(right, int):
        return left == right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return math.isclose(left, right, rel_tol=1e-6, abs_tol=1e-6)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and bool(left == right)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _nodes(code: str, language: str) -> str:
    defined = names_defined(code, language)
    return "".join(node[language] for name, node in _NODES.items() if name in code and name not in defined)


def _cpp_callable(code: str, entry_point: str) -> str:
    holder = _cpp_class_of(code, entry_point)
    return f"&{holder}::{entry_point}" if holder else _cpp_pointer(code, entry_point)


def _cpp_pointer(code: str, entry_point: str) -> str:
    """Its type is written out, for the standard library may have functions of that name, too (`is_sorted`)."""
    for function in map(free_function, parse(code, "cpp").children):
        if function is not None and function.name == entry_point and "=" not in function.parameters:
            returns = re.sub(r"\b(?:static|inline|constexpr)\b", "", function.returns).strip()
            return f"static_cast<{returns} (*){function.parameters}>(&::{entry_point})"
    return f"&{entry_point}"


def _cpp_class_of(code: str, entry_point: str) -> str | None:
    """The class that a C++ function is a member of, by the braces around its first mention."""
    place = re.search(rf"\b{re.escape(entry_point)}\s*\(", code)
    if place is None:
        return None
    for holder in re.finditer(r"\b(?:class|struct)\s+(\w+)[^;{}]*\{", code[: place.start()]):
        inside = code[holder.end() : place.start()]
        if inside.count("{") >= inside.count("}"):
            return holder[1]
    return None
