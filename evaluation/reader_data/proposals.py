"""What is said to a proposal: yes, no, wait, a question, a correction, a method."""

from __future__ import annotations

import re

from apps.support.reading.commands import Command
from evaluation.reader_data.answers import draw_question
from evaluation.reader_data.drawing import (
    FITTING,
    Drawing,
    Filled,
    Reading,
    UnfitError,
    with_method,
)
from evaluation.reader_data.scenes import Item, Order

TWO_STEPS = 0.15
NO_TO_A_QUESTION = 0.2
_DEEDS: dict[str, re.Pattern[str]] = {
    "cancel": re.compile(r"\bcancel|\bcall (?:it |the order )?off|取消|撤单|撤單|cut單", re.I),
    "return": re.compile(r"\breturn|\bsend (?:it|them|that|those) back|refund|退", re.I),
    "swap": re.compile(r"\bexchang|\bswap|\bswitch|\breplac|换|換", re.I),
    "readdress": re.compile(r"\baddress|\bdeliver|寄到|地址", re.I),
    "newsletter": re.compile(r"newsletter|subscri|订阅|訂閱", re.I),
}


def draw_proposal(drawing: Drawing) -> str:
    """What the customer was asked to agree to: one step or two; what the message calls it by, where it does."""
    first = _draw_step(drawing)
    if not drawing.scene.known or ";" in first or drawing.rng.random() >= TWO_STEPS:
        return first
    second = _draw_step(drawing)
    handles = set(first.split()) & set(second.split()) - {"to", "given", "home"}
    return first if handles or ";" in second else f"{first}; {second}"


def _draw_step(drawing: Drawing) -> str:
    named = [verb for verb, words in _DEEDS.items() if words.search(drawing.wording.text)]
    newsletter = f"ask {drawing.rng.choice(('newsletter_on', 'newsletter_off'))}"
    if not drawing.scene.known:
        verb = drawing.rng.choice(named or ["cancel", "return", "swap", "readdress", "newsletter"])
        return newsletter if verb == "newsletter" else verb
    verb = drawing.rng.choice(
        named or ["cancel", "return", "return", "swap", "swap", "readdress", "home", "repay", "newsletter"]
    )
    if verb == "newsletter":
        return newsletter
    if verb == "home":
        return f"home to {drawing.rng.choice(['given', *(o.handle for o in drawing.scene.orders)])}"
    order = drawing.order(verb)
    if verb == "readdress":
        return f"readdress {order.handle} to {drawing.rng.choice(('given', 'home'))}"
    method = f" with {drawing.rng.randint(1, len(drawing.scene.methods))}"
    if verb == "repay":
        return f"repay {order.handle}{method}"
    if verb == "cancel":
        return f"cancel {order.handle}"
    items = drawing.rng.sample(order.items, drawing.rng.randint(1, len(order.items)))
    tail = f";{method}" if drawing.rng.random() < 0.2 else ""
    return f"{verb} {' '.join(sorted(i.handle for i in items))}{tail}"


def answer(verb: str) -> Reading:
    """Yes, no, a pause, or a question about what is proposed."""

    def read(drawing: Drawing) -> Filled:
        drawing.slots["price"] = f"${drawing.rng.randrange(5, 600)}.{drawing.rng.randrange(100):02d}"
        if verb == "no" and drawing.rng.random() < NO_TO_A_QUESTION:
            asked = draw_question(drawing.scene, drawing.rng)
            return drawing.fill([Command(verb)], asked=asked, takes_context=False)
        opened = draw_proposal(drawing)
        last = opened if drawing.rng.random() < 0.6 else ""
        commands = [Command(verb)]
        if drawing.has("method"):
            method = with_method(drawing, "with")
            if drawing.scene.known:
                commands.append(method)
        return drawing.fill(commands, opened=opened, last=last, takes_context=False)

    return read


def echo(drawing: Drawing) -> Filled:
    """A yes that names what is proposed, or a thing of it."""
    opened = draw_proposal(drawing)
    if drawing.has("item"):
        handles = set(opened.replace(";", " ").split())
        meant = [item for item in drawing.scene.items if handles & {item.handle, item.order}]
        if drawing.scene.known and not meant:
            raise UnfitError  # the newsletter, or an address
        thing = drawing.rng.choice(meant).product if meant else drawing.rng.choice(drawing.catalog.products)
        drawing.slots["item"] = thing.called(drawing.language, drawing.rng)
    last = opened if drawing.rng.random() < 0.6 else ""
    return drawing.fill([Command("yes")], opened=opened, last=last, takes_context=False)


def beside(verb: str) -> Reading:
    """What answers nothing, and is as likely to be said while something is proposed as at any other time."""

    def read(drawing: Drawing) -> Filled:
        if drawing.rng.random() < 0.5:
            return drawing.fill([Command(verb)])
        opened = draw_proposal(drawing)
        return drawing.fill([Command(verb)], opened=opened, last=opened, takes_context=False)

    return read


def _open_items(drawing: Drawing, least: int) -> tuple[str, Order, list[Item]]:
    verb = drawing.rng.choice(("return", "return", "swap"))
    orders = [o for o in drawing.scene.with_status(FITTING[verb]) if len(o.items) >= least]
    if not orders:
        raise UnfitError
    order = drawing.rng.choice(orders)
    names = [item.product.name for item in order.items]
    if len(set(names)) < len(names):
        raise UnfitError
    return verb, order, order.items


