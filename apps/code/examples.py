"""Examples that a task states: what to call, and what must come out.

Understood are `f(1, 2) == 3`, `>>> f(1, 2)` with the result on the next line, `f(1, 2) ➞ 3` and the like, and
LeetCode's `Input: a = 1, b = 2` with `Output: 3`. Values may be written as in Python, Java or C++.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from apps.code.signatures import Signature, plain_name

_ARROW = re.compile(
    r"\s*(?:#|//)?\s*(?:\.equals\(|={1,3}>|-{1,2}>|===?|➞|→|⟹|:|=|(?:should\s+|will\s+|must\s+)?(?:returns?|equals?|gives?)\b)\s*(?:==|->)?\s*",
)
_GIVEN = re.compile(r"\b(?:for|if|when|with|given)\s+(?=\w+\s*=\s*[^=])", re.IGNORECASE)
_THEN = re.compile(
    r"(?:\s*,?\s*(?:then\s+)?(?:the\s+|your\s+)?(?:(?:output|result|answer|function)\s+)?"
    r"(?:should|would|must|will)?\s*(?:be|is|returns?)\s*:?\s*"
    r"|[^\n]{0,60}?\bthe\s+(?:output|result|answer)\s+(?:should|would|must|will)\s+be\s*:?\s*)"
)
_NEXT_LINE = re.compile(r"[ \t]*(?://.*|#.*|;)?\r?\n[ \t*/#]*")
_WORKED_OUT = re.compile(r"(?:[ \t]*[-+*/][ \t]*[\d.]+)+[ \t]*=[ \t]*")
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
    r"(?:(?:java\.util\.)?(?:Arrays?\.asList|List\.of|Set\.of)\s*\("
    r"|new\s+(?:ArrayList|LinkedList)\s*<[^>]*>\s*\("
    r"|new\s+\w+\s*(?:\[\s*\])+\s*\{"
    r"|(?:std::)?vector\s*<[\w\s:<>]*>\s*[{(]"
    r"|[\[{(])"
)
_CALLED = re.compile(r"\b(\w+)(?=\()")
_OPTIONAL = re.compile(r"Optional(?:\.empty(?:\(\))?|\.of\(|\[)")
_CLOSERS = {"[": "]", "{": "}", "(": ")"}
_NUMBER = re.compile(r"[-+]?(?:\d[\d_]*(?:\.\d+|\.(?=[,)\]}fF]))?|\.\d+)(?:[eE][-+]?\d+)?[fFLl]?(?!\w|\.\w)")


@dataclass(frozen=True)
class Example:
    """`text` is what the user wrote, for showing."""

    arguments: tuple[Any, ...]
    expected: Any
    text: str


def find_examples(task: str, function: Signature) -> list[Example]:
    """The examples for one function, in the order of the text, each once."""
    found = [
        *_calls(task, function, function.name),
        *_inputs_and_outputs(task, function),
        *_given_then(task, function),
    ]
    return list({repr(example.arguments): example for example in found or _misnamed(task, function)}.values())


def called_name(task: str) -> str | None:
    """What the examples of a task call, where that is one name throughout."""
    named: dict[str, str] = {}
    for mention in _CALLED.finditer(task):
        try:
            arguments, _ = _items(task, mention.end() + 1, "call(")
        except ValueError:
            continue
        function = Signature(mention[1], tuple((str(place), None) for place in range(len(arguments))))
        if _calls(task, function, function.name):
            named.setdefault(plain_name(function.name), function.name)
    return next(iter(named.values())) if len(named) == 1 else None


def _misnamed(task: str, function: Signature) -> list[Example]:
    """The examples of a task that calls its function by one other name throughout."""
    by_name = {name: _calls(task, function, name) for name in _CALLED.findall(task)}
    named = [found for found in by_name.values() if found]
    return named[0] if len(named) == 1 else []


def _calls(task: str, function: Signature, name: str) -> list[Example]:
    found = []
    for mention in _CALLED.finditer(task):
        if plain_name(mention[1]) != plain_name(name):
            continue
        try:
            arguments, end = _items(task, mention.end() + 1, "call(")
        except ValueError:
            continue
        if not isinstance(arguments, list) or len(arguments) != len(function.parameters):
            continue
        line_start = task.rfind("\n", 0, mention.start()) + 1
        after = _ARROW.match(task, end)
        if after is None and ">>>" in task[line_start : mention.start()]:
            after = _NEXT_LINE.match(task, end)
        if after is None or task[line_start : mention.start()].lstrip().startswith(("def ", "public ")):
            continue
        try:
            expected, stop = _result(task, after.end())
        except ValueError:
            continue
        text = " ".join(task[mention.start() : stop].split())
        found.append(Example(tuple(arguments), expected, text))
    return found


def _inputs_and_outputs(task: str, function: Signature) -> list[Example]:
    found = []
    pattern = re.compile(
        r"^[ \t*]*Input:?[ \t]*(.+?)\n\s*Output:?[ \t]*(.+?)(?=\n|$)",
        re.MULTILINE | re.IGNORECASE | re.DOTALL,
    )
    for match in pattern.finditer(task):
        try:
            arguments, end = _assigned(match[1], 0, len(function.parameters), function)
            if match[1][end:].strip():
                continue
            expected, _ = _result(match[2].strip(), 0, alone=True)
        except ValueError:
            continue
        found.append(Example(arguments, expected, f"{match[1].strip()} → {match[2].strip()}"))
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
        except ValueError:
            continue
        found.append(Example(arguments, expected, " ".join(task[mention.start() : stop].split())))
    return found


def _assigned(text: str, at: int, count: int, function: Signature) -> tuple[tuple[Any, ...], int]:
    """The arguments of `a = 1, b = [2]`, or of plain values, and where they end. Raises ValueError."""
    values: dict[str, Any] = {}
    while len(values) < count:
        name = re.compile(r"\s*(\w+)\s*[=:]\s*").match(text, at)
        value, at = read_value(text, name.end() if name else at)
        values[name[1] if name else str(len(values))] = value
        separator = re.compile(r"\s*(?:[,;]|and\b)?\s*").match(text, at) if len(values) < count else None
        at = separator.end() if separator else at
    names = [name for name, _ in function.parameters]
    inorder = [values[name] for name in names] if set(names) == set(values) else [*values.values()]
    return tuple(inorder), at


def _result(text: str, at: int, alone: bool = False) -> tuple[Any, int]:
    """The value at a place; the whole line as a string where it is no value.

    Raises ValueError when there is none, or when it is only a part of an expression. A value that must stand
    `alone` on its line may not be followed by words either: it is a string then that was not quoted.
    """
    try:
        value, end = read_value(text, at)
    except ValueError:
        line = text[at:].split("\n", 1)[0].strip()
        if not re.fullmatch(r"[\w-]+", line):
            raise
        return line, at + len(line)
    rest = text[end:].split("\n", 1)[0].strip()
    if worked_out := _WORKED_OUT.match(text, end):  # 19 - 5 - 6 = 8
        return _result(text, worked_out.end(), alone)
    if re.match(r"[-+*/%<>&|(\[{'\"]", rest) and not rest.startswith("//"):
        raise ValueError("more than a value")
    if alone and re.match(r"\w", rest):
        raise ValueError("more than a value")
    return value, end


def read_value(text: str, at: int) -> tuple[Any, int]:
    """A literal of Python, Java or C++, as JSON would have it, and where it ends. Raises ValueError."""
    while at < len(text) and text[at].isspace():
        at += 1
    if at >= len(text):
        raise ValueError("no value")
    if text[at] in "'\"":
        return _string(text, at)
    if wrapped := _OPTIONAL.match(text, at):
        return _optional(text, at, wrapped)
    if opener := _OPENERS.match(text, at):
        return _items(text, opener.end(), opener[0])
    if number := _NUMBER.match(text, at):
        digits = number[0].rstrip("fFLl").replace("_", "")
        return (int(digits) if re.fullmatch(r"[-+]?\d+", digits) else float(digits)), number.end()
    if (word := re.compile(r"[A-Za-z]\w*").match(text, at)) and word[0] in _WORDS:
        return _WORDS[word[0]], word.end()
    raise ValueError(f"no value at {text[at : at + 20]!r}")


def _optional(text: str, at: int, wrapped: re.Match[str]) -> tuple[Any, int]:
    """Java's Optional: what is in it, or None."""
    if wrapped[0].startswith("Optional.empty"):
        return None, wrapped.end()
    closer = ")" if wrapped[0].endswith("(") else "]"
    close = text.find(closer, wrapped.end())
    try:
        value, end = read_value(text, wrapped.end())
        return value, end + 1
    except ValueError:
        if close < 0:
            raise
        return text[wrapped.end() : close], close + 1  # as it is printed, without quotes


