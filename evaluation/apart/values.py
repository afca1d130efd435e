"""Plain values as a line of JSON, between the process of a candidate and that of its tests.

Numbers, texts, lists, dicts and the like, and objects of the classes that both know (list nodes): what arrives is
made anew from plain data, so that no code, and no `__eq__`, comes with it. Part of both programs, as text.
"""

import json
import os
import sys
from typing import Any

sys.set_int_max_str_digits(0)
_MAKERS: dict[str, Any] = {"list": list, "tuple": tuple, "dict": dict, "set": set, "frozenset": frozenset}
_SCALARS: dict[type, Any] = {int: int.__int__, str: str.__str__, float: float.__float__}


class OpaqueValueError(Exception):
    """A value that is no plain data; `value` is it."""

    def __init__(self, value: Any) -> None:
        super().__init__(f"no plain data: {type(value).__name__}")
        self.value = value


def pack(value: Any, classes: frozenset[str]) -> list[Any]:
    """Containers and objects by their place in a table: depth and circles do not matter. Raises OpaqueValueError."""
    table: list[Any] = []
    places: dict[int, int] = {}
    waiting: list[Any] = []

    def reference(item: Any) -> Any:
        if item is None or item is True or item is False:
            return item
        for kind, plain in _SCALARS.items():  # of a class of its own, too
            if isinstance(item, kind):
                return plain(item)
        if isinstance(item, complex):
            return ["complex", item.real, item.imag]
        if isinstance(item, (bytes, bytearray)):
            return ["bytes", bytes(item).hex()]
        if not isinstance(item, tuple(_MAKERS.values())) and type(item).__name__ not in classes:
            raise OpaqueValueError(item)
        if id(item) not in places:
            places[id(item)] = len(places)
            waiting.append(item)
        return ["at", places[id(item)]]

    whole = reference(value)
    for item in waiting:  # grows meanwhile
        kind = next((name for name, maker in _MAKERS.items() if isinstance(item, maker)), None)
        if kind == "dict":
            table.append([kind, [[reference(key), reference(part)] for key, part in dict.items(item)]])
        elif kind is not None:
            table.append([kind, [reference(part) for part in item]])
        else:
            named = getattr(item, "__dict__", {})
            table.append(
                ["object", type(item).__name__, [[name, reference(part)] for name, part in named.items()]]
            )
    return [whole, table]


def unpack(packed: list[Any], classes: dict[str, type]) -> Any:
    """What `pack` made. Raises ValueError, KeyError, TypeError or RecursionError for what it did not make."""
    whole, table = packed
    made: dict[int, Any] = {}
    unfilled: list[int] = []

    def value(reference: Any) -> Any:
        if not isinstance(reference, list):
            return reference
        if reference[0] == "complex":
            return complex(reference[1], reference[2])
        if reference[0] == "bytes":
            return bytes.fromhex(reference[1])
        if reference[1] not in made:
            make(reference[1])
        return made[reference[1]]

    def make(place: int) -> None:
        kind, *rest = table[place]
        if kind in ("tuple", "set", "frozenset"):  # what they hold must be there first
            made[place] = _MAKERS[kind]([value(part) for part in rest[0]])
        elif kind == "object":
            made[place] = object.__new__(classes[rest[0]])
            unfilled.append(place)
        else:
            made[place] = _MAKERS[kind]()
            unfilled.append(place)

    result = value(whole)
    for place in unfilled:  # grows meanwhile
        kind, *rest = table[place]
        if kind == "list":
            made[place].extend([value(part) for part in rest[0]])
        elif kind == "dict":
            made[place].update([(value(key), value(part)) for key, part in rest[0]])
        else:
            for name, part in rest[1]:
                object.__setattr__(made[place], name, value(part))
    return result


def read_line(descriptor: int, rest: bytearray) -> Any:
    """The next line from a pipe, as JSON. Raises EOFError at its end."""
    while (end := rest.find(b"\n")) < 0:
        data = os.read(descriptor, 1 << 20)
        if not data:
            raise EOFError
        rest += data
    line = bytes(rest[:end])
    del rest[: end + 1]
    return json.loads(line)


def write_line(descriptor: int, message: Any) -> None:
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(descriptor, data) :]
