"""Playbooks that change orders and account data: each plans writes, which are then proposed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.case import Case, Outcome, Planned, said
from apps.support.playbooks.handbook_answers import answer_from
from apps.support.playbooks.order_rules import (
    amount_to_refund,
    check_cancel,
    check_change_address,
    check_change_payment,
    check_not_sent_back,
    check_send_back,
    paid_with,
    refusal,
    states_of,
)
from apps.support.playbooks.payments import covers, method_meant, refund_method, too_small
from apps.support.playbooks.things import items_meant, orders_meant
from apps.support.reading.postal import PARTS, GivenAddress
from apps.support.reading.state import Line, Question, Step
from apps.support.replies.descriptions import describe_item, item_list, method_of
from apps.support.replies.facts import Money
from apps.support.replies.listing import listing
from apps.support.replies.sentences import Note, write
from apps.support.shop.models import Address, Customer, Order, OrderItem, PaymentMethod, ReturnKind
from apps.support.shop.money import format_amount

_ACCOUNT_DATA = answer_from("account", "account_data")
_NEEDED = ("line1", "city", "postcode")


def cancel(case: Case) -> Outcome:
    """Whole orders. Who wants a sent one cancelled hears what is possible instead."""
    meant = orders_meant(case, states_of("cancel", case.policy))
    if isinstance(meant, Outcome):
        return meant
    outcome = Outcome(exact=True)
    for order in meant:
        try:
            check_cancel(order, case.policy)
        except ActionRefusedError as error:
            outcome.notes.append(refusal(error.reason, order, case.language, case.policy))
            if error.reason != "already_cancelled" and case.policy.states.return_:
                outcome.notes.append(write("return_instead", case.language, policy=case.policy))
            continue
        outcome.planned.append(plan_cancel(case, order, outcome.notes))
    _talk_about(case, meant)
    return outcome


def plan_cancel(case: Case, order: Order, notes: list[Note]) -> Planned:
    language, amount, paid = case.language, amount_to_refund(order), paid_with(order)
    method = method_of(paid, language)
    if amount and case.method is not None and paid is not None and case.method.id != paid.id:
        notes.append(write("original_only", language, method=method))
    deed = write(
        "deed_cancel",
        language,
        must=("order",),
        order=f"#{order.number}",
        items=item_list(order.items, language),
    )
    money = Money(amount, order.currency)
    consequence = (
        write("money_back", language, must=("amount",), amount=money, method=method) if amount else None
    )
    line = Line(
        title=deed.text,
        money=format_amount(amount, order.currency, language) if amount else "",
        method=method,
    )
    return Planned(Step(name="cancel", order_id=order.id), deed, consequence, line, (amount, order.currency))


def drop(case: Case) -> Outcome:
    """One item of an order cannot be taken out: said, with what is possible."""
    items = [item for item_id in case.wish.items if (item := case.context.item(item_id)) is not None]
    if items and all(item.order.status in states_of("return", case.policy) for item in items):
        return give_back(case)  # what has arrived is not cancelled but sent back
    if items:
        _talk_about(case, [items[0].order], items)
        return said(write("drop_refused", case.language, order=f"#{items[0].order.number}"))
    return said(write("drop_refused_any", case.language))


def give_back(case: Case) -> Outcome:
    """Sending items back. Who wants the money of an order back that never left gets it by cancelling."""
    statuses = states_of("return", case.policy)
    named = bool(case.wish.orders or case.wish.items)
    meant = items_meant(case, statuses, whole_order=True)
    if isinstance(meant, Outcome):
        return meant
    outcome = Outcome(exact=True)
    for order, items in _by_order(meant):
        _talk_about(case, [order], items)
        if order.status in states_of("cancel", case.policy) and len(items) == len(order.items) and named:
            outcome.planned.append(plan_cancel(case, order, outcome.notes))
            continue
        try:
            check_send_back(order, ReturnKind.RETURN, case.today, case.policy)
            check_not_sent_back(order, items)
        except ActionRefusedError as error:
            outcome.notes.append(refusal(error.reason, order, case.language, case.policy, items))
            if error.reason == "return_refused" and order.status not in states_of("return", case.policy):
                outcome.notes.append(write("return_later", case.language, policy=case.policy))
            continue
        outcome.planned.append(plan_return(case, order, items, outcome.notes))
    return outcome


def plan_return(case: Case, order: Order, items: Sequence[OrderItem], notes: list[Note]) -> Planned:
    language = case.language
    amount = sum(item.unit_price * item.quantity for item in items)
    method, note = refund_method(case, order)
    if note is not None:
        notes.append(note)
    names = item_list(list(items), language)
    deed = write("deed_return", language, must=("order",), items=names, order=f"#{order.number}")
    money = Money(amount, order.currency)
    way = method_of(method, language)
    consequence = write("money_back_later", language, must=("amount",), amount=money, method=way)
    arguments = {"item_ids": [item.id for item in items], "method_id": method.id if method else None}
    line = Line(title=deed.text, money=format_amount(amount, order.currency, language), method=way)
    return Planned(
        Step(name="return", order_id=order.id, arguments=arguments),
        deed,
        consequence,
        line,
        (amount, order.currency),
    )


def readdress(case: Case) -> Outcome:
    """Another address for one or more orders: one that is given, the account's, or another order's."""
    statuses = states_of("address", case.policy)
    meant = orders_meant(case, statuses)
    if isinstance(meant, Outcome):
        return meant
    _talk_about(case, meant[:1])
    refused: list[Note] = []
    changeable: list[Order] = []
    for order in meant:
        try:
            check_change_address(order, case.policy)
        except ActionRefusedError as error:
            refused.append(refusal(error.reason, order, case.language, case.policy))
        else:
            changeable.append(order)
    if not changeable:
        return said(*refused)
    outcome = Outcome(refused, exact=True)
    for order in changeable:
        address = _wanted_address(case, order.address, changeable)
        if isinstance(address, Outcome):
            return Outcome([*refused, *address.notes], question=address.question, exact=True)
        if address == order.address:
            outcome.notes.append(write("known_address_same", case.language, address=address.one_line()))
            continue
        outcome.planned.append(plan_address(case, order, address))
    return outcome


def plan_address(case: Case, order: Order, address: Address) -> Planned:
    number, text = f"#{order.number}", address.one_line()
    deed = write("deed_change_address", case.language, must=("order", "address"), order=number, address=text)
    line = Line(title=deed.text, before=order.address.one_line(), after=text)
    step = Step(name="change_address", order_id=order.id, arguments={"address": asdict(address)})
    return Planned(step, deed, None, line)


def change_home(case: Case) -> Outcome:
    """The account's own address; of somebody whose account is not known, how it is changed."""
    account = case.context.account
    if account is None:
        return _ACCOUNT_DATA(case)
    wanted = _wanted_address(case, account.address, [])
    if isinstance(wanted, Outcome):
        return wanted
    if wanted == account.address:
        return said(write("known_address_same", case.language, address=wanted.one_line()))
    return Outcome(planned=[plan_home(case, wanted)], exact=True)


