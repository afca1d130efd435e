"""What a simulated customer says: each wish and question in the customer's hand."""

from __future__ import annotations

import random
from collections import Counter

from evaluation.support.tasks.customers import Customer
from evaluation.support.tasks.describing import Descriptions
from evaluation.support.tasks.goals import Change, Goal, address_words
from evaluation.support.tasks.hands import Hand
from evaluation.support.tasks.questions import Question

_IN_FULL = 0.25  # how often an address that the shop has is given all the same
_WITH_ORDER = 1 / 3
_EXCEPT = 0.5
_REASONS = {"no longer needed": "I no longer need it", "ordered by mistake": "I ordered it by mistake"}


class Speaker:
    """Puts goals into words. `exact` says it so that nothing is left to guess: for a second try."""

    def __init__(self, customer: Customer, hand: Hand, rng: random.Random, known_numbers: bool) -> None:
        self.customer, self.hand, self.rng = customer, hand, rng
        numbers = [order.number for order in customer.orders] if known_numbers else []
        self.names = Descriptions(customer, hand, rng, numbers)

    def say(self, what: str, **slots: str) -> str:
        return self.hand.say(what, self.rng, **slots)

    def wish(self, goal: Goal, *, exact: bool = False, profile_changes: bool = False) -> str:
        """`profile_changes`: the task changes the profile's address, so that "my default address" is unclear."""
        match goal.kind:
            case "cancel" if len(goal.orders) > 1:
                return self.say("cancel_all")
            case "cancel":
                return self.say("cancel", order=self._order(goal, exact))
            case "return":
                return self._return(goal, exact)
            case "exchange" | "change_item":
                return self._swap(goal, exact)
            case "change_address" | "default_address":
                return self._move(goal, exact, profile_changes)
            case _:
                return self.say("payment", order=self._order(goal, exact), method=self.method(goal))

    def question(self, question: Question) -> str:
        """A question, with what it is about."""
        slots, what = {"product": (question.product or "").lower()}, question.kind
        if question.order is not None:
            order = self.customer.order(question.order)
            slots["order"] = self.names.order(question.order)
            if question.item is not None:
                item = next(item for item in order.items if item.sku == question.item)
                slots["item"] = self.names.item(item, order)
                unclear = self.names.ambiguous(question.order, [question.item])
                slots["from"] = self._from(question.order, [question.item], unclear)
        match question:
            case Question(kind="option", option=str(name)):
                what, slots["name"] = "option_of", name
            case Question(kind="cheapest"):
                what = "cheapest_of"
            case Question(kind="choice"):
                slots["narrow"] = f" with {question.option}" if question.option else ""
            case Question(kind="total", last=True):
                what = "new_total"
        return self.say(what, **slots)

    def order(self, goal: Goal) -> str:
        return self.say("say_order", order=self._order(goal, exact=True))

    def items(self, goal: Goal, *, what: str = "say_items", wrong: str | None = None) -> str:
        slots = {} if wrong is None else {"wrong": wrong}
        return self.say(what, items=self.named_items(goal.items, goal, whole=True), **slots)

    def options(self, goal: Goal, changes: list[Change], *, what: str = "say_option") -> str:
        """The options that are wanted; of several items, each with its item."""
        if len(changes) == 1:
            return self.say(what, option=self._option(goal, changes[0], exact=True))
        return self.say(what, option=self._swaps(goal, changes, exact=True))

    def address(self, goal: Goal, *, what: str = "say_address") -> str:
        assert goal.address is not None
        return self.say(what, address=goal.address.one_line())

    def reason(self, goal: Goal) -> str:
        return self.say("say_reason", reason=_REASONS.get(goal.reason or "", "I no longer need it"))

    def method(self, goal: Goal) -> str:
        """The payment method to name; where none is, the one that the order was paid with."""
        paid = self.customer.order(goal.order).paid_with if goal.order else None
        return self.names.method(goal.method or paid or next(iter(self.customer.methods)))

    def method_sentence(self, goal: Goal) -> str:
        return self.say(
            "method_return" if goal.kind == "return" else "method_change", method=self.method(goal)
        )

    def has(self, change: Change) -> bool:
        """Whether the customer knows the change's item by name: an exchange may have brought another one."""
        number = change.order
        return number is None or change.item in {item.sku for item in self.customer.order(number).items}

    def named_items(self, changes: list[Change], goal: Goal, *, whole: bool = False) -> str:
        skus = [change.item for change in changes if change.item is not None]
        number = changes[0].order or goal.order
        assert number is not None
        return self.names.items(skus, self.customer.order(number), whole=whole)

    def _order(self, goal: Goal, exact: bool) -> str:
        assert goal.order is not None
        skus = {change.item for change in goal.changes if change.item}
        order = self.customer.order(goal.order)
        all_of_it = skus >= {item.sku for item in order.items}
        return self.names.order(goal.order, without=() if all_of_it else skus, exact=exact)

    def _from(self, number: str, skus: list[str], wanted: bool) -> str:
        order = self.customer.order(number)
        nothing_else = {item.sku for item in order.items} <= set(skus) and number not in self.names.numbers
        if nothing_else or not (wanted or self.rng.random() < _WITH_ORDER):
            return ""
        return self.names.from_order(number, skus)

    def _return(self, goal: Goal, exact: bool) -> str:
        assert goal.order is not None
        order = self.customer.order(goal.order)
        back = [change.item for change in goal.items if change.item]
        kept = list((Counter(item.sku for item in order.items) - Counter(back)).elements())
        if not kept and len(back) > 1:
            return self.say("return_all", order=self._order(goal, exact))
        if len(kept) == 1 and kept[0] not in back and len(back) > 1 and self.rng.random() < _EXCEPT:
            return self.say(
                "return_except",
                order=self.names.order(goal.order, without=kept, exact=exact),
                items=self.names.items(kept, order),
            )
        items = self.names.items(back, order, whole=exact)
        return self.say("return", items=items, **{"from": self._source(goal, back, exact)})

    def _swap(self, goal: Goal, exact: bool) -> str:
        skus = [change.item for change in goal.items if change.item]
        slots = {"swaps": self._swaps(goal, goal.items, exact), "from": self._source(goal, skus, exact)}
        return self.say(goal.kind, **slots)

    def _source(self, goal: Goal, skus: list[str], exact: bool) -> str:
        assert goal.order is not None
        unclear = self.names.ambiguous(goal.order, skus) and self.rng.random() < 0.5
        return self._from(goal.order, skus, exact or unclear)

    def _swaps(self, goal: Goal, changes: list[Change], exact: bool) -> str:
        pairs = []
        for change in changes:
            item = self.named_items([change], goal, whole=exact)
            pairs.append(self.say("swap", item=item, option=self._option(goal, change, exact)))
        return " and ".join(pairs)

    def _option(self, goal: Goal, change: Change, exact: bool) -> str:
        assert goal.order is not None
        assert change.to is not None
        order = self.customer.order(goal.order)
        old = next(item for item in order.items if item.sku == change.item)
        return self.names.option(old, self.customer.catalog[change.to], whole=exact)

    def _move(self, goal: Goal, exact: bool, profile_changes: bool) -> str:
        """To an address by its place in the shop's records, where it is there; otherwise in full."""
        assert goal.address is not None
        words, of_order = address_words(goal.address), goal.kind == "change_address"
        slots = {"order": self._order(goal, exact)} if of_order else {}
        if not exact and self.rng.random() >= _IN_FULL:
            if of_order and not profile_changes and words == address_words(self.customer.address):
                return self.say("address_default", **slots)
            there = [o for o in self.customer.orders if address_words(o.address) == words]
            elsewhere = [o for o in self.customer.orders if address_words(o.address) != words]
            city = goal.address.city
            if there and city not in {order.address.city for order in elsewhere}:
                return self.say("address_other" if of_order else "profile_other", city=city, **slots)
        what = "address_given" if of_order else "profile_given"
        return self.say(what, address=goal.address.one_line(), **slots)
