"""Examples that a task states: what to call, and what must come out.

Understood are `f(1, 2) == 3`, `>>> f(1, 2)` with the result on the next line, `f(1, 2) ➞ 3` and the like, and
LeetCode's `Input: a = 1, b = 2` with `Output: 3`. Values may be written as in Python, Java or C++.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apps.code.signatures import Signature, plain_name

MOST_CHARACTERS = 20_000
"""Of a task, in which examples are looked for."""
MOST_DEPTH = 50
"""Lists in lists that a value may have."""

# What any text may be matched with takes time that grows with its length and no faster: hence `++` and `*+`.
_ARROW = re.compile(
    r"\s*+(?:(?:#|//)\s*+)?(?:\.equals\(|={1,3}>|-{1,2}>|===?|➞|→|⟹|:|="
    r"|(?:(?:should|will|must)\s++)?(?:returns?|equals?|gives?)\b)\s*+(?:(?:==|->)\s*+)?",
)
_GIVEN = re.compile(r"\b(?:for|if|when|with|given)\s++(?=\w++\s*+=(?!=))", re.IGNORECASE)
_THEN = re.compile(
    r"(?:\s*+(?:,\s*+)?(?:then\s++)?(?:(?:the|your)\s++)?(?:(?:output|result|answer|function)\s++)?"
    r"(?:(?:should|would|must|will)\s*+)?(?:be|is|returns?)\s*+(?::\s*+)?"
    r"|[^\n]{0,60}?\bthe\s++(?:output|result|answer)\s++(?:should|would|must|will)\s++be\s*+(?::\s*+)?)"
)
_IN_OR_OUT = re.compile(r"^[ \t*]*+(Input|Output):?[ \t]*+", re.MULTILINE | re.IGNORECASE)
_NEXT_LINE = re.compile(r"[ \t]*+(?://[^\r\n]*+|#[^\r\n]*+|;)?\r?\n[ \t*/#]*+")
_WORKED_OUT = re.compile(r"(?:[ \t]*+[-+*/][ \t]*+[\d.]++)++[ \t]*+=[ \t]*+")
_LINE = re.compile(r"[^\n]*+")
_SPACES = re.compile(r"\s*+")
_SPACES_OR_COMMAS = re.compile(r"[\s,]*+")
_COLON = re.compile(r"\s*+:\s*+")
_NAMED = re.compile(r"\s*+(\w++)\s*+[=:]\s*+")
_SEPARATOR = re.compile(r"\s*+(?:(?:[,;]|and\b)\s*+)?")
_WORD = re.compile(r"[A-Za-z]\w*+")
_WORDS = {
    "True": True,
    "true": True,
    "False": False,
    "false": False,
    "None": None,
    "null": None,
    "nullptr": None,
}
_OPENERS = re.compile(
    r"(?:(?:java\.util\.)?(?:Arrays?\.asList|List\.of|Set\.of)\s*+\("
    r"|new\s++(?:ArrayList|LinkedList)\s*+<[^<>\n]{0,80}+>\s*+\("
    r"|new\s++\w++\s*+(?:\[\s*+\]\s*+)++\{"
    r"|(?:std::)?vector\s*+<[\w \t:<>]{0,80}>\s*+[{(]"
    r"|[\[{(])"
)
_CALLED = re.compile(r"\b(\w++)\(")
_OPTIONAL = re.compile(r"Optional(?:\.empty(?:\(\))?|\.of\(|\[)")
_CLOSERS = {"[": "]", "{": "}", "(": ")"}
_NUMBER = re.compile(
    r"[-+]?(?:\d[\d_]{0,400}(?:\.\d{1,400}|\.(?=[,)\]}fF]))?|\.\d{1,400})(?:[eE][-+]?\d{1,9})?[fFLl]?(?!\w|\.\w)"
)


class NoValueError(ValueError):
    """No value can be read; `at` is how far the text was read."""

    def __init__(self, why: str, at: int) -> None:
        super().__init__(why)
        self.at = at


@dataclass(frozen=True)
class Example:
    """`text` is what the user wrote, for showing. `number` is that of the function where there are several."""

    arguments: tuple[Any, ...]
    expected: Any
    text: str
    number: int = 0


@dataclass(frozen=True)
class _Call:
    """An example that calls a function by `name`."""

    name: str
    example: Example


def find_examples(task: str, function: Signature) -> list[Example]:
    """The examples for one function, in the order of the text, each once."""
    task = task[:MOST_CHARACTERS]
    calls = [call for call in _calls(task) if len(call.example.arguments) == len(function.parameters)]
    named = [call.example for call in calls if plain_name(call.name) == plain_name(function.name)]
    found = [*named, *_inputs_and_outputs(task, function), *_given_then(task, function)]
    return list({repr(example.arguments): example for example in found or _misnamed(calls)}.values())


def arguments_given(text: str, function: Signature) -> list[tuple[Any, ...]]:
    """What a function is called with in a text, as far as it is written out, each once; results need not be told."""
    found: dict[str, tuple[Any, ...]] = {}
    for mention in _CALLED.finditer(text[:MOST_CHARACTERS]):
        if plain_name(mention[1]) != plain_name(function.name):
            continue
        try:
            arguments, _ = _items(text, mention.end(), "call(", 0)
        except NoValueError:
            continue
        if isinstance(arguments, list) and len(arguments) == len(function.parameters):
            found[repr(arguments)] = tuple(arguments)
    return list(found.values())


def called_name(task: str) -> str | None:
    """What the examples of a task call, where that is one name throughout."""
    named: dict[str, str] = {}
    for call in _calls(task[:MOST_CHARACTERS]):
        named.setdefault(plain_name(call.name), call.name)
    return next(iter(named.values())) if len(named) == 1 else None


def _misnamed(calls: list[_Call]) -> list[Example]:
    """The examples of a task that calls its function by one other name throughout."""
    names = {call.name for call in calls}
    return [call.example for call in calls] if len(names) == 1 else []


def _calls(task: str) -> Iterator[_Call]:
    """Every call whose result is told, of whatever function."""
    at = 0
    while mention := _CALLED.search(task, at):
        try:
            arguments, at = _items(task, mention.end(), "call(", 0)
        except NoValueError as error:
            at = max(error.at, mention.end())  # what was read up to there holds no call
            continue
        line_start = task.rfind("\n", 0, mention.start()) + 1
        before = task[line_start : mention.start()]
        after = _ARROW.match(task, at)
        if after is None and ">>>" in before:
            after = _NEXT_LINE.match(task, at)
        if (
            after is None
            or not isinstance(arguments, list)
            or before.lstrip().startswith(("def ", "public "))
        ):
            continue
        try:
            expected, stop = _result(task, after.end())
        except NoValueError:
            continue
        text = " ".join(task[mention.start() : stop].split())
        yield _Call(mention[1], Example(tuple(arguments), expected, text))


def _inputs_and_outputs(task: str, function: Signature) -> list[Example]:
    found = []
    given: re.Match[str] | None = None
    for mark in _IN_OR_OUT.finditer(task):
        if mark[1].lower() == "input":
            given = mark
            continue
        if given is None:
            continue
        inputs, given = task[given.end() : mark.start()].strip(), None
        output = _line(task, _after(_SPACES, task, mark.end()))
        try:
            arguments, end = _assigned(inputs, 0, len(function.parameters), function)
            if inputs[end:].strip():
                continue
            expected, _ = _result(output, 0, alone=True)
        except NoValueError:
            continue
        found.append(Example(arguments, expected, f"{inputs} → {output}"))
    return found


def _given_then(task: str, function: Signature) -> list[Example]:
    """`For a = 1, b = 2 the output should be 3`."""
    found = []
    for mention in _GIVEN.finditer(task):
        try:
            arguments, end = _assigned(task, mention.end(), len(function.parameters), function)
            then = _THEN.match(task, end)
            if then is None:
                continue
            expected, stop = _result(task, then.end())
        except NoValueError:
            continue
        found.append(Example(arguments, expected, " ".join(task[mention.start() : stop].split())))
    return found


def _assigned(text: str, at: int, count: int, function: Signature) -> tuple[tuple[Any, ...], int]:
    """The arguments of `a = 1, b = [2]`, or of plain values, and where they end. Raises NoValueError."""
    values: dict[str, Any] = {}
    while len(values) < count:
        name = _NAMED.match(text, at)
        value, at = read_value(text, name.end() if name else at)
        values[name[1] if name else str(len(values))] = value
        at = _after(_SEPARATOR, text, at) if len(values) < count else at
    names = [name for name, _ in function.parameters]
    inorder = [values[name] for name in names] if set(names) == set(values) else [*values.values()]
    return tuple(inorder), at


def _result(text: str, at: int, alone: bool = False) -> tuple[Any, int]:
    """The value at a place; the whole line as a string where it is no value.

    Raises NoValueError when there is none, or when it is only a part of an expression. A value that must stand
    `alone` on its line may not be followed by words either: it is a string then that was not quoted.
    """
    while True:
        try:
            value, end = read_value(text, at)
        except NoValueError:
            line = _line(text, at)
            if not re.fullmatch(r"[\w-]+", line):
                raise
            return line, at + len(line)
        worked_out = _WORKED_OUT.match(text, end)  # 19 - 5 - 6 = 8
        if worked_out is None:
            break
        at = worked_out.end()
    rest = _line(text, end)
    if re.match(r"[-+*/%<>&|(\[{'\"]", rest) and not rest.startswith("//"):
        raise NoValueError("more than a value", end)
    if alone and re.match(r"\w", rest):
        raise NoValueError("more than a value", end)
    return value, end


def _line(text: str, at: int) -> str:
    """What is left of a line, without the spaces around it."""
    return text[at : _after(_LINE, text, at)].strip()


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where a pattern ends that may also match nothing."""
    found = pattern.match(text, at)
    return found.end() if found else at


