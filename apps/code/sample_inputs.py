"""Made-up inputs for a function: of its parameters' types, and changed a little from a task's examples.

Changing what is known to be valid is EvalPlus's type-aware mutation (Liu et al. 2023, section 2.1): a Roman numeral
or a line of brackets is hardly ever drawn from a type alone. So are the texts and numbers that a program compares with,
which are taken out of the program where there is one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from apps.code.literals import NONE, Literals
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
_SENTENCE = ["the", "quick", "Brown", "fox", "is", "not", "3", "years", "old", "And", "I", "am", "a", "Dog"]
_SIZES = 16  # sizes of values, from 0
_SEPARATORS = " ,;-/.:_"


def made_up_inputs(function: Signature, examples: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Inputs to compare programs on, none of them an example; empty where nothing is known of their kinds."""
    drawn = sample_inputs(function) or inputs_like(examples)
    given = {repr(tuple(arguments)) for arguments in examples}
    found = {repr(values): values for values in [*changed_inputs(examples), *drawn]}
    return [values for text, values in found.items() if text not in given]


def sample_inputs(
    function: Signature, count: int = 16, seed: int = 0, literals: Literals = NONE
) -> list[tuple[Any, ...]]:
    """Small and odd values first; many of the program's own `literals`. Empty where a type is not known."""
    kinds = [kind for _, kind in function.parameters]
    if any(kind is None for kind in kinds):
        return []
    draw = random.Random(seed)
    inputs = [
        tuple(_value(kind, draw, size % _SIZES, literals) for kind in kinds if kind) for size in range(count)
    ]
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


def _value(kind: ValueType, draw: random.Random, size: int, literals: Literals) -> Any:
    """`size` 0, 1, … asks for larger values."""
    match kind.kind:
        case "int" | "long":
            return _integer(draw, size, literals)
        case "float":
            if literals.numbers and draw.random() < 0.3:
                return round(draw.choice(literals.numbers) + draw.choice((-0.5, 0, 0.5, 1)), 2)
            return round(draw.uniform(-size, size + 1), draw.choice((0, 1, 1, 2)))
        case "bool":
            return draw.random() < 0.5
        case "char":
            return draw.choice("abcxyzABC019 " + literals.characters)
        case "str":
            return _text(draw, size, literals)
        case "ListNode":
            return [draw.randint(0, 9) for _ in range(size % 7)]
        case "TreeNode":
            return [draw.randint(0, 9) for _ in range(size % 8)]
        case _:
            assert kind.element is not None
            return _list(kind.element, draw, min(size, 8), literals)


def _integer(draw: random.Random, size: int, literals: Literals) -> int:
    whole = [number for number in literals.numbers if isinstance(number, int)]
    if whole and draw.random() < 0.3:
        return draw.choice(whole) + draw.choice((-1, 0, 0, 1))
    if draw.random() < 0.2:
        return draw.choice(_EDGES)
    low = -size if size % 5 == 4 else 1  # mostly what functions on numbers are made for
    return draw.randint(low, 2 * size + 2 if draw.random() < 0.7 else 40 * size + 2)


def _list(element: ValueType, draw: random.Random, size: int, literals: Literals) -> list[Any]:
    """Of different values, or few that are repeated; in any order, rising, falling, or the same from both ends."""
    items = [_value(element, draw, min(size, 8), literals) for _ in range(size)]
    if items and draw.random() < 0.3:
        items = draw.choices(items[: 1 + size // 3], k=size)
    match draw.randrange(8):
        case 0:
            return sorted(items, key=repr) if element.kind == "list" else sorted(items)
        case 1:
            return sorted(items, key=repr, reverse=True) if element.kind == "list" else sorted(items)[::-1]
        case 2:
            return items[: size - size // 2] + items[: size // 2][::-1]
    return items


def _text(draw: random.Random, size: int, literals: Literals) -> str:
    """A word, a sentence, a date, something with or near a text of the program's, or letters at random."""
    own = [text for text in literals.texts if len(text) > 1]
    separators = [item for item in _SEPARATORS if item in literals.characters] or [" "]
    match draw.randrange(12):
        case 0 | 1:
            return draw.choice(_WORDS)
        case 2:
            return draw.choice(separators).join(draw.choices(_SENTENCE, k=1 + size // 2))
        case 3 | 4 | 5 if own:
            text = draw.choice(own)
            near = text if draw.random() < 0.4 else "".join(_rearranged(list(text), draw))
            around = draw.choice([*_SENTENCE, "".join(draw.choices(literals.characters, k=2))])
            return draw.choice((near, near + around, around + near, around + near + around))
        case 6 if own:
            return draw.choice(separators).join(draw.choices([*own, *_SENTENCE], k=1 + size // 4))
        case 7 if separators != [" "] and literals.numbers:
            parts = (
                draw.randint(0, 13),
                draw.randint(0, 32),
                draw.choice((7, 1999, 2024, draw.randint(0, 99))),
            )
            return draw.choice(separators).join(f"{part:02}" for part in parts)
    alphabet = "abcABC 12" + literals.characters * 2
    return "".join(draw.choices(alphabet, k=size))
