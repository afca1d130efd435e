"""Inputs that a problem very likely allows: its examples, changed, where all that holds for each of them still holds.

Likely invariants from a few samples: Ernst et al. 2001, Dynamically Discovering Likely Program Invariants to Support
Program Evolution. They are too strict rather than too wide: an input that the problem forbids proves nothing, since
right programs differ on it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

from apps.code.sample_inputs import changed_inputs

Arguments = tuple[Any, ...]
_BOUNDS = (0, 1, 2, 9, 26, 100)
_TRIES = 1500


def likely_inputs(examples: Sequence[Sequence[Any]], count: int, seed: int) -> list[Arguments]:
    """At most `count`, none of them an example; empty without examples."""
    given = [tuple(example) for example in examples]
    if not given or not given[0]:
        return []
    needed = frozenset[str].intersection(*(frozenset(facts(example)) for example in given))
    draw = random.Random(seed)
    known = {repr(example) for example in given}
    found: dict[str, Arguments] = {}
    for _ in range(_TRIES):
        if len(found) == count:
            break
        changed = draw.choice(given)
        for _ in range(draw.randint(1, 4)):
            changed = changed_inputs([changed], 1, draw.getrandbits(32))[0]
        changed = tuple(_another_number(value, draw) for value in changed)
        if repr(changed) not in known and needed <= frozenset(facts(changed)):
            found[repr(changed)] = changed
    return list(found.values())


def _another_number(value: Any, draw: random.Random) -> Any:
    """A number is sometimes changed by more than the little that others are."""
    if isinstance(value, int) and not isinstance(value, bool) and draw.random() < 0.3:
        return draw.randint(min(0, 2 * value), max(20, 2 * value))
    return value


def facts(arguments: Sequence[Any]) -> Iterator[str]:
    """What holds for these arguments, each alone and any two together, in words that can be compared."""
    for place, value in enumerate(arguments):
        yield from (f"{place} {fact}" for fact in _alone(value))
    for (one, left), (other, right) in itertools.permutations(enumerate(arguments), 2):
        yield from (f"{one},{other} {fact}" for fact in _together(left, right))


def _alone(value: Any) -> Iterator[str]:
    yield f"is {type(value).__name__}"
    match value:
        case bool() | None:
            return
        case int() | float():
            yield from _bounds(value)
        case str():
            yield from _of_text(value)
        case list():
            yield from _of_list(value)


def _bounds(number: float) -> Iterator[str]:
    yield from (f">= {bound}" for bound in _BOUNDS if number >= bound)
    yield from (f"<= {bound}" for bound in _BOUNDS if number <= bound)


def _of_text(text: str) -> Iterator[str]:
    if text:
        yield "not empty"
    kinds = {
        "lower": text.islower(),
        "upper": text.isupper(),
        "letters": text.isalpha(),
        "digits": text.isdigit(),
    }
    yield from (kind for kind, holds in kinds.items() if holds)
    if text == " ".join(text.split()):
        yield "single spaces"
    if not text.startswith("0"):
        yield "no leading zero"
    if len(set(text)) == len(text):
        yield "distinct"
    if _is_nested(text):
        yield "brackets match"
    yield f"length % 2 == {len(text) % 2}"
    # what stands between letters and digits is grammar: dates, addresses, expressions
    yield "marks " + "".join(
        sorted(letter for letter in text if not letter.isalnum() and letter not in " ()[]{}")
    )


def _is_nested(text: str) -> bool:
    opened: list[str] = []
    for letter in text:
        if letter in "([{":
            opened.append(letter)
        elif letter in ")]}" and (not opened or opened.pop() != "([{"[")]}".index(letter)]):
            return False
    return not opened


def _of_list(items: Sequence[Any]) -> Iterator[str]:
    if items:
        yield "not empty"
    texts = [repr(item) for item in items]
    if len(set(texts)) == len(texts):
        yield "distinct"
    counts = {texts.count(text) for text in texts}
    yield from (f"each {count} times" for count in counts if len(counts) == 1)
    yield f"length % 2 == {len(items) % 2}"
    if texts.count("None") == 0:
        yield from _of_order(items)
    else:
        yield "shape " + "".join("." if item is None else "x" for item in items)  # of a tree
    for number in (0, 1):
        if sorted(texts) == sorted(map(repr, range(number, number + len(items)))):
            yield f"all from {number}"
    common = [frozenset(_alone(item)) for item in items]
    yield from (f"item {fact}" for fact in (frozenset[str].intersection(*common) if common else ()))
    if items and all(isinstance(item, list | str) for item in items):
        steps = {len(right) - len(left) for left, right in itertools.pairwise(items)}
        yield from (f"lengths change by {step}" for step in steps if len(steps) == 1)
        yield f"the first is of length {len(items[0])}"
        if len(items) == len(items[0]):
            yield "square"
    numbers = [item for item in _flat(items) if isinstance(item, int)]
    if numbers and len(numbers) == len(list(_flat(items))):
        yield from (f"least {fact}" for fact in _bounds(min(numbers)))
        yield from (f"greatest {fact}" for fact in _bounds(max(numbers)))
        yield from (f"items < length + {more}" for more in (0, 1) if max(numbers) < len(items) + more)
    if items and items[0] != 0:
        yield "no leading zero"


def _of_order(items: Sequence[Any]) -> Iterator[str]:
    pairs = list(itertools.pairwise(items))
    try:
        if all(left <= right for left, right in pairs):
            yield "rising"
        if all(left >= right for left, right in pairs):
            yield "falling"
        if all(left != right for left, right in pairs):
            yield "neighbours differ"
    except TypeError:
        return


def _together(left: Any, right: Any) -> Iterator[str]:
    """Facts of an ordered pair of arguments."""
    sizes = [value if isinstance(value, int) else len(value) for value in (left, right) if _has_size(value)]
    if len(sizes) == 2:
        yield from (f"size {name}" for name, holds in _compared(*sizes) if holds)
    if isinstance(left, list | str) and isinstance(right, type(left[0]) if left else ()) and right in left:
        yield "contains"
    if isinstance(left, list) and isinstance(right, int) and not isinstance(right, bool):
        numbers = [item for item in _flat(left) if isinstance(item, int)]
        if numbers and len(numbers) == len(list(_flat(left))):
            yield from (f"items < size + {more}" for more in (0, 1) if max(numbers) < right + more)
    if (
        isinstance(left, list)
        and isinstance(right, list)
        and sorted(map(repr, left)) == sorted(map(repr, right))
    ):
        yield "same items"


def _has_size(value: Any) -> bool:
    return isinstance(value, int | list | str) and not isinstance(value, bool)


def _compared(one: int, other: int) -> Iterator[tuple[str, bool]]:
    yield "==", one == other
    yield "+ 1 ==", one + 1 == other
    yield "<", one < other
    yield "<=", one <= other
    yield "divides", one != 0 and other % one == 0


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value
