"""What code itself compares with and cuts at: its texts and numbers, for inputs that tell its branches apart."""

from __future__ import annotations

from dataclasses import dataclass

from apps.code.examples import NoValueError, read_value
from apps.code.syntax import nodes, parse, text_of

_TEXTS = ("string", "string_literal", "char_literal", "character_literal")
_NUMBERS = (
    "integer",
    "float",
    "number_literal",
    "decimal_integer_literal",
    "decimal_floating_point_literal",
)
_MOST_CHARACTERS = 60
_LARGEST = 10**9


@dataclass(frozen=True)
class Literals:
    """`texts` in the order of the code, each once; so are `numbers`, whole ones or not."""

    texts: tuple[str, ...] = ()
    numbers: tuple[int | float, ...] = ()

    @property
    def characters(self) -> str:
        """All that the texts are made of, each once."""
        return "".join(dict.fromkeys("".join(self.texts)))


NONE = Literals()


def literals_of(code: str, language: str) -> Literals:
    """Texts of at most 60 characters, and numbers whose square is no overflow."""
    texts: dict[str, None] = {}
    numbers: dict[int | float, None] = {}
    found = [node for node in nodes(parse(code, language)) if node.type in _TEXTS + _NUMBERS]
    for node in sorted(found, key=lambda node: node.start_byte):
        try:
            value, _ = read_value(text_of(node).lstrip("rbfuRBFUL"), 0)
        except NoValueError:
            continue
        if isinstance(value, str) and value and len(value) <= _MOST_CHARACTERS:
            texts[value] = None
        elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST:
            numbers[value] = None
    return Literals(tuple(texts), tuple(numbers))