def read_value(text: str, at: int, depth: int = 0) -> tuple[Any, int]:
    """A literal of Python, Java or C++, as JSON would have it, and where it ends. Raises NoValueError.

    At most MOST_DEPTH lists stand in one another.
    """
    at = _after(_SPACES, text, at)
    if at >= len(text) or depth > MOST_DEPTH:
        raise NoValueError("no value" if at >= len(text) else "too deep", at)
    if text[at] in "'\"":
        return _string(text, at)
    if wrapped := _OPTIONAL.match(text, at):
        return _optional(text, at, wrapped, depth + 1)
    if opener := _OPENERS.match(text, at):
        return _items(text, opener.end(), opener[0], depth + 1)
    if number := _NUMBER.match(text, at):
        digits = number[0].rstrip("fFLl").replace("_", "")
        return (int(digits) if re.fullmatch(r"[-+]?\d+", digits) else float(digits)), number.end()
    if (word := _WORD.match(text, at)) and word[0] in _WORDS:
        return _WORDS[word[0]], word.end()
    raise NoValueError(f"no value at {text[at : at + 20]!r}", at)


def _optional(text: str, at: int, wrapped: re.Match[str], depth: int) -> tuple[Any, int]:
    """Java's Optional: what is in it, or None."""
    if wrapped[0].startswith("Optional.empty"):
        return None, wrapped.end()
    closer = ")" if wrapped[0].endswith("(") else "]"
    try:
        value, end = read_value(text, wrapped.end(), depth)
        return value, end + 1
    except NoValueError:
        close = text.find(closer, wrapped.end())
        if close < 0:
            raise
        return text[wrapped.end() : close], close + 1  # as it is printed, without quotes


