"""For each intent: which proof and facts it needs, and which action it may propose."""

from __future__ import annotations

from collections.abc import Callable

from apps.support.playbooks.case import Case, Outcome
from apps.support.playbooks.handbook_answers import answer_from, search_everywhere
from apps.support.playbooks.orders import (
    cancel_order,
    change_order,
    change_shipping_address,
    delivery_period,
    get_invoice,
    order_details,
    payment_of_order,
    return_items,
    track_order,
    track_refund,
)
from apps.support.playbooks.people import complaint, human, newsletter_subscription, set_up_shipping_address
from apps.support.playbooks.products import product_question

Playbook = Callable[[Case], Outcome]

_PLAYBOOKS: dict[str, Playbook] = {
    "cancel_order": cancel_order,
    "change_order": change_order,
    "change_shipping_address": change_shipping_address,
    "check_cancellation_fee": answer_from("cancellations", {"en": "cancellation fee", "zh": "取消费用"}),
    "check_invoice": get_invoice,
    "check_payment_methods": answer_from("payment", {"en": "payment methods", "zh": "支付方式"}),
    "check_refund_policy": answer_from("refunds", {"en": "refund policy", "zh": "退款政策"}),
    "complaint": complaint,
    "contact_customer_service": answer_from("contact", {"en": "customer service", "zh": "客服"}),
    "contact_human_agent": human,
    "create_account": answer_from("account", {"en": "creating account sign", "zh": "注册账户"}),
    "delete_account": answer_from("account", {"en": "deleting account", "zh": "注销账户"}),
    "delivery_options": answer_from("delivery", {"en": "delivery options", "zh": "配送方式"}),
    "delivery_period": delivery_period,
    "edit_account": answer_from("account", {"en": "changing account data", "zh": "修改账户资料"}),
    "get_invoice": get_invoice,
    "get_refund": return_items,
    "newsletter_subscription": newsletter_subscription,
    "payment_issue": answer_from("payment", {"en": "payment problems", "zh": "支付问题"}),
    "place_order": answer_from("order-changes", {"en": "placing order", "zh": "下单"}),
    "recover_password": answer_from("account", {"en": "password sign-in", "zh": "密码与登录"}),
    "registration_problems": answer_from("account", {"en": "registration problems", "zh": "注册问题"}),
    "review": answer_from("contact", {"en": "reviews review product", "zh": "评价"}),
    "set_up_shipping_address": set_up_shipping_address,
    "switch_account": answer_from(
        "account", {"en": "changing account data another", "zh": "修改账户资料 其他账户"}
    ),
    "track_order": track_order,
    "track_refund": track_refund,
    "out_of_scope": search_everywhere,
}

_NO_ORDER_NEEDED = frozenset(
    {"edit_account", "out_of_scope", "place_order", "set_up_shipping_address", "switch_account"}
)


def playbook_for(case: Case) -> Playbook:
    """The playbook of the case's intent, or a closer one that what the message names points to."""
    wishes, named_order = set(case.entities.wishes), bool(case.state.order_number)
    about_product = bool(case.entities.product_ids) and not case.entities.order_numbers
    if about_product and wishes & {"stock", "price", "warranty"} and case.state.awaiting is None:
        return product_question
    if case.intent in ("place_order", "out_of_scope") and about_product:
        return product_question
    if "exchange" in wishes and case.intent in ("get_refund", "out_of_scope", "change_order"):
        return change_order
    if "return" in wishes and case.intent in ("change_order", "out_of_scope"):
        return return_items
    if case.entities.options and case.entities.order_numbers and case.intent in _NO_ORDER_NEEDED:
        return change_order
    if case.intent == "payment_issue" and named_order:
        return payment_of_order
    asked_about_order = case.state.awaiting in ("order", "proof") and named_order
    if case.intent == "out_of_scope" and (case.entities.order_numbers or asked_about_order):
        return order_details
    return _PLAYBOOKS[case.intent]


__all__ = ["Case", "Outcome", "Playbook", "playbook_for"]
