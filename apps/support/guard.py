"""What a message may not be: endless, full of control characters, or the bot's when a person must see it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

MOST_CHARACTERS = 2_000
"""A longer message is cut: nobody explains a parcel in more, and every token is work."""

MOST_STORED_CHARACTERS = 20_000

HandoverReason = Literal["requested", "low_confidence", "anger", "policy", "failure", "identity"]

_CHAT_MARKUP = re.compile(r"<\|[^|<>]{0,40}\|>|</?s>|\[/?INST\]")
_LEGAL = re.compile(
    r"\b(lawyers?|attorney|lawsuit|sue (you|them|your)|suing|legal (action|claim|proceedings|department)|"
    r"court|small claims|consumer protection|gdpr request|subpoena)\b|"
    r"律师|起诉|法院|诉讼|消费者协会|工商局|12315",
    re.IGNORECASE,
)
_SAFETY = re.compile(
    r"\b(caught fire|on fire|burn(t|ed|ing)|smok(e|ing)|explod\w*|electric shock|electrocuted|"
    r"injur\w+|hurt (me|my)|bleeding|hospital|allergic reaction|poison\w*|"
    r"leak(s|ing|ed)? (acid|battery|gas))\b|"
    r"起火|着火|冒烟|爆炸|触电|受伤|烫伤|流血|医院|过敏|中毒|漏电",
    re.IGNORECASE,
)
_ANGER = re.compile(
    r"\b(fuck (you|off|this)|bullshit|wtf|idiots?|morons?|scam(mers?)?|thieves|fraud|"
    r"worst (shop|store|service|company)|furious|sick (and tired )?of (this|you)|fed up|"
    r"unacceptable|disgusting|pathetic|rip.?off)\b|"
    r"骗子|垃圾(店|客服|公司)?|混蛋|太气人|气死|恶心|忍无可忍|什么破|滚",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(speak|talk|chat|connect( me)?|transfer( me)?|put me through)\b.{0,24}"
    r"\b(human|person|agent|operator|representative|someone real)\b|转人工|人工客服|真人",
    re.IGNORECASE,
)
_INJECTION = re.compile(
    r"\b(ignore|disregard|forget|override)\b.{0,40}\b(instructions?|rules?|prompts?|polic(y|ies))\b|"
    r"\b(system prompt|developer mode|jailbreak|you are now|act as (an? )?(admin|developer|root))\b|"
    r"忽略.{0,12}(指令|规则|提示)|系统提示|开发者模式",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Guarded:
    """The message as the rest of the turn may see it, and what it gives away about itself."""

    text: str
    cut: bool
    injection: bool
    handover: HandoverReason | None


def guard(text: str) -> Guarded:
    """Clean a message and find what a person must see: danger and law first, then anger, then a wish for one.

    An injection is only marked: actions never follow from generated text, so there is nothing it could reach.
    """
    cut = len(text) > MOST_CHARACTERS
    visible = "".join(
        character
        for character in text[:MOST_CHARACTERS]
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    cleaned = _CHAT_MARKUP.sub(" ", unicodedata.normalize("NFC", visible)).strip()
    reason: HandoverReason | None = None
    if _SAFETY.search(cleaned) or _LEGAL.search(cleaned):
        reason = "policy"
    elif _ANGER.search(cleaned):
        reason = "anger"
    elif _PERSON.search(cleaned):
        reason = "requested"
    return Guarded(cleaned, cut, _INJECTION.search(cleaned) is not None, reason)


def storable(text: str) -> str:
    """The text as both databases take it: no NUL, no lone surrogate, not endless."""
    return text[:MOST_STORED_CHARACTERS].replace("\x00", "").encode("utf-8", "replace").decode()