def _items(text: str, at: int, opener: str, depth: int) -> tuple[Any, int]:
    closer = _CLOSERS[opener[-1]]
    items: list[Any] = []
    pairs: dict[str, Any] = {}
    while True:
        at = _after(_SPACES_OR_COMMAS, text, at)
        if at >= len(text):
            raise NoValueError("open bracket", at)
        if text[at] == closer:
            break
        value, at = read_value(text, at, depth)
        colon = _COLON.match(text, at)
        if colon and closer == "}":
            pairs[str(value)], at = read_value(text, colon.end(), depth)
        else:
            items.append(value)
    if opener.startswith("new") and opener.endswith("(") and len(items) == 1 and isinstance(items[0], list):
        items = items[0]  # new ArrayList<>(Arrays.asList(…))
    if opener == "(" and len(items) == 1 and not isinstance(items[0], str) and text[at - 1] != ",":
        return items[0], at + 1  # parentheses around a value; around a string, tasks mean a tuple
    return (pairs or items), at + 1


def _string(text: str, at: int) -> tuple[str, int]:
    quote = text[at : at + 3] if text[at : at + 3] in ('"""', "'''") else text[at]
    match = re.compile(rf"{quote}((?:\\.|(?!{quote})[^\n\\])*+){quote}").match(text, at)
    if match is None:
        raise NoValueError("open string", at + len(quote))
    escapes = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
    return re.sub(r"\\(.)", lambda escape: escapes.get(escape[1], escape[1]), match[1]), match.end()
