"""Wishes whose item is told by the order that it is in: by another item of it, where it goes, or its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evaluation.reader_data.drawing import ITEM_VERBS, Drawing, Filled, UnfitError
from evaluation.reader_data.scenes import Item, Order
from evaluation.reader_data.wordings import Wording

LOCATED = "located"
DESCRIBED = "described"
"""The kinds of the phrases; they are no messages of their own."""
_STATES = {
    "pending": {"pending", "processed"},
    "shipped": {"shipped"},
    "delivered": {"delivered"},
}
"""What the tag of a phrase says of the order's state."""


def located(drawing: Drawing, filled: Filled, phrase: Wording, *, of_several: bool) -> Filled:
    """The message with a phrase that says which order is meant.

    `of_several`: only the phrase tells which of several things of one name it is. Raises UnfitError for what is not
    about one item, and where the phrase would leave open which order is meant.
    """
    (command,) = filled.commands if len(filled.commands) == 1 else (None,)
    if command is None or command.verb not in ITEM_VERBS or not command.items:
        raise UnfitError
    if (
        command.excluded
        or command.like
        or command.pick
        or (len(command.items) > 1 and not command.alternatives)
    ):
        raise UnfitError
    scene = drawing.scene
    meant = [item for item in scene.items if item.handle in command.items]
    item = drawing.rng.choice(meant)
    if of_several != (len({other.order for other in scene.same(item)}) > 1):
        raise UnfitError
    order = scene.order_of(item)
    placed = _said_of(drawing, item, order, phrase)
    here = tuple(other.handle for other in meant if other.order == order.handle)
    body = filled.text.rstrip(" .!?。！？")
    joint = "" if not phrase.text[0].isalnum() and phrase.text[0] not in "(-#" else " "
    if drawing.language == "zh":
        joint = ""
    return replace(
        filled,
        text=f"{body}{joint}{placed}",
        commands=[replace(command, items=here, alternatives=len(here) > 1)],
    )


def _said_of(drawing: Drawing, item: Item, order: Order, phrase: Wording) -> str:
    """The phrase about this order. Raises UnfitError where it fits another one with such an item as well."""
    scene = drawing.scene
    place = Drawing(scene, drawing.catalog, phrase, drawing.rng)
    rivals = [o for o in scene.orders if any(i in scene.same(item) for i in o.items)]
    if phrase.tag:
        if phrase.tag not in _STATES:
            raise UnfitError
        if [o for o in rivals if o.status in _STATES[phrase.tag]] != [order]:
            raise UnfitError
    if place.has("order"):
        place.slots["order"] = place.number(order)
    if place.has("city"):
        if sum(o.city == order.city for o in rivals) != 1 or len({o.city for o in scene.orders}) < 2:
            raise UnfitError
        place.slots["city"] = order.city
    if place.has("item2"):
        others = [i for i in order.items if not i.product.words & item.product.words]
        if not others:
            raise UnfitError
        other = drawing.rng.choice(others)
        if any(o is not order and any(i in scene.same(other) for i in o.items) for o in rivals):
            raise UnfitError
        place.slots["item2"] = other.product.called(drawing.language, drawing.rng)
    return place.fill([]).text


@dataclass
class Telling(Drawing):
    """A drawing in which an order is told by what is in it or where it goes, in the place of its number."""

    phrases: Sequence[Wording] = ()

    def number(self, order: Order | None) -> str:
        """A phrase for the order. Raises UnfitError where it fits another order as well."""
        if order is None or not self.scene.known:
            raise UnfitError
        phrase = self.rng.choice(self.phrases)
        place = Drawing(self.scene, self.catalog, phrase, self.rng)
        if place.has("city"):
            if (
                sum(other.city == order.city for other in self.scene.orders) != 1
                or len(self.scene.orders) < 2
            ):
                raise UnfitError
            place.slots["city"] = order.city
        else:
            item = self.rng.choice(order.items)
            if any(item.product.words & i.product.words for i in self.scene.items if i.order != order.handle):
                raise UnfitError
            place.slots["item2"] = item.product.called(self.language, self.rng)
        return place.fill([]).text
