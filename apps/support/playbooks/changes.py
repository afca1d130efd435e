"""Playbooks that change orders and the newsletter: each plans writes, which are then proposed together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.addresses import account_of, changeable_orders
from apps.support.playbooks.case import Case, Outcome, Planned, said
from apps.support.playbooks.order_rules import (
    check_cancel,
    check_send_back,
    covers,
    paid_by,
    paid_otherwise,
    paid_with,
    refusal,
)
from apps.support.playbooks.payments import method_meant, refund_method, too_small
from apps.support.playbooks.things import items_meant, orders_meant, talk_about
from apps.support.reading.state import Line, Step
from apps.support.replies.descriptions import describe_item, item_list, method_of, methods_of
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note, together
from apps.support.shop.models import Order, OrderItem, PaymentMethod, ReturnKind
from apps.support.shop.money import format_amount
from apps.support.words import listing


def cancel(case: Case) -> Outcome:
    """Whole orders. Who wants a sent one cancelled hears what is possible instead."""
    meant = orders_meant(case, case.policy.states.cancel)
    if isinstance(meant, Outcome):
        return meant
    outcome = Outcome(exact=True)
    for order in meant:
        try:
            outcome.planned.append(plan_cancel(case, order, outcome.notes))
        except ActionRefusedError as error:
            outcome.notes.append(refusal(error.reason, order, case.language, case.policy))
            if error.reason != "already_cancelled" and case.policy.states.return_:
                outcome.notes.append(case.write("return_instead"))
    talk_about(case, meant)
    return outcome


def plan_cancel(case: Case, order: Order, notes: list[Note]) -> Planned:
    """The money goes back as it came, whatever method is asked for. Raises ActionRefusedError."""
    check_cancel(order, case.policy)
    language, shares = case.language, paid_by(order)
    amount, methods = sum(share for _, share in shares), [method for method, _ in shares]
    if amount and case.method is not None and any(method is not case.method for method in methods):
        notes.append(case.write("original_only", method=methods_of(methods, language)))
    deed = case.write(
        "deed_cancel", must=("order",), order=f"#{order.number}", items=item_list(order.items, language)
    )
    goes_back = [
        case.write(
            "money_back",
            must=("amount",),
            amount=Money(share, order.currency),
            method=method_of(method, language),
        )
        for method, share in shares
    ]
    line = Line(
        title=deed.text,
        money=format_amount(amount, order.currency, language) if amount else "",
        method=methods_of(methods, language),
    )
    step = Step(name="cancel", order_id=order.id, arguments={"amount": amount})
    return Planned(step, deed, together(goes_back, language), line, (amount, order.currency))


def drop(case: Case) -> Outcome:
    """One item of an order cannot be taken out: said, with what is possible."""
    items = [item for item_id in case.wish.items if (item := case.context.item(item_id)) is not None]
    if items and all(case.policy.allows("return", item.order.status) for item in items):
        return give_back(case)  # what has arrived is not cancelled but sent back
    if items:
        talk_about(case, [items[0].order], items)
        return said(case.write("drop_refused", order=f"#{items[0].order.number}"))
    return said(case.write("drop_refused_any"))


def give_back(case: Case) -> Outcome:
    """Sending items back. Who wants the money of an order back that never left gets it by cancelling."""
    states = case.policy.states
    named = bool(case.wish.orders or case.wish.items)
    meant = items_meant(case, states.return_, whole_order=True)
    if isinstance(meant, Outcome):
        return meant
    outcome = Outcome(exact=True)
    for order, items in _by_order(meant):
        talk_about(case, [order], items)
        try:
            if order.status in states.cancel and len(items) == len(order.items) and named:
                outcome.planned.append(plan_cancel(case, order, outcome.notes))
            else:
                outcome.planned.append(plan_return(case, order, items, outcome.notes))
        except ActionRefusedError as error:
            outcome.notes.append(refusal(error.reason, order, case.language, case.policy, items))
            if error.reason == "return_refused":
                outcome.notes.append(case.write("return_later"))
    return outcome


def plan_return(case: Case, order: Order, items: Sequence[OrderItem], notes: list[Note]) -> Planned:
    """Raises ActionRefusedError."""
    check_send_back(order, items, ReturnKind.RETURN, case.today, case.policy)
    language = case.language
    amount = sum(item.total for item in items)
    method, note = refund_method(case, order)
    if note is not None:
        notes.append(note)
    names = item_list(list(items), language)
    deed = case.write("deed_return", must=("order",), items=names, order=f"#{order.number}")
    money = Money(amount, order.currency)
    way = method_of(method, language)
    consequence = case.write("money_back_later", must=("amount",), amount=money, method=way)
    arguments = {
        "item_ids": [item.id for item in items],
        "method_id": method.id if method else None,
        "amount": amount,
    }
    line = Line(title=deed.text, money=format_amount(amount, order.currency, language), method=way)
    return Planned(
        Step(name="return", order_id=order.id, arguments=arguments),
        deed,
        consequence,
        line,
        (amount, order.currency),
    )


def change_payment(case: Case) -> Outcome:
    """Another payment method for pending orders; a gift card must cover all of them."""
    meant = orders_meant(case, case.policy.states.payment)
    if isinstance(meant, Outcome):
        return meant
    talk_about(case, meant)
    changeable, refused = changeable_orders(case, meant, "payment")
    outcome = Outcome(refused, exact=True)
    if not changeable:
        return outcome
    method = method_meant(case)
    if isinstance(method, Outcome):
        return Outcome([*outcome.notes, *method.notes], question=method.question, exact=True)
    charged: Counter[str] = Counter()
    for order in changeable:
        others = paid_otherwise(order, method)
        if not others and paid_with(order) is method:
            outcome.notes.append(paid_already(case, order, method))
            continue
        charged[order.currency] += sum(share for _, share in others)
        amount = Money(charged[order.currency], order.currency)
        if not covers(method, amount, case.policy):
            return Outcome([*outcome.notes, too_small(case, method, amount)], exact=True)
        outcome.planned.append(plan_payment(case, order, method))
    return outcome


def paid_already(case: Case, order: Order, method: PaymentMethod) -> Note:
    number, name = f"#{order.number}", method_of(method, case.language)
    return case.write("paid_that_way_already", order=number, method=name)


def plan_payment(case: Case, order: Order, method: PaymentMethod) -> Planned:
    language, others = case.language, paid_otherwise(order, method)
    amount = sum(share for _, share in others)
    new = method_of(method, language)
    old = methods_of([before for before, _ in others] or [paid_with(order)], language)
    deed = case.write(
        "deed_change_payment", must=("order",), order=f"#{order.number}", method=new, before=old
    )
    money = Money(amount, order.currency)
    consequence = case.write("money_whole", must=("amount",), amount=money, method=new, before=old)
    line = Line(title=deed.text, before=old, after=new, money=format_amount(amount, order.currency, language))
    step = Step(
        name="change_payment", order_id=order.id, arguments={"method_id": method.id, "amount": amount}
    )
    return Planned(step, deed, consequence, line)


def newsletter(case: Case) -> Outcome | None:
    """Subscribe or unsubscribe a known customer; None for everybody else, who is told how it is done."""
    account = case.context.account
    if account is None:
        return None
    wanted = case.wish.topic == "newsletter_on"
    if account.newsletter == wanted:
        key = "done_subscribe" if wanted else "done_unsubscribe"
        return said(case.write(key, must=("email",), email=account.email))
    return Outcome(planned=[plan_newsletter(case, wanted)], exact=True)


def plan_newsletter(case: Case, subscribe: bool) -> Planned:
    account = account_of(case)
    key = "deed_subscribe" if subscribe else "deed_unsubscribe"
    deed = case.write(key, must=("email",), email=account.email)
    step = Step(name="newsletter", arguments={"customer_id": account.id, "subscribe": subscribe})
    return Planned(step, deed, None, Line(title=deed.text))


def problem(case: Case) -> Outcome:
    """Something is wrong with an item: what can be done about it is offered, nothing proposed."""
    meant = items_meant(case, case.policy.states.return_, whole_order=False)
    if isinstance(meant, Outcome):
        if meant.question is not None and meant.question.about == "item":
            items = listing(list(meant.question.labels), case.language, "or")
            meant.notes = [case.write("problem_order", items=items)]
        return meant
    item = meant[0]
    talk_about(case, [item.order], [item])
    try:
        check_send_back(item.order, [item], ReturnKind.RETURN, case.today, case.policy)
    except ActionRefusedError as error:
        return said(
            refusal(error.reason, item.order, case.language, case.policy, [item]),
            case.write("offer_person"),
        )
    amount = Money(item.total, item.order.currency)
    name = describe_item(item, case.language)
    return said(case.write("problem_known", item=name, amount=amount))


def _by_order(items: Sequence[OrderItem]) -> list[tuple[Order, list[OrderItem]]]:
    groups: dict[int, tuple[Order, list[OrderItem]]] = {}
    for item in items:
        groups.setdefault(item.order_id, (item.order, []))[1].append(item)
    return list(groups.values())
