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
    r"(to|in) court|take you to court|small claims|consumer protection|gdpr request|subpoena)\b|"
    r"律师|起诉|法院|诉讼|消费者协会|工商局|12315",
    re.IGNORECASE,
)
_SAFETY = re.compile(
    r"\b(caught fire|on fire|burn(t|ed|ing)|smoking|started to smoke|smokes|smoke (came|comes|is coming)|"
    r"explod\w*|electric shock|electrocuted|injur\w+|hurt (me|my|him|her|us)|bleeding|hospitali[sz]ed|"
    r"(in|into|to) (the )?(hospital|emergency room)|allergic reaction|poison\w*|"
    r"leak(s|ing|ed)? (acid|battery|gas))\b|"
    r"起火|着火|冒烟|爆炸|触电|受伤|烫伤|流血|(住|进|去)了?医院|过敏|中毒|漏电",
    re.IGNORECASE,
)
_ANGER = re.compile(
    r"\b(fuck (you|off|this)|bullshit|wtf|idiots?|morons?|scam(mers?)?|thieves|fraud|"
    r"worst (shop|store|service|company)|furious|sick (and tired )?of (this|you)|fed up|"
    r"unacceptable|disgusting|pathetic|rip.?off|outrageous|useless|ridiculous|joke of a \w+|"
    r"(lied|lying) to me|liars?|(third|fourth|fifth|tenth|hundredth) time (i|that i)|waste of (my )?time)\b|"
    r"骗子|垃圾(店|客服|公司|服务|平台|东西)|[太真]垃圾|混蛋|太气人|气死|恶心|忍无可忍|什么破|滚(蛋|开)|太过分|"
    r"没用的东西|耍我|糊弄|第[三四五六七八九十]次(了|问|找|联系)",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(speak|talk|chat|connect( me)?|transfer( me)?|put me through)\b.{0,24}"
    r"\b(human|person|agent|operator|representative|manager|supervisor|someone|somebody|colleague)\b|"
    r"\b(real|live|actual) (human|person|agent)\b|\bhuman (agent|being|please|now)\b|"
    r"^\W*(human|agent|operator)\W*$|\b(want|need|get me|call|see|ask for) (your|the|a|my) (manager|supervisor)\b|"
    r"转接?人工|人工客服|人工服务|找人工|接人工|^人工$|真人|客服人员|(你们|找)(经理|主管|领导)",
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


def is_danger(text: str) -> bool:
    """Whether the text tells of a danger to somebody."""
    return _SAFETY.search(text) is not None


def storable(text: str) -> str:
    """The text as both databases take it: no NUL, no lone surrogate, not endless."""
    return text[:MOST_STORED_CHARACTERS].replace("\x00", "").encode("utf-8", "replace").decode()
