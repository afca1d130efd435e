"""The prompt of a reply: the same opening for every customer, then the turn.

The opening is long and the turn short: the engine keeps the opening's keys and values in its prefix cache, so
that its examples cost nothing per turn.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from apps.support.replies.language import Language
from apps.support.replies.sentences import Note

MOST_QUOTED_CHARACTERS = 300  # of the customer's message: its meaning is in the notes already

_SYSTEM: dict[Language, str] = {
    "en": (
        "You are the support assistant of an online shop. Tell the customer the facts in short, friendly "
        "sentences. Repeat numbers, dates and names exactly. Add nothing that is not in the facts."
    ),
    "zh": (
        "你是网店的客服助手。请用简短友好的中文把事实告诉顾客。"
        "数字、日期和名称必须原样重复。不要添加事实之外的内容。"
    ),
}
_ADAPTER_SYSTEM: dict[Language, str] = {
    "en": "Tell the customer of the online shop these facts.",
    "zh": "把这些事实告诉网店的顾客。",
}
_TURN: dict[Language, str] = {
    "en": "Message: {message}\nFacts: {facts}",
    "zh": "消息：{message}\n事实：{facts}",
}
_EXAMPLES: dict[Language, tuple[tuple[str, str, str], ...]] = {
    "en": (
        (
            "where is my parcel",
            "Order #K5501 is shipped and on its way. The tracking number is 88120045. It should arrive on "
            "March 3, 2025.",
            "Good news: order #K5501 is shipped and on its way to you with the tracking number 88120045. It "
            "should arrive on March 3, 2025.",
        ),
        (
            "cancel K7720 right now!!",
            "Order #K7720 cannot be cancelled: only pending orders can be, and this one is delivered.",
            "I am sorry, but order #K7720 cannot be cancelled: only pending orders can be, and this one is "
            "delivered.",
        ),
        (
            "do u have gift wrapping",
            "Gift wrapping costs $3.00 per item. Choose it in the basket before you pay.",
            "Yes: gift wrapping costs $3.00 per item. You choose it in the basket before you pay.",
        ),
        (
            "hi, got a question about an order",
            "Please tell me the order number and the e-mail address or postcode of the order.",
            "Happy to help! Please tell me the order number and the e-mail address or postcode of the order.",
        ),
    ),
    "zh": (
        (
            "我的包裹呢",
            "订单 #K5501 已发货，正在配送途中。运单号是 88120045。预计 2025年3月3日 送达。",
            "您好，订单 #K5501 已发货，正在配送途中，运单号是 88120045，预计 2025年3月3日 送达。",
        ),
        (
            "马上取消K7720",
            "订单 #K7720 无法取消：只有待处理的订单可以取消，而此订单已送达。",
            "很抱歉，订单 #K7720 无法取消：只有待处理的订单可以取消，而此订单已送达。",
        ),
        (
            "有礼品包装吗",
            "礼品包装每件 $3.00。付款前在购物车中选择。",
            "有的，礼品包装每件 $3.00，付款前在购物车中选择即可。",
        ),
        (
            "你好，想问个订单",
            "请告诉我订单号，以及下单邮箱或收货邮编。",
            "您好！请告诉我订单号，以及下单邮箱或收货邮编。",
        ),
    ),
}


def opening_messages(language: Language) -> list[BaseMessage]:
    """What stands before every conversation: the rules and how they are followed."""
    messages: list[BaseMessage] = [SystemMessage(_SYSTEM[language])]
    for message, facts, reply in _EXAMPLES[language]:
        messages.append(HumanMessage(_TURN[language].format(message=message, facts=facts)))
        messages.append(AIMessage(reply))
    return messages


def adapter_opening(language: Language) -> list[BaseMessage]:
    """What a trained adapter needs in place of rules and examples; the same in training and in service."""
    return [SystemMessage(_ADAPTER_SYSTEM[language])]


def turn_prompt(notes: Sequence[Note], message: str, language: Language) -> str:
    """The user message of a turn. Line breaks go: no note or message can look like another part of it."""
    facts = " ".join(" ".join(note.text for note in notes).split())
    quoted = " ".join(message[:MOST_QUOTED_CHARACTERS].split())
    return _TURN[language].format(facts=facts, message=quoted)
