"""Which option of a product a message wants: a second, short reading, of one product's options.

```
Mechanical Keyboard now: b d g
switch type: a clicky, b linear, c tactile
backlight: d RGB, e white, f none
size: g full size, h 80%, i 60%
> same but clicky and without the lights
=a f
```
Values have letters. Several values of one option are alternatives, the first to be preferred. What the message
does not mention stays as it is, where there is a present option, or is open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase, ascii_uppercase

from apps.support.reading.verbatim import verbatim
from apps.support.reading.view import PROMPT_END, _one_line, message_line

LETTERS = ascii_lowercase + ascii_uppercase
KEYWORDS = ("cheapest", "dearest", "same", "any", "last")
"""any: what is not mentioned does not matter; same: the present one again; last: of those that were listed."""

_BOOLEAN = frozenset({"yes", "no", "none", "是", "否", "无", "無"})
"""Values that name nothing without their option."""
_SIZES = {
    "XXS": "extra extra small",
    "XS": "extra small",
    "S": "small",
    "M": "medium",
    "L": "large",
    "XL": "extra large",
    "XXL": "extra extra large",
    "XXXL": "",
}
"""Sizes by letter, in their order, and as they are said."""


@dataclass(frozen=True)
class Wanted:
    """What a message asks of a product's options. `values` maps an option to its values, preferred first."""

    values: Mapping[str, tuple[str, ...]]
    excluded: Mapping[str, tuple[str, ...]]
    pick: str | None = None  # "cheapest" or "dearest"
    same: bool = False
    any: bool = False
    place: int | None = None  # the n-th of those that were listed; -1: the last
    price: str | None = None  # as the message writes it

    @property
    def says_nothing(self) -> bool:
        """Whether the message describes no option at all."""
        named = self.values or self.excluded or self.pick or self.price
        return not (named or self.same or self.any or self.place)


@dataclass(frozen=True)
class OptionTable:
    """A product's options with their letters."""

    name: str
    options: Mapping[str, tuple[str, ...]]
    """option → values in their natural order; at most 52 values in all."""
    present: Mapping[str, str]
    """The options of the item that is to be exchanged; empty for a product in general."""

    @classmethod
    def of(
        cls, name: str, variants: Sequence[Mapping[str, object]], present: Mapping[str, object]
    ) -> OptionTable:
        """From the options of each variant."""
        options: dict[str, set[str]] = {}
        for variant in variants:
            for option, value in variant.items():
                options.setdefault(option, set()).add(str(value))
        kept: dict[str, tuple[str, ...]] = {}
        room = len(LETTERS)
        for option, values in options.items():
            if len(values) <= room:
                kept[option] = tuple(sorted(values, key=natural_order))
                room -= len(values)
        return cls(name, kept, {option: str(value) for option, value in present.items()})

    @property
    def letters(self) -> dict[str, tuple[str, str]]:
        """letter → (option, value)."""
        pairs = [(option, value) for option, values in self.options.items() for value in values]
        return dict(zip(LETTERS, pairs, strict=False))

    def open_letters(self, message: str) -> str:
        """The letters that a message may want.

        Where it names values of an option word for word, besides the present one, no other value of that option.
        """
        named = self._named(message.casefold())
        return "".join(
            letter
            for letter, (option, value) in self.letters.items()
            if not any(of == option for of, _ in named) or (option, value) in named
        )

    def _named(self, message: str) -> set[tuple[str, str]]:
        """(option, value), of options whose named values are not the present one alone."""
        found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for option, value in self.letters.values():
            if value.casefold() not in _BOOLEAN:
                names = (value, *filter(None, (_SIZES.get(value.upper()),)))
                spans = [match.span() for name in names for match in verbatim(name).finditer(message)]
                found |= {(option, value): spans} if spans else {}
        whole = {  # "Wi-Fi" in "Wi-Fi + Cellular" is not named
            (option, value)
            for (option, value), spans in found.items()
            if not all(
                any(begin <= start and stop <= end and (begin, end) != (start, stop) for begin, end in longer)
                for start, stop in spans
                for longer in [[span for (of, _), others in found.items() if of == option for span in others]]
            )
        }
        changing = {option for option, value in whole if self.present.get(option) != value}
        return {(option, value) for option, value in whole if option in changing}

    def completed(self, wanted: Wanted, message: str) -> Wanted:
        """With the values that the message names word for word, of options that the reader said nothing about."""
        if wanted.same or wanted.place is not None:
            return wanted
        values, named = dict(wanted.values), self._named(message.casefold())
        for option, value in self.letters.values():
            answered = option in wanted.values or option in wanted.excluded
            if (option, value) in named and not answered:
                values[option] = (*values.get(option, ()), value)
        return replace(wanted, values=values)

    def render(self, message: str) -> str:
        """The reader's prompt."""
        letters = self.letters
        now = " ".join(a for a, (option, value) in letters.items() if self.present.get(option) == value)
        lines = [f"{_one_line(self.name)} now: {now}" if self.present else f"{_one_line(self.name)} options"]
        for option in self.options:
            values = ", ".join(
                f"{a} {_one_line(value)}" for a, (of, value) in letters.items() if of == option
            )
            lines.append(f"{_one_line(option)}: {values}")
        lines.append(f"> {message_line(message)}{PROMPT_END}")
        return "\n".join(lines)

    def parse(self, text: str) -> Wanted:
        """What the reader wrote. Raises ValueError for anything else."""
        values: dict[str, list[str]] = {}
        excluded: dict[str, list[str]] = {}
        known: dict[str, object] = {}
        words, letters = text.split(), self.letters
        into = values
        position = 0
        while position < len(words):
            word = words[position]
            position += 1
            if word in ("cheapest", "dearest"):
                known["pick"] = word
            elif word in ("same", "any"):
                known[word] = True
            elif word == "last":
                known["place"] = -1
            elif word == "none":
                continue
            elif word in ("nth", "price") and position < len(words):
                known["place" if word == "nth" else word] = (
                    int(words[position]) if word == "nth" else words[position]
                )
                position += 1
            elif word == "not":
                into = excluded
            elif word in letters:
                option, value = letters[word]
                into.setdefault(option, []).append(value)
            else:
                raise ValueError(f"{text!r} is no choice: {word!r}")
        return Wanted(
            {option: tuple(names) for option, names in values.items()},
            {option: tuple(names) for option, names in excluded.items()},
            **known,  # type: ignore[arg-type]
        )


def natural_order(value: str) -> tuple[float, str]:
    """Figures by size, in the units that shops use; words by letter behind them."""
    match = re.match(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)", value)
    if match is None:
        sizes = list(_SIZES)
        return (float(sizes.index(value.upper())) if value.upper() in sizes else 1e12, value.casefold())
    scale = {"tb": 1000.0, "l": 1000.0, "liter": 1000.0, "liters": 1000.0, "kg": 1000.0, "m": 1000.0}
    return float(match[1]) * scale.get(match[2].lower(), 1.0), value.casefold()
