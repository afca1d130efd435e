"""Another option of an item: a change while the order is pending, an exchange once it is delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.case import Case, Outcome, Planned, asking, said
from apps.support.playbooks.options import (
    MOST_LISTED,
    Selection,
    can_have,
    fits,
    option_list,
    option_table,
    select_variant,
)
from apps.support.playbooks.order_rules import check_swap, covers, refusal
from apps.support.playbooks.payments import ask_other_method, difference_method
from apps.support.playbooks.things import items_meant
from apps.support.reading.choices import Wanted
from apps.support.reading.state import ActionName, Line, Step, Wish
from apps.support.replies.descriptions import describe_item, describe_variant, method_of
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note, write
from apps.support.shop.models import Order, OrderItem, Variant
from apps.support.shop.money import format_amount
from apps.support.shop.names import product_name


def swap(case: Case) -> Outcome:
    """Each item that is meant to its own option; what is still unclear is asked, one item at a time."""
    states = case.policy.states
    meant = items_meant(case, states.change | states.exchange, whole_order=False)
    if isinstance(meant, Outcome):
        return meant
    outcome = Outcome(exact=True)
    for item in meant:
        _swap_one(case, item, outcome)
    case.state.order_id = meant[0].order_id
    case.state.item_ids = [item.id for item in meant]
    return outcome


def swap_to(case: Case, item: OrderItem, variant: Variant) -> Outcome:
    """The one option that was offered, after a yes to it."""
    if not (can_have(variant, item.quantity) and variant.currency == item.order.currency):
        number = f"#{item.order.number}"
        return said(case.write("changed_meanwhile", must=("order",), order=number))
    outcome = Outcome(exact=True)
    exchange = not case.policy.allows("change", item.order.status)
    _plan_or_ask(case, item, variant, exchange, outcome)
    return outcome


def _swap_one(case: Case, item: OrderItem, outcome: Outcome) -> None:
    language, order = case.language, item.order
    exchange = not case.policy.allows("change", order.status)
    try:
        check_swap(item, exchange, case.today, case.policy)
    except ActionRefusedError as error:
        outcome.notes.append(refusal(error.reason, order, language, case.policy, [item]))
        return
    if item.variant is None:
        name = describe_item(item, language, counted=False)
        outcome.notes.append(case.write("not_listed_any_more", item=name))
        return
    selection, wanted = _selected(case, item)
    if selection.one is not None:
        _plan_or_ask(case, item, selection.one, exchange, outcome)
        return
    if outcome.question is not None:
        return  # one question at a time: the other item comes next
    note, offered = _ask(case, item, selection, wanted)
    outcome.notes.append(note)
    corrects_in_vain = item.id in case.proposed and not selection.fitting
    if offered and not corrects_in_vain:
        names = {variant.id: describe_variant(variant) for variant in offered}
        outcome.question = asking("option", _wish_for(case, item), names).question


def _plan_or_ask(case: Case, item: OrderItem, variant: Variant, exchange: bool, outcome: Outcome) -> None:
    """The change, or the question with what else it is paid where a gift card does not cover it."""
    difference = Money((variant.price - item.unit_price) * item.quantity, item.order.currency)
    method, _ = difference_method(case, item.order, difference.minor)
    if method is not None and not covers(method, difference, case.policy):
        asking = ask_other_method(case, method, difference, _wish_for(case, item))
        outcome.notes += asking.notes
        outcome.question = outcome.question or asking.question
        return
    outcome.planned.append(plan_swap(case, item, variant, exchange, outcome.notes))


def _offered(item: OrderItem) -> list[Variant]:
    """The product's variants whose prices compare with the item's: those in the order's currency."""
    assert item.variant is not None
    return [v for v in item.variant.product.variants if v.currency == item.order.currency]


def _wish_for(case: Case, item: OrderItem) -> Wish:
    return case.wish.model_copy(update={"items": (item.id,), "orders": (), "alternatives": False})


