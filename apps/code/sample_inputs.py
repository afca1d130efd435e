"""Inputs for a function, made from the types of its parameters."""

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
