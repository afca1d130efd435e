"""Messages of data sets that are labelled with shop intents."""

from __future__ import annotations

import re

from apps.support.reading.commands import Command


def command_of_intent(text: str, intent: str) -> Command | None:
    """How a message with this label of the intent data sets is read."""
    verbs = {
        "cancel_order": "cancel",
        "change_order": "swap",
        "change_shipping_address": "readdress",
        "set_up_shipping_address": "home",
        "get_refund": "return",
        "get_invoice": "invoice",
        "track_order": "status",
        "track_refund": "refund",
        "contact_human_agent": "person",
        "out_of_scope": "none",
    }
    if intent in verbs:
        return Command(verbs[intent])
    topics = {
        "check_cancellation_fee": "cancellation_fee",
        "check_invoice": "invoices",
        "check_invoices": "invoices",
        "check_payment_methods": "payment_methods",
        "check_refund_policy": "refund_policy",
        "contact_customer_service": "contact",
    }
    topic = topics.get(intent, intent)
    if intent == "newsletter_subscription":
        off = re.search(r"unsub|cancel|stop|退订|退訂|取消|不想", text, re.I)
        topic = "newsletter_off" if off else "newsletter_on"
    return Command("ask", topic=topic)
