"""Orders that were paid by several methods, several orders at once, and where refunds go."""

from __future__ import annotations

from sqlalchemy import select

from apps.support.shop.models import Order, Payment, PaymentKind, PaymentMethod, PaymentStatus
from tests.support.conftest import OpenChat
from tests.support.small_shop import Chat, method_of, order_of


def paid_in_part_by_gift_card(chat: Chat) -> None:
    """The mug of $8.00: $5.00 by card and $3.00 by gift card."""
    with chat.database.write() as session:
        order = session.scalars(select(Order).where(Order.number == "1007")).one()
        order.payments[0].amount = 500
        card = session.scalars(select(PaymentMethod).where(PaymentMethod.kind == "gift_card")).one()
        order.payments.append(
            Payment(
                method=card,
                kind=PaymentKind.PAYMENT,
                status=PaymentStatus.COMPLETED,
                amount=300,
                currency="USD",
            )
        )


def refunds_of(chat: Chat, number: str) -> dict[str, int]:
    payments = order_of(chat.database, number).payments
    return {entry.method.kind: entry.amount for entry in payments if entry.kind == PaymentKind.REFUND}


def test_a_cancelled_order_is_refunded_to_each_method_as_it_was_paid(any_chat: OpenChat) -> None:
    chat = any_chat()
    paid_in_part_by_gift_card(chat)
    asked = chat("cancel Q")
    assert "$5.00 goes back to the Visa card ending in 4242." in asked.reply
    assert "$3.00 goes back to the gift card." in asked.reply
    done = chat("yes")
    assert "$5.00 goes back to the Visa card" in done.reply
    assert refunds_of(chat, "1007") == {"credit_card": 500, "gift_card": 300}
    assert method_of(chat.database, "gift_card").balance == 5300
    assert "Altogether $8.00" in chat("sum").reply


def test_a_change_of_payment_moves_only_what_others_paid(any_chat: OpenChat) -> None:
    chat = any_chat()
    paid_in_part_by_gift_card(chat)
    assert "$3.00 is charged to the Visa card" in chat("repay Q with 1").reply
    chat("yes")
    assert refunds_of(chat, "1007") == {"gift_card": 300}
    charged = [p.amount for p in order_of(chat.database, "1007").payments if p.kind == PaymentKind.PAYMENT]
    assert sorted(charged) == [300, 300, 500]


def test_what_was_refunded_elsewhere_is_not_refunded_twice(chat: OpenChat) -> None:
    conversation = chat()
    conversation("repay Q with 2", "yes")
    with conversation.database.write() as session:
        order = session.scalars(select(Order).where(Order.number == "1007")).one()
        card = session.scalars(select(PaymentMethod).where(PaymentMethod.kind == "gift_card")).one()
        order.payments.append(
            Payment(
                method=card,
                kind=PaymentKind.REFUND,
                status=PaymentStatus.COMPLETED,
                amount=200,
                currency="USD",
            )
        )
    assert "$6.00 goes back to PayPal." in conversation("cancel Q").reply


def test_both_orders_are_paid_with_another_method(any_chat: OpenChat) -> None:
    chat = any_chat()
    asked = chat("repay P Q with 2")
    assert asked.actions == [{"name": "change_payment", "status": "proposed"}] * 2
    chat("yes")
    for number, amount in (("1002", 29000), ("1007", 800)):
        assert refunds_of(chat, number) == {"credit_card": amount}
        assert "paypal" in {entry.method.kind for entry in order_of(chat.database, number).payments}


def test_a_gift_card_must_cover_all_orders_together(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        session.scalars(select(PaymentMethod).where(PaymentMethod.kind == "gift_card")).one().balance = 29500
    small = conversation("repay P Q with 3")
    assert "does not cover $298.00" in small.reply
    assert conversation("repay P with 3").actions == [{"name": "change_payment", "status": "proposed"}]


def test_a_return_keeps_where_its_refund_goes(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("return e; with 3", "yes", "return f", "yes")
    with chat.database.read() as session:
        returns = session.scalars(select(Order).where(Order.number == "1001")).one().returns
        assert [back.method.kind for back in returns if back.method] == ["gift_card", "credit_card"]


def test_only_what_was_returned_is_called_returned(chat: OpenChat) -> None:
    conversation = chat()
    conversation("return e", "yes")
    for command in ("return e f", "return S"):
        refused = conversation(command)
        assert refused.actions == []
        assert "A return or exchange of 1 × Pet Bed (large) was requested already." in refused.reply