def _items(text: str, at: int, opener: str) -> tuple[Any, int]:
    closer = _CLOSERS[opener[-1]]
    items: list[Any] = []
    pairs: dict[str, Any] = {}
    while True:
        while at < len(text) and (text[at].isspace() or text[at] == ","):
            at += 1
        if at >= len(text):
            raise ValueError("open bracket")
        if text[at] == closer:
            break
        value, at = read_value(text, at)
        colon = re.compile(r"\s*:\s*").match(text, at)
        if colon and closer == "}":
            pairs[str(value)], at = read_value(text, colon.end())
        else:
            items.append(value)
    if opener.startswith("new") and opener.endswith("(") and len(items) == 1 and isinstance(items[0], list):
        items = items[0]  # new ArrayList<>(Arrays.asList(…))
    if opener == "(" and len(items) == 1 and not isinstance(items[0], str) and text[at - 1] != ",":
        return items[0], at + 1  # parentheses around a value; around a string, tasks mean a tuple
    return (pairs or items), at + 1


def _string(text: str, at: int) -> tuple[str, int]:
    quote = text[at : at + 3] if text[at : at + 3] in ('"""', "'''") else text[at]
    match = re.compile(rf"{quote}((?:\\.|(?!{quote})[^\n\\])*){quote}").match(text, at)
    if match is None:
        raise ValueError("open string")
    escapes = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
    return re.sub(r"\\(.)", lambda escape: escapes.get(escape[1], escape[1]), match[1]), match.end()
