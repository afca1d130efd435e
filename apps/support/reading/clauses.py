"""Where a message that asks for several things falls apart: "how much is express delivery, and can I return it?".

Only the form is looked at here. Whether the parts really want different things is for the recogniser to say
(understanding.py).
"""

from __future__ import annotations

import re

MOST_WISHES = 3

_QUESTION = (
    r"(?:(?:can|could|may|will|would|do|does|did|is|are|was|were|has|have|should)(?:n['’]?t)?\s+"
    r"(?:i|we|you|u|it|they|there|this|that|these|those|the|my|your|an?|any|orders?|express|standard|delivery|shipping)\b|"
    r"(?:how|what|when|where|which|who|why)(?:['’]?s)?\b)"
)
_REQUEST = (
    r"(?:please\b|tell me\b|let me know\b|i(?:['’]d| would)?(?: also| still)? (?:like|want|need|wish)\b|"
    r"i (?:wanna|gotta|have to|forgot|lost)\b)"
)
_DEED = (
    r"(?:please )?(?:cancel|change|update|correct|track|check|return|exchange|swap|refund|send|show|give|"
    r"subscribe|unsubscribe|sign|delete|create|find|explain)\b"
)
_JOINT = r"(?:and|plus|but|or)"
_CUT = re.compile(
    r"(?<=[.!?;])\s+|\n+|(?<=[。！？；，])\s*|(?<=[?!,])(?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])|"
    rf",?\s+{_JOINT}\s+(?=(?:also\s+|then\s+)?(?:{_QUESTION}|{_REQUEST}|(?:whether|if)\s+(?:i|we|you|it|my|the)\b))|"
    rf",?\s+(?:{_JOINT}\s+)?(?=also,?\s+(?:{_QUESTION}|{_REQUEST}|{_DEED}))|"
    rf",\s*(?={_QUESTION})(?![^.?!]*\b(?:it|that|this|them)\b)",  # "what about returns, do I pay for it?"
    re.IGNORECASE,
)
_LINK = re.compile(
    r"^[\s,，、;；:：]*(?:(?:and|also|plus|but|or|so|then|besides|by the way|btw|one more (?:thing|question)|"
    r"another (?:thing|question))\b[\s,:]*|"
    r"(?:还有|另外|此外|以及|顺便(?:问一?下|问问)?|同时|并且|而且)[，,、:：\s]*)*",
    re.IGNORECASE,
)
_WISH = re.compile(
    rf"^(?:(?:hi|hello|hey|so|ok|okay|well|sorry|first|second(?:ly)?|then)\b[\s,!.]*)*(?:{_QUESTION}|{_REQUEST}|{_DEED})|"
    rf"^(?:whether|if) |\b{_REQUEST}|\?\s*$|"
    r"吗|呢[？?]?$|什么|多少|多久|几[天个点号]|哪|怎么|如何|[能可][不否]|是否|是不是|有没有|帮我|帮忙|"
    r"我想|我要|想要|想问|需要|麻烦|查一?下|[改换]成|？\s*$|^(?:请|再)?(?:取消|退货|换货|[修更]改)(?!.*(?:[了中]$|的))",
    re.IGNORECASE,
)
_NO_WISH = re.compile(
    r"^(?:(?:hi|hello|hey)\b[\s,!.]*)?(?:i|we) (?:want|need|have|would like|['’]?d like)(?: to (?:have|get))? "
    r"(?:an?|some|more|your|to ask|two|several)?\s*"
    r"(?:information|info|help|assistance|something|(?:few )?questions?)[\s.!,]*$|"
    r"^(?:can|could|would|will) (?:you|u|i) (?:please )?"
    r"(?:(?:give|show|send|get|have)(?: me)? (?:some |more |any )?\s*inform\w+|"
    r"(?:help|assist)(?:\s+me|\s+us)?(?: with (?:it|this|that))?)"
    r"(?:,? please)?[\s?.!]*$|^[\u3400-\u9fff]{1,3}[？?。！]?$|"
    r"^(?:我)?(?:不[想用要]|别)|^(?:你好|您好|请问|我?想问一?下|我?需要帮助|帮帮?我)[，,。]?$",
    re.IGNORECASE,
)


def wish_clauses(text: str) -> list[str]:
    """The parts of a message that each ask or request something, in order; the whole text where it is one.

    What asks nothing ("my e-mail is …") stays with the wish that follows it, or with the last one. More than
    MOST_WISHES are a story, and no list: that stays whole as well.
    """
    starts = [0, *(cut.end() for cut in _CUT.finditer(text))]
    ends = [*(cut.start() for cut in _CUT.finditer(text)), len(text)]
    wishes: list[tuple[int, int]] = []
    begun: int | None = None
    for start, end in zip(starts, ends, strict=True):
        begun = start if begun is None else begun
        clause = _bare(text[start:end])
        if _WISH.search(clause) and not _NO_WISH.search(clause):
            wishes.append((begun, end))
            begun = None
    if not 2 <= len(wishes) <= MOST_WISHES:
        return [text]
    wishes[-1] = (wishes[-1][0], len(text))
    return [_bare(text[start:end]) for start, end in wishes]


def _bare(clause: str) -> str:
    """The clause without the words that only link it to what stands before."""
    return re.sub(r"(?:[\s,，、;；]|还有|另外)+$", "", _LINK.sub("", clause))
