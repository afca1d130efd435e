"""A reader of typed commands ("cancel P") that also knows what the page's own buttons say."""

from __future__ import annotations

import re

from apps.support.reading.choices import OptionTable, Wanted
from apps.support.reading.commands import Command, parse
from apps.support.reading.reader import Reading
from apps.support.reading.view import View
from tests.support.typed_reader import TypedReader

_BUTTONS = {
    "Yes": "yes", "No": "no", "是": "yes", "否": "no",
    "Where is my order?": "status", "How long does delivery take?": "ask delivery_period", "hello": "greet",
}  # fmt: skip
_NAMED = re.compile(r"#([P-W])")


class ClickReader(TypedReader):
    """Typed commands, and in place of the details that a typed command has the values that were clicked."""

    def read(self, view: View, message: str) -> Reading:
        return Reading(tuple(self._commands(view, message)), 0.97, (("status", 0.02),))

    def _commands(self, view: View, message: str) -> list[Command]:
        try:
            return parse(_BUTTONS.get(message, _NAMED.sub(r"\1", message)))
        except ValueError:
            return parse(self._answer(view, message))

    def _answer(self, view: View, message: str) -> str:
        """What the message, a label that was offered, answers to the open question."""
        verb = view.asked.split(" ")[0]
        order = _NAMED.search(message)
        if "@" in message:
            return "identify"
        if order and verb:
            return f"{verb} {order[1]}"
        if view.asked.endswith("?option"):
            return view.asked.removesuffix(" ?option")
        if verb == "with":
            return next(
                (f"with {n}" for n, name in enumerate(view.methods, 1) if name.split()[-1] in message),
                "unclear",
            )
        items = [item for order in view.orders for item in order.items if message.startswith(item.name)]
        return f"{verb} {items[0].handle}" if items and verb else "unclear"

    def choose(self, table: OptionTable, message: str) -> Wanted:
        said = [value.strip() for value in message.split(",")]
        values = {o: (v,) for o, known in table.options.items() for v in known if v in said}
        return Wanted(values, {})