def _selected(case: Case, item: OrderItem) -> tuple[Selection, Wanted]:
    """The variant that the wish describes for this item."""
    assert item.variant is not None
    product, offered = item.variant.product, _offered(item)
    proposed = case.session.get(Variant, case.proposed.get(item.id, 0))
    base: Mapping[str, object] = proposed.options if proposed else item.options
    like = case.context.item(case.wish.like) if case.wish.like else None
    if like is not None and like.variant in offered:
        fitting = [like.variant] if can_have(like.variant, item.quantity) else []
        wanted = Wanted({o: (str(v),) for o, v in like.options.items()}, {})
        found = select_variant(offered, wanted, present=item.variant, base=base, quantity=item.quantity)
        return (Selection(tuple(fitting), is_clear=True) if fitting else found), wanted
    table = option_table(product_name(product, case.language), offered, base)
    wanted = case.choose(table)
    if wanted.says_nothing:
        # Named beside another item, or alone, without a word on it: what is proposed for it stays.
        return Selection((proposed,), is_clear=True) if proposed else Selection(()), wanted
    question = case.state.question
    listed = question.choices if question and question.about == "option" else ()
    return (
        select_variant(
            offered,
            wanted,
            present=item.variant,
            base=base,
            paid=item.unit_price,
            quantity=item.quantity,
            listed=listed,
        ),
        wanted,
    )


def plan_swap(case: Case, item: OrderItem, variant: Variant, exchange: bool, notes: list[Note]) -> Planned:
    language, order = case.language, item.order
    name: ActionName = "exchange" if exchange else "change_item"
    difference = (variant.price - item.unit_price) * item.quantity
    method, note = difference_method(case, order, difference)
    if note is not None:
        notes.append(note)
    option = describe_variant(variant)
    deed = case.write(
        f"deed_{name}",
        must=("order", "option"),
        item=describe_item(item, language),
        order=f"#{order.number}",
        option=option,
    )
    way = method_of(method, language)
    arguments = {
        "item_id": item.id,
        "variant_id": variant.id,
        "amount": difference,
        "method_id": method.id if method else None,
    }
    line = Line(
        title=deed.text,
        before=", ".join(str(value) for value in item.options.values()),
        after=option,
        money=price_difference(difference, order, language),
        method=way if difference else "",
    )
    consequence = _money(difference, order, way, language)
    step = Step(name=name, order_id=order.id, arguments=arguments)
    return Planned(step, deed, consequence, line, (max(0, -difference), order.currency))


def _money(difference: int, order: Order, method: str, language: str) -> Note:
    amount = Money(abs(difference), order.currency)
    if difference > 0:
        return write("money_more", language, must=("amount",), amount=amount, method=method)
    if difference < 0:
        return write("money_less", language, must=("amount",), amount=amount, method=method)
    return write("money_same", language)


def price_difference(difference: int, order: Order, language: str) -> str:
    """ "$30.18 less", as people say it."""
    if difference == 0:
        return write("same_price", language).text
    key = "dearer" if difference > 0 else "cheaper"
    return write(key, language, amount=format_amount(abs(difference), order.currency, language)).text


def _ask(case: Case, item: OrderItem, selection: Selection, wanted: Wanted) -> tuple[Note, Sequence[Variant]]:
    """The question which option, with what can be had; with price differences and nothing hidden."""
    assert item.variant is not None
    language, product = case.language, item.variant.product
    name = product_name(product, language)
    had = [v for v in _offered(item) if v.id != item.variant_id and can_have(v, item.quantity)]
    if not had and not wanted.same:
        return case.write("no_other_option", product=name), ()
    if wanted.same:
        shown = list(selection.nearest)
        options = _listed(case, item, shown) if shown else "-"
        return case.write("same_sold_out", item=describe_item(item, language), options=options), shown
    if selection.fitting or wanted.says_nothing:
        shown = list(selection.fitting) or sorted(had, key=lambda variant: variant.price)
        options = _listed(case, item, shown)
        note = case.write("ask_which_option", must=("options",), product=name, options=options)
        return note, shown[:MOST_LISTED]
    if wanted.values and fits(item.variant, wanted):
        return case.write("already_that_option", item=describe_item(item, language)), ()
    shown = list(selection.nearest)
    options = _listed(case, item, shown)
    return case.write("no_such_option", must=("options",), product=name, options=options), shown


def _listed(case: Case, item: OrderItem, variants: Sequence[Variant]) -> str:
    """ "clicky, RGB, full size ($12.00 more); …" """

    def price(variant: Variant) -> str:
        difference = (variant.price - item.unit_price) * item.quantity
        return price_difference(difference, item.order, case.language)

    return option_list(case, variants, price)
