"""For each intent: which proof and facts it needs, and which action it may propose."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlalchemy import select

from apps.support.playbooks.case import Case, Outcome
from apps.support.playbooks.handbook_answers import answer_from, search_everywhere
from apps.support.playbooks.order_changes import (
    cancel_order,
    change_order,
    change_shipping_address,
    faulty_item,
    return_items,
    return_question,
)
from apps.support.playbooks.order_questions import (
    HOW_LONG,
    delivery_period,
    get_invoice,
    list_orders,
    order_details,
    payment_of_order,
    refund_time,
    track_order,
    track_refund,
)
from apps.support.playbooks.people import complaint, human, newsletter_subscription, set_up_shipping_address
from apps.support.playbooks.products import product_question
from apps.support.reading.entities import bare_details
from apps.support.shop.models import Order, OrderItem, Variant

Playbook = Callable[[Case], Outcome]

_PLAYBOOKS: dict[str, Playbook] = {
    "cancel_order": cancel_order,
    "change_order": change_order,
    "change_shipping_address": change_shipping_address,
    "check_cancellation_fee": answer_from("cancellations", "cancellation_fee"),
    "check_invoice": get_invoice,
    "check_payment_methods": answer_from("payment", "payment_methods"),
    "check_refund_policy": answer_from("refunds", "refund_policy"),
    "complaint": complaint,
    "contact_customer_service": answer_from("contact", "service_hours"),
    "contact_human_agent": human,
    "create_account": answer_from("account", "new_account"),
    "delete_account": answer_from("account", "account_deletion"),
    "delivery_options": answer_from("delivery", "delivery_options"),
    "delivery_period": delivery_period,
    "edit_account": answer_from("account", "account_data"),
    "get_invoice": get_invoice,
    "get_refund": return_items,
    "newsletter_subscription": newsletter_subscription,
    "payment_issue": answer_from("payment", "payment_problems"),
    "place_order": answer_from("order-changes", "placing_order"),
    "recover_password": answer_from("account", "password"),
    "registration_problems": answer_from("account", "registration_problems"),
    "review": answer_from("contact", "reviews"),
    "set_up_shipping_address": set_up_shipping_address,
    "switch_account": answer_from("account", "other_account"),
    "track_order": track_order,
    "track_refund": track_refund,
    "out_of_scope": search_everywhere,
}

_OWN_ORDER = re.compile(
    r"\b(?:my|the|this|an) (?:\w+ )?(?:order|purchase|parcel|package|stuff|things)\b|\bdid i\b|"
    r"订单|我(?:的|买|订|下)|快递|包裹",
    re.IGNORECASE,
)
_PRICE_OF_DELIVERY = re.compile(
    r"\bhow much (?:\w+ ){0,4}?(?:delivery|shipping|shipment|postage)\b|"
    r"\b(?:delivery|shipping|postage) (?:\w+ )?(?:costs?|fees?|charges?|prices?|rates?)\b|"
    r"\b(?:cost|price|fee|charge)s? (?:of|for) (?:\w+ ){0,2}?(?:delivery|shipping|postage)\b|"
    r"\bwhat (?:does|do|would|will|is) (?:\w+ ){0,3}?(?:delivery|shipping|postage) cost|"
    r"运费|邮费|(?:配送|快递|送货)费|(?:配送|快递|送货|加急|邮寄).{0,4}(?:多少钱|价格|价钱|怎么收费)|"
    r"多少钱.{0,4}(?:配送|快递|送货|邮寄)",
    re.IGNORECASE,
)
_WHETHER_IN_TIME = re.compile(
    r"\b(?:can|could|may|am i|is it|how long|how many|until when|do i)\b.*"
    r"\b(?:still|days?|weeks?|months?|how long|until|long)\b|\bhow (?:long|many (?:days|weeks))\b|"
    r"多久|几天|多长时间|还(?:能|可以)|[天周月年](?:后|内|之后|以后|以内|之内)",
    re.IGNORECASE,
)
_CANCELLING = re.compile(
    r"^\W*(?:(?:please|can you|could you|i want to|i need to|i(?: woul|')d like to)\W+){0,2}cancel\b|"
    r"^\W*(?:请|麻烦|帮我|我[想要]){0,3}(?:把.{0,12})?取消",
    re.IGNORECASE,
)
_NEAR_RETURN = frozenset({"change_order", "get_refund", "out_of_scope", "place_order"})
_NO_ORDER_NEEDED = frozenset(
    {"edit_account", "out_of_scope", "place_order", "set_up_shipping_address", "switch_account"}
)


def playbook_for(case: Case) -> Playbook:
    """The playbook of the case's intent, or a closer one that what the message names points to."""
    wishes, named_order = set(case.entities.wishes), bool(case.state.order_number)
    waiting = case.state.awaiting is not None
    if "price" in wishes and _PRICE_OF_DELIVERY.search(case.text) and not case.entities.order_numbers:
        return _PLAYBOOKS["delivery_options"]
    about_product = bool(case.entities.product_ids) and not case.entities.order_numbers
    # What brings the order or the proof that was asked for goes on with the question before.
    goes_on = waiting and (case.new_proof or case.state.awaiting not in ("order", "proof"))
    if _asks_item_price(case):
        return order_details
    if about_product and wishes & {"stock", "price", "warranty"} and not goes_on and not case.entities.asks:
        return product_question
    if _asks_about_order(case):
        return _for_aspects(case)
    names_order = bool(case.entities.order_numbers) or (
        case.state.awaiting in ("order", "proof") and named_order
    )
    if "cancel" in wishes and (
        names_order or (case.intent == "track_order" and _CANCELLING.search(case.text))
    ):
        return cancel_order  # "cancel my pending order" is no question about its state
    if "faulty" in wishes and not named_order and not wishes & {"return", "exchange", "warranty"}:
        return faulty_item
    if case.intent in ("place_order", "out_of_scope") and about_product and not waiting:
        return product_question
    if _asks_about_known_product(case) and not waiting:
        return product_question
    if "exchange" in wishes and case.intent in ("get_refund", "out_of_scope", "change_order"):
        return change_order
    if "return" in wishes and not (named_order or waiting) and _WHETHER_IN_TIME.search(case.text):
        return return_question
    if "return" in wishes and (case.intent in _NEAR_RETURN or names_order):
        return return_items
    if case.entities.options and case.entities.order_numbers and case.intent in _NO_ORDER_NEEDED:
        return change_order
    if case.intent == "payment_issue" and named_order:
        return payment_of_order
    about_refunds = case.intent == "check_refund_policy" or (
        case.intent == "track_refund" and not named_order
    )
    if about_refunds and HOW_LONG.search(case.text):
        return refund_time
    if case.intent == "out_of_scope" and (names_order or bare_details(case.text)):
        return order_details
    return _PLAYBOOKS[case.intent]


