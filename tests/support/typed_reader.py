"""A reader for messages that are written in the reader's own language.

```
cancel P; with 2
where is it? W1234567 = status
swap a | c f
swap a b | Mechanical Keyboard: a f / Smart Thermostat: b
readdress P to given | 445 Maple Drive | - | Fort Worth | Texas | 76165 | USA
```
What stands before " = " are the customer's words, which are not read; behind "|" are the option's letters or
the parts of an address. Numbers and e-mails are looked up before, as always: "cancel 1002" is read as
"cancel #P". What the constraint would not let the model write is unclear.
"""

from __future__ import annotations

import re

from apps.support.reading import postal
from apps.support.reading.choices import OptionTable, Wanted
from apps.support.reading.commands import Command, parse
from apps.support.reading.grammar import commands_grammar
from apps.support.reading.reader import Reading
from apps.support.reading.view import View
from apps.support.shop.models import Address
from core_model.guidance import matches


class TypedReader:
    """The pipeline's MessageReader without a model. `seen` are the prompts that a model would have got.

    `readings` are commands for messages in which they cannot stand, because their words are looked at.
    """

    adapter = "typed"

    def __init__(self, confidence: float = 1.0) -> None:
        self.confidence = confidence
        self.seen: list[str] = []
        self.readings: dict[str, str] = {}

    def read(self, view: View, message: str) -> Reading:
        self.seen.append(view.render(message))
        written = re.sub(r"#(?=[A-Z?](?!\w)|\W|$)", "", self.readings.get(message) or _commands(message))
        written = " ".join(written.split())
        if not matches(commands_grammar(view, message), written):
            return Reading((Command("unclear"),), self.confidence)
        return Reading(tuple(parse(written)), self.confidence)

    def choose(self, table: OptionTable, message: str) -> Wanted:
        self.seen.append(table.render(message))
        for part in _details(message).split("/"):
            name, colon, letters = part.rpartition(":")
            if not colon or name.strip() == table.name:
                return table.parse(letters)
        return table.parse("none")

    def address(self, message: str) -> Address:
        details = _details(message)
        return postal.parse(details) if details else Address()


def _commands(message: str) -> str:
    return message.split(" = ")[-1].partition("|")[0].strip()


def _details(message: str) -> str:
    return message.split(" = ")[-1].partition("|")[2].strip()
