"""The tests' program: runs them, with a stand-in for each name of the candidate's that they use.

Nothing of the candidate runs in here, so its exit code is the tests' own: 0 when all of them passed,
ASSERTED when one did not, GONE when the candidate had ended before they did.
"""

import builtins
import json
import os
import sys
from typing import Any

from evaluation.apart.values import OpaqueValueError, pack, read_line, unpack, write_line

KNOWN = json.loads(os.environ["DUET_KNOWN"])
CLASSES = frozenset(KNOWN["classes"])
ASSERTED, GONE = 10, 11


class _GoneError(BaseException):
    """The candidate's program has ended, or said what is no answer."""

    seen = False  # also where tests catch everything

    def __init__(self, why: str) -> None:
        super().__init__(f"the candidate's program has ended, or answers nonsense ({why})")
        _GoneError.seen = True


class _Remote:
    """Something that the candidate keeps: a function, a class, an object."""

    def __init__(self, place: int | None) -> None:
        self._place = place

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _ask("get", self._place, name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return _ask("call", self._place, [list(arguments), named], arguments)

    def __getitem__(self, key: Any) -> Any:
        return _ask("item", self._place, key)

    def __len__(self) -> int:
        return int(_ask("length", self._place, None))

    def __iter__(self) -> Any:
        begun = _ask("begin", self._place, None)
        return begun if isinstance(begun, _Remote) else iter(begun)

    def __next__(self) -> Any:
        return _ask("next", self._place, None)

    def __bool__(self) -> bool:
        return True


def _ask(action: str, target: int | None, argument: Any, given: Any = ()) -> Any:
    write = _pipes[1]
    try:
        packed = pack(argument, CLASSES)
    except OpaqueValueError as error:
        raise TypeError(f"the tests pass a {type(error.value).__name__}, which cannot be sent") from None
    try:
        write_line(write, [action, target, packed])
        kind, *reply = read_line(_pipes[0], _rest)
        if kind == "kept":
            return _Remote(int(reply[0]))
        if kind == "data":
            result, changed = unpack(reply[0], _classes)
        else:
            kinds, text = [str(name) for name in reply[0]], str(reply[1])
    except Exception as error:  # noqa: BLE001 - the other side is the candidate: anything may come
        raise _GoneError(type(error).__name__) from None
    if kind == "data":
        for old, new in zip(given, changed, strict=False):
            _change(old, new)
        return result
    for name in kinds:
        raised = getattr(builtins, name, None)
        if isinstance(raised, type) and issubclass(raised, Exception):
            try:
                told = raised(text)
            except TypeError:  # UnicodeDecodeError and the like want more
                continue
            raise told
    raise RuntimeError(text)


def _change(old: Any, new: Any) -> None:
    """An argument that the candidate changed is changed here, too."""
    if type(old) is not type(new):
        return
    if isinstance(old, list):
        old[:] = new
    elif isinstance(old, (dict, set)):
        old.clear()
        old.update(new)


def _run() -> None:
    folder = os.path.dirname(__file__)
    for name in ("before", "after"):
        path = os.path.join(folder, f"{name}.py")
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        if name == "after":
            _names.update(
                {
                    used: _Late(used)
                    for used in KNOWN["used"]
                    if used == KNOWN["entry_point"] or used not in _names
                }
            )
            _classes.update({kind: _names[kind] for kind in CLASSES})
        exec(code, _names)


class _Late(_Remote):
    """One that is asked for by its name when it is used: tests may name what they define later."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name == "_place":
            found = _ask("get", None, self._name)
            if not isinstance(found, _Remote):
                raise TypeError(f"{self._name} is no function or class")
            self.__dict__["_place"] = found._place
            return found._place
        return super().__getattr__(name)


_pipes = tuple(map(int, os.environ["DUET_PEER"].split(":")))
_rest = bytearray()
_classes: dict[str, type] = {}
_names: dict[str, Any] = {"__name__": "__main__"}
try:
    _run()
except AssertionError:
    sys.excepthook(*sys.exc_info())
    sys.exit(ASSERTED)
except _GoneError as error:
    sys.stderr.write(f"{error}\n")
if _GoneError.seen:
    sys.exit(GONE)