def plan_home(case: Case, address: Address) -> Planned:
    account = _account(case)
    text = address.one_line()
    deed = write("deed_default_address", case.language, must=("address",), address=text)
    step = Step(name="default_address", arguments={"customer_id": account.id, "address": asdict(address)})
    return Planned(step, deed, None, Line(title=deed.text, before=account.address.one_line(), after=text))


def _account(case: Case) -> Customer:
    if case.context.account is None:
        raise ActionRefusedError("changed_meanwhile")
    return case.context.account


def _wanted_address(case: Case, present: Address, orders: Sequence[Order]) -> Address | Outcome:
    """The address of the wish, or the question for it. What a message leaves out stays as it is."""
    wish, account = case.wish, case.context.account
    if wish.to == "home" and account is not None:
        return account.address
    if wish.to == "order":
        other = case.context.order(wish.to_order)
        if other is not None:
            return other.address
    given = case.reader.address(wish.text) if wish.to == "given" else GivenAddress()
    if given.is_empty:
        return _ask_address(case, orders)
    if given.is_complete or (given.line2 and not (given.line1 or given.city or given.postcode)):
        return _merged(given, present)
    return _ask_rest(case, given, orders)


def _merged(given: GivenAddress, present: Address) -> Address:
    """The given parts; of a complete address nothing of the present one stays but a country that is left out."""
    if not given.is_complete:
        return Address(**{part: getattr(given, part) or getattr(present, part) for part in PARTS})
    return Address(
        given.line1, given.line2, given.city, given.region, given.postcode, given.country or present.country
    )


def _ask_address(case: Case, orders: Sequence[Order]) -> Outcome:
    wish = case.wish.model_copy(
        update={"orders": tuple(order.id for order in orders), "to": None, "items": ()}
    )
    question = Question(about="address", wish=wish)
    return Outcome([write("ask_address", case.language)], question=question, exact=True)


