"""The assistant's written sentences: the truth of a turn in each language.

They are the notes that the model puts into its own words, and the last resort where it leaves a fact out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from apps.support.replies.facts import Fact, Value, make_fact
from apps.support.replies.language import Language
from apps.support.replies.sentence_table import SENTENCES

_STATUS = {
    "pending": ("pending", "待处理"),
    "processed": ("processed", "已处理"),
    "shipped": ("shipped", "已发货"),
    "delivered": ("delivered", "已送达"),
    "cancelled": ("cancelled", "已取消"),
}
_METHODS = {
    "credit_card": ("the card", "银行卡"),
    "paypal": ("PayPal", "PayPal"),
    "gift_card": ("the gift card", "礼品卡"),
    "alipay": ("Alipay", "支付宝"),
    "wechat_pay": ("WeChat Pay", "微信支付"),
}
_ORIGINAL_METHOD = ("the original payment method", "原支付方式")
_REFUND_TIMES = {
    True: ("no time: it is there at once", "立即到账"),
    False: ("5 to 7 business days", "需要 5 至 7 个工作日"),
}


@dataclass(frozen=True)
class Note:
    """One written sentence and the facts in it."""

    key: str
    text: str
    facts: tuple[Fact, ...]


def write(key: str, language: Language, /, *, must: tuple[str, ...] = (), **values: Value) -> Note:
    """The sentence `key` with its values; the customer must hear the values named in `must`."""
    facts = tuple(make_fact(name, value, language, must=name in must) for name, value in values.items())
    template = SENTENCES[key][_column(language)]
    return Note(key, template.format(**{fact.name: fact.text for fact in facts}), facts)


def wordings(language: Language) -> list[str]:
    """Every sentence's own words, without its values."""
    return [re.sub(r"\{\w+\}", " ", entry[_column(language)]) for entry in SENTENCES.values()]


def status_word(status: str, language: Language) -> str:
    return _STATUS[status][_column(language)]


def method_words(kind: str | None, last_four: str | None, language: Language) -> str:
    """A payment method as customers know it: "the card ending in 1234"."""
    words = _METHODS.get(kind or "", _ORIGINAL_METHOD)[_column(language)]
    if last_four:
        return f"{words}（尾号 {last_four}）" if language == "zh" else f"{words} ending in {last_four}"
    return words


def refund_time(kind: str | None, language: Language) -> str:
    return _REFUND_TIMES[kind == "gift_card"][_column(language)]


def listing(parts: list[str], language: Language, joint: Literal["and", "or"] = "and") -> str:
    """ "a, b and c"; in Chinese "a、b、c"."""
    if language == "zh":
        return "、".join(parts)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {joint} {parts[-1]}"


def _column(language: Language) -> int:
    return 1 if language == "zh" else 0
