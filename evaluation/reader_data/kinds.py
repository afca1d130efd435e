"""The kinds of messages that there are, and what reads each."""

from __future__ import annotations

from evaluation.reader_data.addresses import (
    address_answer,
    address_by_cities,
    address_change,
    address_of_other_order,
    all_addresses,
    home_change,
    home_city,
)
from evaluation.reader_data.answers import (
    identity,
    option_answer,
    pick_count,
    pick_items,
    pick_nth,
    pick_order,
    pick_unknown,
)
from evaluation.reader_data.drawing import (
    Reading,
)
from evaluation.reader_data.products import about_product, about_that_product, harmless
from evaluation.reader_data.proposals import (
    answer,
    beside,
    correct_add,
    correct_instead,
    correct_method,
    correct_not,
    correct_only,
    correct_option,
    correct_order,
    correct_verb,
    payment_wish,
)
from evaluation.reader_data.wishes import (
    about_city,
    about_it,
    about_items,
    about_number,
    all_but_one_order,
    all_orders,
    bare,
    dearer_of_two,
    dearest_price,
    like_another,
    price_of_each,
    repayment,
    the_other_order,
    two_orders,
    whole_order,
)


def _simple() -> dict[str, Reading]:
    found: dict[str, Reading] = {}
    for verb in (
        "status",
        "tracking",
        "items",
        "total",
        "shipsto",
        "placed",
        "payment",
        "refund",
        "invoice",
    ):
        found[f"{verb}.bare"] = bare(verb)
        found[f"{verb}.number"] = about_number(verb)
        found[f"{verb}.item"] = about_items(verb)
    for how in ("bare", "item"):
        found[f"late.{how}"] = found[f"status.{how}"]  # what is late is told by its state
    for verb in (
        "greet",
        "who",
        "person",
        "anger",
        "danger",
        "law",
        "none",
        "unclear",
        "again",
        "undo",
        "photo",
    ):
        found[verb] = bare(verb)
    for verb in ("yes", "no", "wait", "about"):
        found[verb] = answer(verb)
    for verb in ("thanks", "bye"):
        found[verb] = beside(verb)
    return found


READINGS: dict[str, Reading] = {
    **_simple(),
    "cancel.item": about_items("cancel"),
    "cancel.number": about_number("cancel"),
    "cancel.bare": bare("cancel"),
    "cancel.it": about_it("cancel"),
    "cancel.all": all_orders("cancel", {"pending"}),
    "cancel.city": about_city("cancel"),
    "cancel.two": two_orders,
    "cancel.other": the_other_order,
    "cancel.mistake": about_items("cancel"),
    "cancel.all_but": all_but_one_order,
    "drop.item": about_items("drop"),
    "partial.possible": bare("drop"),
    "return.item": about_items("return"),
    "return.two": about_items("return", ("item", "item2")),
    "return.office": about_items("return", ("item", "item2", "item3")),
    "return.number": about_number("return"),
    "return.both_named": about_number("return", also_item=True),
    "return.bare": bare("return"),
    "return.it": about_it("return"),
    "return.all_but": whole_order("return"),
    "return.reason": about_items("return"),
    "dearest.return": dearer_of_two,
    "problem.item": about_items("problem"),
    "problem.bare": bare("problem"),
    "lost.item": about_items("lost"),
    "swap.options": about_items("swap"),
    "swap.new": about_items("swap"),
    "swap.instead": about_items("swap"),
    "swap.not": about_items("swap"),
    "swap.item": about_items("swap"),
    "swap.two": about_items("swap", ("item", "item2")),
    "swap.two_options": about_items("swap", ("item", "item2")),
    "swap.number": about_number("swap"),
    "swap.bare": bare("swap"),
    "swap.cheapest": about_items("swap"),
    "swap.dearest": about_items("swap"),
    "swap.same": about_items("swap"),
    "swap.keep": about_items("swap"),
    "swap.any": about_items("swap"),
    "swap.bigger": about_items("swap"),
    "swap.prefer": about_items("swap"),
    "swap.cheapest_new": about_items("swap"),
    "option.cheapest_new": option_answer,
    "product.cheapest_new": about_product("product"),
    "swap.like": like_another,
    "option.values": option_answer,
    "option.new": option_answer,
    "option.cheapest": option_answer,
    "option.nth": option_answer,
    "option.price": option_answer,
    "option.same": option_answer,
    "option.not": option_answer,
    "option.prefer": option_answer,
    "option.any": option_answer,
    "readdress.given": address_change("given"),
    "readdress.item": address_change("given", by_item=True),
    "readdress.bare": address_change(None),
    "readdress.profile": address_change("home"),
    "readdress.other": address_of_other_order,
    "readdress.city": address_by_cities,
    "home.given": home_change("given"),
    "home.order": home_change("order"),
    "home.bare": home_change(None),
    "home.city": home_city,
    "all.readdress": all_addresses,
    "address.only": address_answer,
    "status.city": about_city("status"),
    "status.all": bare("orders"),
    "status.unshipped": all_orders("status", {"pending", "processed"}),
    "status.underway": all_orders("status", {"shipped"}),
    "orders.list": bare("orders"),
    "price.item": about_items("price"),
    "price.each": price_of_each,
    "price.dearest": dearest_price,
    "balance.card": bare("balance"),
    "sum.back": bare("sum"),
    "sum.spent": bare("spent"),
    "profile.show": bare("profile"),
    "repay.bare": repayment,
    "with.method": payment_wish,
    "split.payment": bare("split"),
    "product.price": about_product("product"),
    "product.stock": about_product("product"),
    "product.option": about_product("product"),
    "product.cheapest": about_product("product"),
    "product.count": about_product("product"),
    "product.recommend": about_product("product"),
    "product.it": about_that_product,
    "restock": about_product("product"),
    "warranty.product": about_product("warranty"),
    "yes.method": answer("yes"),
    "yes.price": answer("yes"),
    "yes.thanks": answer("yes"),
    "no.reason": answer("no"),
    "pick.item": pick_items(("item",)),
    "pick.two": pick_items(("item", "item2")),
    "pick.both": pick_count(2),
    "pick.all": pick_count(None),
    "pick.nth": pick_nth,
    "pick.order_item": pick_order("item"),
    "pick.order_city": pick_order("city"),
    "pick.order_number": pick_order("number"),
    "pick.any": pick_unknown,
    "correct.not_item": correct_not,
    "correct.only": correct_only,
    "correct.add": correct_add,
    "correct.instead": correct_instead,
    "correct.order": correct_order,
    "correct.option": correct_option,
    "correct.method": correct_method,
    "correct.verb_return": correct_verb("return"),
    "correct.verb_swap": correct_verb("swap"),
    "harmless.alarm": harmless,
    "identify": identity,
    "other.person": bare("other"),
    "lang": bare("language"),
    "promise": bare("exception"),
}


def reading_of(kind: str) -> Reading:
    """How messages of this kind are read. Raises KeyError for a kind that there is not."""
    if kind.startswith("ask."):
        return bare("ask", topic=kind.removeprefix("ask."))
    return READINGS[kind]
