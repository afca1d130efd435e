"""Messages about where an order goes, and where the customer lives."""

from __future__ import annotations

from dataclasses import replace

from apps.support.reading.commands import Command
from evaluation.reader_data.drawing import (
    Drawing,
    Filled,
    Reading,
    UnfitError,
)
from evaluation.reader_data.noise import keep
from evaluation.reader_data.wishes import about_items, about_number


def address_change(place: str | None, *, by_item: bool = False) -> Reading:
    """An order's address: given in the message, the account's, another order's, or not said."""

    def read(drawing: Drawing) -> Filled:
        address = drawing.rng.choice(drawing.catalog.addresses)
        if place == "given":
            drawing.slots["address"] = keep(address.text)
        known: dict[str, object] = {"to": place} if place else {}
        if by_item:
            filled = about_items("readdress", either=False)(drawing)
            filled.commands = [replace(filled.commands[0], to=place)]
        elif drawing.has("order"):
            filled = about_number("readdress")(drawing)
            filled.commands = [replace(filled.commands[0], to=place)]
        elif drawing.scene.known and drawing.rng.random() < 0.5:
            last, order, _ = drawing.focus("readdress")
            last = last if last[-1].isupper() else f"status {order.handle}"
            filled = drawing.fill([Command("readdress", **known)], last=last)  # type: ignore[arg-type]
        else:
            filled = drawing.fill([Command("readdress", **known)])  # type: ignore[arg-type]
        filled.address = address if place == "given" else None
        return filled

    return read


def address_of_other_order(drawing: Drawing) -> Filled:
    if not drawing.scene.known:
        drawing.slots["order"] = drawing.number(None)
        return drawing.fill([Command("readdress")])
    pending = drawing.scene.with_status({"pending"})
    if not pending or len(drawing.scene.orders) < 2:
        raise UnfitError
    order = drawing.rng.choice(pending)
    others = [o for o in drawing.scene.orders if o is not order]
    if drawing.has("order"):
        other = drawing.rng.choice(others)
        drawing.slots["order"] = drawing.number(other)
    elif len(others) == 1:
        other = others[0]
    else:
        raise UnfitError
    return drawing.fill(
        [Command("readdress", orders=(order.handle,), to=other.handle)],
        last=f"status {order.handle}",
        takes_context=False,
    )


def address_by_cities(drawing: Drawing) -> Filled:
    """My Austin order should go to my Boston address."""
    pending = drawing.scene.with_status({"pending"})
    if not pending:
        raise UnfitError
    order = drawing.rng.choice(pending)
    places = {o.city: o.handle for o in drawing.scene.orders if o.city != order.city}
    if drawing.scene.home and drawing.scene.home != order.city:
        places[drawing.scene.home] = "home"
    if not places or sum(o.city == order.city for o in pending) != 1:
        raise UnfitError
    city, place = drawing.rng.choice(sorted(places.items()))
    drawing.slots |= {"city": order.city, "city2": city}
    return drawing.fill([Command("readdress", orders=(order.handle,), to=place)])


def home_city(drawing: Drawing) -> Filled:
    orders = [o for o in drawing.scene.orders if o.city != drawing.scene.home]
    if not orders:
        raise UnfitError
    order = drawing.rng.choice(orders)
    first = next(o for o in drawing.scene.orders if o.city == order.city)
    drawing.slots["city"] = order.city
    return drawing.fill([Command("home", to=first.handle)])


def home_change(place: str | None) -> Reading:
    def read(drawing: Drawing) -> Filled:
        if place == "given":
            address = drawing.rng.choice(drawing.catalog.addresses)
            drawing.slots["address"] = keep(address.text)
            return drawing.fill([Command("home", to="given")], address=address)
        if place is None:
            return drawing.fill([Command("home")])
        if not drawing.scene.known:
            return drawing.fill([Command("home")])
        order = drawing.rng.choice(drawing.scene.orders)
        last = f"{drawing.rng.choice(('status', 'shipsto', 'readdress'))} {order.handle}"
        return drawing.fill([Command("home", to=order.handle)], last=last, takes_context=False)

    return read


def all_addresses(drawing: Drawing) -> Filled:
    pending = tuple(order.handle for order in drawing.scene.with_status({"pending"}))
    if drawing.wording.tag == "given":
        address = drawing.rng.choice(drawing.catalog.addresses)
        drawing.slots["address"] = keep(address.text)
        return drawing.fill([Command("readdress", orders=pending, to="given")], address=address)
    return drawing.fill([Command("readdress", orders=pending, to="home")])


def address_answer(drawing: Drawing) -> Filled:
    address = drawing.rng.choice(drawing.catalog.addresses)
    drawing.slots["address"] = keep(address.text)
    if drawing.rng.random() < 0.3 or not drawing.scene.known:
        return drawing.fill(
            [Command("home", to="given")], asked="home to ?", address=address, takes_context=False
        )
    order = drawing.order("readdress")
    command = Command("readdress", orders=(order.handle,), to="given")
    return drawing.fill(
        [command], asked=f"readdress {order.handle} to ?", address=address, takes_context=False
    )
