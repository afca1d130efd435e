"""Made-up inputs for a function: of its parameters' types, and changed a little from a task's examples.

Changing what is known to be valid is EvalPlus's type-aware mutation (Liu et al. 2023, section 2.1): a Roman numeral
or a line of brackets is hardly ever drawn from a type alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from apps.code.signatures import Signature, ValueType

_WORDS = (
    "",
    "a",
    "abc",
    "hello",
    "Hello World",
    "aabb",
    "racecar",
    "12",
    "a1b2",
    "x y z",
    "(())",
    "3,1,2",
    "ZzZ",
)
_EDGES = (0, 1, 2, 3, 10)


def made_up_inputs(function: Signature, examples: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Inputs to compare programs on, none of them an example; empty where nothing is known of their kinds."""
    drawn = sample_inputs(function) or inputs_like(examples)
    given = {repr(tuple(arguments)) for arguments in examples}
    found = {repr(values): values for values in [*changed_inputs(examples), *drawn]}
    return [values for text, values in found.items() if text not in given]


def sample_inputs(function: Signature, count: int = 16, seed: int = 0) -> list[tuple[Any, ...]]:
    """Small and odd values first. Empty where a type is not known."""
    kinds = [kind for _, kind in function.parameters]
    if any(kind is None for kind in kinds):
        return []
    draw = random.Random(seed)
    inputs = [tuple(_value(kind, draw, size) for kind in kinds if kind) for size in range(count)]
    return list({repr(values): values for values in inputs}.values())


def inputs_like(examples: Sequence[Sequence[Any]], count: int = 16) -> list[tuple[Any, ...]]:
    """Inputs of the kinds that the first example has, for functions that declare no types."""
    if not examples:
        return []
    kinds = tuple((str(index), kind_of(value)) for index, value in enumerate(examples[0]))
    return sample_inputs(Signature("", kinds), count)


def changed_inputs(
    examples: Sequence[Sequence[Any]], count: int = 12, seed: int = 0
) -> list[tuple[Any, ...]]:
    """Examples with one argument changed a little: one more, an item left out, two letters swapped."""
    draw = random.Random(seed)
    changed = []
    for index in range(count if examples and examples[0] else 0):
        arguments = list(examples[index % len(examples)])
        place = draw.randrange(len(arguments))
        arguments[place] = _changed(arguments[place], draw)
        changed.append(tuple(arguments))
    return changed


def kind_of(value: Any) -> ValueType | None:
    """None where nothing can be told from the value, or items differ in kind."""
    match value:
        case bool():
            return ValueType("bool")
        case int():
            return ValueType("int")
        case float():
            return ValueType("float")
        case str():
            return ValueType("str")
        case [first, *rest]:
            kind = kind_of(first)
            return ValueType("list", kind) if kind and all(kind_of(item) == kind for item in rest) else None
    return None


def _changed(value: Any, draw: random.Random) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + draw.choice((-1, 1))
        case str():
            return "".join(_rearranged(list(value), draw))
        case list() if value and draw.random() < 0.5:
            place = draw.randrange(len(value))
            return [*value[:place], _changed(value[place], draw), *value[place + 1 :]]
        case list():
            return _rearranged(value, draw)
    return value


def _rearranged(items: list[Any], draw: random.Random) -> list[Any]:
    """One item less, one twice, or two swapped."""
    if not items:
        return items
    one, another = draw.randrange(len(items)), draw.randrange(len(items))
    match draw.choice(("less", "twice", "swapped")):
        case "less":
            return [*items[:one], *items[one + 1 :]]
        case "twice":
            return [*items[:one], items[one], *items[one:]]
    swapped = list(items)
    swapped[one], swapped[another] = items[another], items[one]
    return swapped


def _value(kind: ValueType, draw: random.Random, size: int) -> Any:
    """`size` 0, 1, … asks for larger values."""
    match kind.kind:
        case "int" | "long":
            low = -size if size % 5 == 4 else 1  # mostly what functions on numbers are made for
            return draw.choice(_EDGES) if draw.random() < 0.2 else draw.randint(low, 2 * size + 2)
        case "float":
            return round(draw.uniform(-size, size + 1), 1)
        case "bool":
            return draw.random() < 0.5
        case "char":
            return draw.choice("abcxyzABC019 ")
        case "str":
            return draw.choice(_WORDS) if draw.random() < 0.5 else "".join(draw.choices("abcABC 12", k=size))
        case "ListNode":
            return [draw.randint(0, 9) for _ in range(size % 7)]
        case "TreeNode":
            return [draw.randint(0, 9) for _ in range(size % 8)]
        case _:
            assert kind.element is not None
            return [_value(kind.element, draw, min(size, 8)) for _ in range(min(size, 8))]