def _ask_rest(case: Case, given: GivenAddress, orders: Sequence[Order]) -> Outcome:
    lacking = [write(f"part_{part}", case.language).text for part in _NEEDED if not getattr(given, part)]
    outcome = _ask_address(case, orders)
    outcome.notes = [write("address_incomplete", case.language, parts=listing(lacking, case.language))]
    return outcome


def change_payment(case: Case) -> Outcome:
    """Another payment method for a pending order."""
    meant = orders_meant(case, states_of("payment", case.policy))
    if isinstance(meant, Outcome):
        return meant
    order, language = meant[0], case.language
    _talk_about(case, [order])
    try:
        check_change_payment(order, case.policy)
    except ActionRefusedError as error:
        return said(refusal(error.reason, order, language, case.policy))
    method = method_meant(case)
    if isinstance(method, Outcome):
        return method
    before = paid_with(order)
    amount = Money(amount_to_refund(order), order.currency)
    if before is not None and method.id == before.id:
        name = method_of(method, language)
        return said(write("paid_that_way_already", language, order=f"#{order.number}", method=name))
    if not covers(method, amount, case.policy):
        return said(too_small(case, method, amount))
    return Outcome(planned=[plan_payment(case, order, method)], exact=True)


def plan_payment(case: Case, order: Order, method: PaymentMethod) -> Planned:
    language, before, amount = case.language, paid_with(order), amount_to_refund(order)
    new, old = method_of(method, language), method_of(before, language)
    deed = write(
        "deed_change_payment", language, must=("order",), order=f"#{order.number}", method=new, before=old
    )
    money = Money(amount, order.currency)
    consequence = write("money_whole", language, must=("amount",), amount=money, method=new, before=old)
    line = Line(title=deed.text, before=old, after=new, money=format_amount(amount, order.currency, language))
    step = Step(name="change_payment", order_id=order.id, arguments={"method_id": method.id})
    return Planned(step, deed, consequence, line)


def newsletter(case: Case) -> Outcome | None:
    """Subscribe or unsubscribe a known customer; None for everybody else, who is told how it is done."""
    account = case.context.account
    if account is None:
        return None
    wanted = case.wish.topic == "newsletter_on"
    if account.newsletter == wanted:
        key = "done_subscribe" if wanted else "done_unsubscribe"
        return said(write(key, case.language, must=("email",), email=account.email))
    return Outcome(planned=[plan_newsletter(case, wanted)], exact=True)


def plan_newsletter(case: Case, subscribe: bool) -> Planned:
    account = _account(case)
    key = "deed_subscribe" if subscribe else "deed_unsubscribe"
    deed = write(key, case.language, must=("email",), email=account.email)
    step = Step(name="newsletter", arguments={"customer_id": account.id, "subscribe": subscribe})
    return Planned(step, deed, None, Line(title=deed.text))


def problem(case: Case) -> Outcome:
    """Something is wrong with an item: what can be done about it is offered, nothing proposed."""
    statuses = states_of("return", case.policy)
    meant = items_meant(case, statuses, whole_order=False)
    if isinstance(meant, Outcome):
        if meant.question is not None and meant.question.about == "item":
            items = listing(list(meant.question.labels), case.language, "or")
            meant.notes = [write("problem_order", case.language, items=items)]
        return meant
    item = meant[0]
    _talk_about(case, [item.order], [item])
    try:
        check_send_back(item.order, ReturnKind.RETURN, case.today, case.policy)
        check_not_sent_back(item.order, [item])
    except ActionRefusedError as error:
        return said(
            refusal(error.reason, item.order, case.language, case.policy, [item]),
            write("offer_person", case.language),
        )
    amount = Money(item.unit_price * item.quantity, item.order.currency)
    name = describe_item(item, case.language)
    return said(write("problem_known", case.language, item=name, amount=amount))


def _by_order(items: Sequence[OrderItem]) -> list[tuple[Order, list[OrderItem]]]:
    groups: dict[int, tuple[Order, list[OrderItem]]] = {}
    for item in items:
        groups.setdefault(item.order_id, (item.order, []))[1].append(item)
    return list(groups.values())


def _talk_about(case: Case, orders: Sequence[Order], items: Sequence[OrderItem] = ()) -> None:
    """What "it" means in the next message."""
    if orders:
        case.state.order_id = orders[0].id
    case.state.item_ids = [item.id for item in items]
