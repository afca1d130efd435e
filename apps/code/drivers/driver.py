"""Calls functions of the program beside it, one for each line of stdin. Never imported: this is a program of its own.

The run's secret is read before anything of the program runs, and signs each result.
"""

import inspect
import json
import os
import sys
import types
from collections.abc import Callable
from typing import Any


def _channel() -> Callable[[str], None]:
    given, report = map(int, os.environ["DUET_CHANNEL"].split(":"))
    secret = b""
    while data := os.read(given, 64):
        secret += data
    os.close(given)

    def tell(text: str) -> None:
        line = secret + text.replace("\n", " ").encode(errors="replace") + b"\n"
        while line:
            line = line[os.write(report, line) :]

    return tell


def _answer(*entry_points: str) -> None:
    tell = _channel()
    path = os.path.join(os.path.dirname(__file__), "code.py")
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    main = types.ModuleType("__main__")
    main.__file__ = path
    sys.modules["__main__"] = main
    names = main.__dict__
    exec(code, names)

    def find(entry_point: str) -> Callable[[], Any]:
        if entry_point in names:
            return lambda: names[entry_point]
        for holder in reversed(list(names.values())):
            if inspect.isclass(holder) and inspect.isfunction(getattr(holder, entry_point, None)):
                return lambda: getattr(holder(), entry_point)
        raise NameError(f"name {entry_point!r} is not defined")

    def list_node(values: list[Any]) -> Any:
        head = None
        for value in reversed(values):
            node = names["ListNode"](value)
            node.next = head
            head = node
        return head

    def tree_node(values: list[Any]) -> Any:
        if not values:
            return None
        node_of = names["TreeNode"]
        root = node_of(values[0])
        waiting, rest = [root], iter(values[1:])
        for node in waiting:
            for side in ("left", "right"):
                value = next(rest, None)
                if value is not None:
                    setattr(node, side, node_of(value))
                    waiting.append(getattr(node, side))
        return root

    def argument(value: Any, annotation: Any) -> Any:
        kind = (
            annotation
            if isinstance(annotation, str)
            else getattr(annotation, "__name__", "") + str(annotation)
        )
        if "reeNode" in kind:
            return tree_node(value)
        if "ListNode" in kind:
            return list_node(value)
        return value

    def plain(value: Any) -> Any:
        if hasattr(value, "val") and hasattr(value, "next"):
            values = []
            while value is not None:
                values.append(value.val)
                value = value.next
                if len(values) > 100_000:
                    raise ValueError("the list has a cycle")
            return values
        if hasattr(value, "val") and hasattr(value, "left"):
            values, waiting = [], [value]
            for node in waiting:
                values.append(None if node is None else node.val)
                if node is not None:
                    waiting += [node.left, node.right]
            while values and values[-1] is None:
                values.pop()
            return values
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        if isinstance(value, (set, frozenset)):
            return sorted((plain(item) for item in value), key=repr)
        if isinstance(value, (list, tuple)) or hasattr(value, "__next__") or hasattr(value, "popleft"):
            return [plain(item) for item in value]
        return value

    callables = list(map(find, entry_points))
    for line in sys.stdin:
        try:
            number, values = json.loads(line)
            function = callables[number]()
            try:
                annotations = [p.annotation for p in inspect.signature(function).parameters.values()]
            except (TypeError, ValueError):
                annotations = []
            annotations += [""] * (len(values) - len(annotations))
            result = plain(function(*map(argument, values, annotations)))
            text = json.dumps(result, default=str)
        except Exception as error:  # noqa: BLE001 - whatever the program raises is its result
            text = f"!{type(error).__name__}: {error}"
        tell(text)
    tell("")