def _asks_about_order(case: Case) -> bool:
    """Whether the message asks what stands in an order: one that it names, or the one that is talked about."""
    if not case.entities.asks:
        return False
    if case.entities.order_numbers or case.state.order_number or case.state.trusted_customer_id:
        return True
    return _OWN_ORDER.search(case.text) is not None


def _asks_item_price(case: Case) -> bool:
    """Whether a price is asked of an item in an order: one that is named with it, or one shown before."""
    wanted = "price" in case.entities.wishes or "total" in case.entities.asks
    if not wanted or not case.entities.product_ids:
        return False
    if case.entities.order_numbers or (case.state.awaiting in ("order", "proof") and case.state.order_number):
        return True
    number = case.state.order_number
    if number is None or number not in case.state.proven:
        return False
    bought = select(OrderItem.id).join(Order).join(Variant)
    fits = (Order.number == number, Variant.product_id.in_(case.entities.product_ids))
    return case.session.scalar(bought.where(*fits).limit(1)) is not None


def _for_aspects(case: Case) -> Playbook:
    asks = set(case.entities.asks)
    if "orders" in asks:
        return list_orders
    if asks == {"refund"}:
        return track_refund
    return track_order if asks == {"status"} else order_details


def _asks_about_known_product(case: Case) -> bool:
    """A question without a name, about the product that was talked about: "is it in stock in white?"."""
    return bool(
        case.state.product_ids
        and case.state.topic in ("place_order", "out_of_scope")
        and set(case.entities.wishes) & {"stock", "price", "warranty"}
        and not case.entities.order_numbers
    )


__all__ = ["Case", "Outcome", "Playbook", "playbook_for"]
