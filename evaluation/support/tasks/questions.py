"""What a customer asks, so as to be told what the task says must be told.

A task gives only the answers ("54.04"). Code finds what they are answers to: a price, a total, a tracking number,
a refund … of the orders that the task looks at, before or after its changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from evaluation.support.tasks.customers import Customer, Item, OwnOrder
from evaluation.support.tasks.goals import Goal
from evaluation.support.tasks.task_file import Task

_CHANGING = ("exchange", "change_item")


@dataclass(frozen=True)
class Question:
    """Something to ask. `last` is asked when the changes are done: it is about what came of them."""

    kind: str
    order: str | None = None
    item: str | None = None  # SKU
    product: str | None = None
    option: str | None = None  # the name of an option, or the values that narrow a choice
    infos: tuple[str, ...] = ()
    last: bool = False


@dataclass(frozen=True)
class _Answer:
    """A question that could be asked, and one thing that its answer holds: an amount, or words."""

    question: Question
    holds: int | str


def questions_of(task: Task, customer: Customer, goals: list[Goal]) -> tuple[list[Question], list[str]]:
    """The questions whose answers hold what must be told, and what no question was found for."""
    answers = list(_answers(task, customer, goals))
    found: dict[Question, list[str]] = {}
    unknown = []
    for info in task.criteria.communicate_info:
        fitting = [answer.question for answer in answers if _holds(answer, info)]
        if not fitting:
            unknown.append(info)
            continue
        asked = next((question for question in fitting if question in found), fitting[0])
        found.setdefault(asked, []).append(info)
    questions = [_with_infos(question, infos) for question, infos in found.items()]
    return _choices_together(questions, customer), unknown


def harmless_question(task: Task, customer: Customer) -> Question | None:
    """What a customer without any goal asks: how the order stands that the task looks at last."""
    mentioned = [order for order in customer.orders if order.number in task.scenario_words]
    looked_at = _orders_looked_at(task, customer) or mentioned
    return Question("status", order=looked_at[-1].number) if looked_at else None


def _answers(task: Task, customer: Customer, goals: list[Goal]) -> Iterator[_Answer]:
    """The likeliest question first, for figures that are true of several things."""
    orders = _orders_looked_at(task, customer) or list(customer.orders)
    orders += [order for order in customer.orders if order not in orders]
    yield from _about_goals(customer, goals)
    for order in orders:
        yield from (_Answer(Question("tracking", order.number), number) for number in order.tracking)
    for method in customer.methods.values():
        if method.balance is not None:
            yield _Answer(Question("balance"), method.balance)
    for order in orders:
        yield _Answer(Question("total", order.number), order.total)
    for order in orders:
        if len(order.items) > 1:
            dearest = max(order.items, key=lambda item: item.price)
            yield from (
                _Answer(Question("dearest_item", order.number), it) for it in (dearest.product, dearest.price)
            )
    for order in orders:
        yield from _about_items(order)
    for product in dict.fromkeys(item.product for item in customer.catalog.values()):
        yield from _about_product(product, customer.variants_of(product))
    for order in orders:
        place = order.address
        for words in (place.line1, place.line2, place.city, place.region, place.postcode):
            yield _Answer(Question("address", order.number), words)


def _about_goals(customer: Customer, goals: list[Goal]) -> Iterator[_Answer]:
    prices = {sku: item.price for sku, item in customer.catalog.items()}
    owed = 0
    for goal in goals:
        if goal.kind == "return" and goal.order is not None:
            order = customer.order(goal.order)
            paid = {item.sku: item.price for item in order.items}
            back = sum(paid[change.item] for change in goal.items if change.item is not None)
            yield _Answer(Question("refund", goal.order), back)
            yield _Answer(Question("remaining", goal.order, last=True), order.total - back)
        if goal.kind == "cancel":
            for number in goal.orders:
                yield _Answer(Question("refund", number), customer.order(number).total)
        if goal.kind in _CHANGING and goal.order is not None:
            order = customer.order(goal.order)
            paid = {item.sku: item.price for item in order.items}
            differences = [prices[c.to] - paid[c.item] for c in goal.items if c.to and c.item]
            owed += sum(differences)
            yield _Answer(Question("difference", goal.order), abs(sum(differences)))
            for change, difference in zip(goal.items, differences, strict=True):
                yield _Answer(Question("difference", goal.order, change.item), abs(difference))
            if goal.kind == "change_item":
                total = order.total + sum(differences)
                yield _Answer(Question("total", goal.order, last=True), total)
    yield _Answer(Question("owed", last=True), abs(owed))
    for method in customer.methods.values():
        if method.balance is not None:
            yield _Answer(Question("balance", last=True), method.balance - owed)


def _about_items(order: OwnOrder) -> Iterator[_Answer]:
    for item in order.items:
        yield _Answer(Question("price", order.number, item.sku), item.price)
        for name, value in item.options.items():
            yield _Answer(Question("option", order.number, item.sku, option=name), value)


def _about_product(product: str, variants: list[Item]) -> Iterator[_Answer]:
    offered = sorted((item for item in variants if item.available), key=lambda item: item.price)
    if not offered:
        return
    cheapest = offered[0]
    yield _Answer(Question("cheapest", product=product), cheapest.price)
    for value in cheapest.options.values():
        yield _Answer(Question("cheapest", product=product), value)
    yield _Answer(Question("count", product=product), str(len(offered)))
    for item in offered:
        yield _Answer(Question("choice", product=product), item.price)


def _orders_looked_at(task: Task, customer: Customer) -> list[OwnOrder]:
    numbers = dict.fromkeys(action.order_number for action in task.criteria.actions)
    known = {order.number: order for order in customer.orders}
    return [known[number] for number in numbers if number in known]


def _holds(answer: _Answer, info: str) -> bool:
    if isinstance(answer.holds, int):
        try:
            return Decimal(info.strip("$ ").replace(",", "")) == Decimal(answer.holds).scaleb(-2)
        except InvalidOperation:
            return False
    return re.search(rf"(?<!\w){re.escape(info.casefold())}(?!\w)", answer.holds.casefold()) is not None


def _with_infos(question: Question, infos: list[str]) -> Question:
    return Question(**{**vars(question), "infos": tuple(infos)})


def _choices_together(questions: list[Question], customer: Customer) -> list[Question]:
    """Who asks what there is to choose from hears the cheapest one, too; common values narrow the choice."""
    choices = {question.product: question for question in questions if question.kind == "choice"}
    merged = []
    for question in questions:
        if question.kind == "cheapest" and question.product in choices:
            continue
        if question.kind == "choice" and question.product is not None:
            infos = [
                i
                for q in questions
                if q.kind in ("choice", "cheapest") and q.product == question.product
                for i in q.infos
            ]
            meant = [
                item
                for item in customer.variants_of(question.product)
                if item.available and any(_holds(_Answer(question, item.price), info) for info in infos)
            ]
            shared = set.intersection(*(set(item.options.items()) for item in meant)) if meant else set()
            everywhere = set.intersection(
                *(set(i.options.items()) for i in customer.variants_of(question.product))
            )
            value = " ".join(sorted(value for _, value in shared - everywhere)) or None
            question = Question("choice", product=question.product, option=value, infos=tuple(infos))
        merged.append(question)
    return merged
