"""The candidate's program: runs its code, then does what the tests' program asks for, until that has no more to ask.

`CLASSES` are the names of the classes whose objects may be sent.
"""

import json
import os
import sys
import types
from typing import Any

from evaluation.apart.values import OpaqueValueError, pack, read_line, unpack, write_line

CLASSES = frozenset(json.loads(os.environ["DUET_KNOWN"])["classes"])


def _serve() -> None:
    asked, answer = map(int, os.environ["DUET_PEER"].split(":"))
    path = os.path.join(os.path.dirname(__file__), "code.py")
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    main = types.ModuleType("__main__")
    main.__file__ = path
    sys.modules["__main__"] = main
    names = main.__dict__
    exec(code, names)
    kept: list[Any] = []

    def get(target: int | None, argument: Any) -> Any:
        if target is not None:
            return getattr(kept[target], argument)
        if argument not in names:
            raise NameError(f"name {argument!r} is not defined")
        return names[argument]

    actions = {
        "get": get,
        "call": lambda target, argument: kept[target](*argument[0], **argument[1]),
        "item": lambda target, argument: kept[target][argument],
        "length": lambda target, _: len(kept[target]),
        "begin": lambda target, _: iter(kept[target]),
        "next": lambda target, _: next(kept[target]),
    }
    rest = bytearray()
    while True:
        try:
            action, target, packed = read_line(asked, rest)
        except EOFError:
            return
        try:
            argument = unpack(packed, names)
            result = actions[str(action)](target, argument)
            given = list(argument[0]) if action == "call" else []
            try:
                reply: list[Any] = ["data", pack([result, given], CLASSES)]
            except OpaqueValueError:
                try:
                    reply = ["data", pack([result, []], CLASSES)]
                except OpaqueValueError:
                    kept.append(result)
                    reply = ["kept", len(kept) - 1]
        except Exception as error:  # noqa: BLE001 - whatever the candidate raises is its answer
            kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
            text = str(error) if type(error).__name__ in kinds else f"{type(error).__name__}: {error}"
            reply = ["raised", kinds, text]
        write_line(answer, reply)


_serve()