def correct_not(drawing: Drawing) -> Filled:
    """Several things are proposed, or just the one that is to be kept: the rest is meant."""
    verb, order, items = _open_items(drawing, 2)
    if len(items) > 2 and drawing.rng.random() < 0.5:
        proposed = drawing.rng.sample(items, drawing.rng.randint(2, len(items)))
    else:
        proposed = [drawing.rng.choice(items)]
    kept = drawing.rng.choice(proposed)
    _require_unique(drawing, kept, order)
    drawing.slots["item"] = kept.product.called(drawing.language, drawing.rng)
    opened = f"{verb} {' '.join(i.handle for i in items if i in proposed)}"
    command = Command(verb, orders=(order.handle,), excluded=(kept.handle,))
    if 1 < len(proposed) < len(items):
        command = Command(verb, items=tuple(i.handle for i in items if i in proposed and i is not kept))
    return drawing.fill([command], opened=opened, last=opened, takes_context=False)


def correct_only(drawing: Drawing) -> Filled:
    verb, order, items = _open_items(drawing, 2)
    proposed = drawing.rng.sample(items, drawing.rng.randint(2, len(items)))
    meant = drawing.rng.choice(proposed)
    _require_unique(drawing, meant, order)
    drawing.slots["item"] = meant.product.called(drawing.language, drawing.rng)
    opened = f"{verb} {' '.join(i.handle for i in items if i in proposed)}"
    return drawing.fill(
        [Command(verb, items=(meant.handle,))], opened=opened, last=opened, takes_context=False
    )


def correct_add(drawing: Drawing) -> Filled:
    verb, order, items = _open_items(drawing, 2)
    proposed = drawing.rng.sample(items, drawing.rng.randint(1, len(items) - 1))
    more = drawing.rng.choice([i for i in items if i not in proposed])
    _require_unique(drawing, more, order)
    drawing.slots["item"] = more.product.called(drawing.language, drawing.rng)
    names = [i.handle for i in items if i in proposed]
    opened = f"{verb} {' '.join(names)}"
    command = Command(verb, items=tuple(sorted([*names, more.handle])))
    return drawing.fill([command], opened=opened, last=opened, takes_context=False)


def correct_instead(drawing: Drawing) -> Filled:
    verb, order, items = _open_items(drawing, 2)
    wrong, meant = drawing.rng.sample(items, 2)
    _require_unique(drawing, meant, order)
    drawing.slots["item"] = meant.product.called(drawing.language, drawing.rng)
    opened = f"{verb} {wrong.handle}"
    return drawing.fill(
        [Command(verb, items=(meant.handle,))], opened=opened, last=opened, takes_context=False
    )


def correct_order(drawing: Drawing) -> Filled:
    verb = drawing.rng.choice(("cancel", "cancel", "readdress"))
    pending = drawing.scene.with_status({"pending"})
    if len(pending) < 2:
        raise UnfitError
    wrong = drawing.rng.choice(pending)
    names = tuple(o.handle for o in pending if o is not wrong)
    place = drawing.rng.choice(("given", "home")) if verb == "readdress" else None
    opened = f"{verb} {wrong.handle}" + (f" to {place}" if place else "")
    command = Command(verb, orders=names, alternatives=len(names) > 1, to=place)
    return drawing.fill([command], opened=opened, last=opened, takes_context=False)


def correct_option(drawing: Drawing) -> Filled:
    item, _ = drawing.item("swap")
    drawing.option_slots(item)
    opened = f"swap {item.handle}"
    return drawing.fill(
        [Command("swap", items=(item.handle,))], opened=opened, last=opened, takes_context=False
    )


def correct_method(drawing: Drawing) -> Filled:
    opened = draw_proposal(drawing)
    if opened.startswith(("newsletter", "home", "readdress")):
        raise UnfitError
    command = with_method(drawing, "with")
    return drawing.fill([command], opened=opened, last=opened, takes_context=False)


def correct_verb(verb: str) -> Reading:
    def read(drawing: Drawing) -> Filled:
        if verb == "swap" and drawing.rng.random() < 0.5:
            order = drawing.order("cancel")
            opened, command = f"cancel {order.handle}", Command("swap", orders=(order.handle,))
            if len(order.items) == 1:
                command = Command("swap", items=(order.items[0].handle,))
        else:
            item, _ = drawing.item("return")
            opened = f"{'return' if verb == 'swap' else 'swap'} {item.handle}"
            command = Command(verb, items=(item.handle,))
        return drawing.fill([command], opened=opened, last=opened, takes_context=False)

    return read


def _require_unique(drawing: Drawing, item: Item, order: Order) -> None:
    if any(other is not item and other.product.words & item.product.words for other in order.items):
        raise UnfitError


def payment_wish(drawing: Drawing) -> Filled:
    command = with_method(drawing, "with")
    asked = ""
    opened = draw_proposal(drawing) if drawing.rng.random() < 0.5 else ""
    if drawing.scene.known and len(drawing.scene.methods) > 1 and drawing.rng.random() < 0.3:
        asked, opened = f"with {' or '.join(str(n) for n in range(1, len(drawing.scene.methods) + 1))}", ""
    return drawing.fill([command], opened=opened, asked=asked, takes_context=False)
