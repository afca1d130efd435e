"""What a message names: order numbers, e-mails, products, options, dates, amounts, an address, a yes or a no.

Products and options are those of the shop. Whether an order exists is not asked here: nobody may learn it
before proving that the order is theirs (identity.py).
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy.orm import Session

from apps.support.reading.addresses import parse_address
from apps.support.reading.aspects import Aspect, find_aspects
from apps.support.reading.product_names import find_options, find_products
from apps.support.replies.words import languages, words_of
from apps.support.shop.models import Address

Answer = Literal["yes", "no"]
Courtesy = Literal["greeting", "thanks", "about_me"]
Wish = Literal[
    "return", "exchange", "cancel", "faulty", "stock", "price", "unsubscribe", "warranty", "everything"
]

_EMAIL = re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+", re.ASCII)
_ORDER = re.compile(r"(?<![\w@.-])#?\s?([A-Za-z]{1,4}-?\d{4,12}|\d{7,14})(?![\w@-])", re.ASCII)
_ORDER_SPELLED = re.compile(
    r"(?:order|订单)\s*(?:number|no\.?|id|号码?|编号)?\s*"
    r"(?:is|[:：#是])?\s*#?([A-Za-z]{0,4}-?\d{3,14})(?!\w)",
    re.I | re.ASCII,
)
_POSTCODE = re.compile(
    r"(?<![\w-])(\d{5}(?:-\d{4})?|\d{6}|[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2})(?![\w-])", re.ASCII
)
_POSTCODE_SPELLED = re.compile(
    r"(?:post ?code|zip(?: ?code)?|postal code|邮编|邮政编码)\s*(?:is|[:：是])?\s*"
    r"([A-Za-z]{0,2}\d[A-Za-z\d]{1,5}(?: ?\d[A-Za-z]{2})?)",
    re.I | re.ASCII,
)
_AMOUNT = re.compile(
    r"[$€£¥]\s?\d[\d,]*(?:\.\d{1,2})?|\d[\d,]*(?:\.\d{1,2})?\s?(?:USD|EUR|GBP|CNY|dollars?|euros?|元|块)",
    re.I,
)
_QUANTITY = re.compile(r"(?<![\w#.-])(\d{1,3})\s?(?:x\b|items?\b|pieces?\b|pcs\b|件|个|双|台)", re.I)
_DATE_ISO = re.compile(r"(?<!\d)(20\d{2})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?!\d)", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE_WORDS = re.compile(
    rf"\b({'|'.join(_MONTHS)})[a-z]*\.? (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (20\d{{2}}))?|"
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)? ({'|'.join(_MONTHS)})[a-z]*\.?(?: (20\d{{2}}))?",
    re.I | re.ASCII,
)
_DATE_ZH = re.compile(r"(?<![\d年])(\d{1,2})月(\d{1,2})[日号]", re.ASCII)
_RELATIVE = {"today": 0, "今天": 0, "yesterday": -1, "昨天": -1, "tomorrow": 1, "明天": 1}
_RELATIVE_WORD = re.compile(r"\b(today|yesterday|tomorrow)\b|今天|昨天|明天", re.I)

_GREETING = re.compile(
    r"[\s,.!，。！]*(?:(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|there|"
    r"你好|您好|早上好|下午好|晚上好|在吗)[\s,.!?，。！？]*){1,3}",
    re.I,
)
_THANKS = re.compile(
    r"[\s,.!]*(?:(?:ok|okay|great|perfect|good|thanks?(?: a lot| so much| very much)?|"
    r"thank you(?: so much| very much)?|bye|goodbye|that'?s all|cheers|"
    r"好的|谢谢你?您?|多谢|感谢|再见|没有了)[\s,.!，。！~]*){1,4}",
    re.I,
)
_ABOUT_ME = re.compile(
    r"[\s,.!?]*(?:(?:and |so |but )?(?:are you|is this|am i (?:talking|speaking|chatting) (?:to|with)) "
    r"(?:an? )?(?:\w+ )?(?:bot|chatbot|robot|machine|ai|computer|human|person)|who are you|what are you|"
    r"what can you do(?: for me)?|how can you help(?: me)?|help(?: me)?|"
    r"你是(?:谁|机器人|人工智能|AI)|你(?:能|会|可以)(?:做|干)?(?:什么|啥)|帮帮我)[\s,.!?，。！？吗呢]*",
    re.I,
)
_POLITE = "thanks|thank you|please|请|谢谢|嗯"
_SPACES = r"[\s,.!，。！、]*"


def _only(words: str) -> re.Pattern[str]:
    return re.compile(
        rf"{_SPACES}(?:(?:{_POLITE}){_SPACES})?(?:(?:{words}){_SPACES}){{1,3}}(?:(?:{_POLITE}){_SPACES})?",
        re.I,
    )


_POSTCODE_AT_EDGE = re.compile(
    r"(?:^|\s)(\d{5}-\d{4}|\d{4,6}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})$|^(\d{4,6})\s", re.ASCII | re.I
)


def _any_of(answer: Answer) -> str:
    """The words of all languages that say it; an apostrophe is often left out."""
    said = (getattr(words_of(language).answers, answer) for language in languages())
    return "|".join(re.escape(word).replace("'", "'?") for words in said for word in words)


# A yes counts only when the message says nothing else: "yes, but first…" is not a yes.
_ANSWERS: tuple[tuple[Answer, re.Pattern[str]], ...] = tuple(
    (answer, _only(_any_of(answer))) for answer in ("no", "yes")
)
_COURTESIES: tuple[tuple[Courtesy, re.Pattern[str]], ...] = (
    ("greeting", _GREETING),
    ("thanks", _THANKS),
    ("about_me", _ABOUT_ME),
)
_OTHER_OPTION = r"(?:different|another|wrong|other) (?:size|colou?r)"
_WISHES: tuple[tuple[Wish, str], ...] = (
    ("exchange", rf"\b(exchang\w+|swap\w*|{_OTHER_OPTION})\b|换货|换一|换成|换个"),
    (
        "return",
        r"\b(return(?:s|ed|ing)?|send (?:it|them|this) back)\b|退货|退回|退掉|[能以要想]退(?![款钱订])",
    ),
    ("cancel", r"\bcancel\b|取消(?!了|费|后|的)"),
    (
        "faulty",
        r"\b(broken|damaged|defective|faulty|cracked|crushed|torn|wrong (?:item|product|thing)|"
        r"(?:does ?n[o']?t|doesn't|not|stopped) work(?:ing)?)\b|坏了|破损|损坏|瑕疵|发错|碎了|裂了",
    ),
    ("stock", r"\b(in stock|available|availability|do you (?:have|sell|carry))\b|有货|库存|有没有|现货|有卖"),
    ("price", r"\b(how much|price|costs?)\b|多少钱|价格|价钱"),
    ("unsubscribe", r"\b(unsubscrib\w+|cancel|stop|remove|opt.?out|no longer)\b|退订|取消订阅|不想再收"),
    ("warranty", r"\b(warranty|guarantee|repair\w*)\b|保修|维修|质保"),
    (
        "everything",
        r"\b(everything|all (?:of (?:it|them)|items)|whole order|both)\b|全部|所有|整单|都退|两件",
    ),
)


_FILLERS = re.compile(
    r"\b(?:and|or|for|what about|how about|my|the|its?|it'?s|is|that'?s|e-?mail|mail|address|order|orders|number|no|"
    r"nr|id|post ?code|zip|code|here|you go|are|sorry|oh|ok|okay|sure|yes|of course|please|hi|hello|this one|one|"
    r"with|i|am|mean|meant|to|try)\b|"
    r"您好|你好|订单号?码?|编号|号码?|邮箱|邮件|邮编|地址|我的|那个?|这个?|还有|是|呢|吗|的|和|好的?|对不起|抱歉|不好意思|"
    r"[\s,.!?#'\"，。！？、:：;；()（）-]",
    re.I,
)
_ORDINALS = {
    **{word: place for place, word in enumerate(("first", "second", "third", "fourth", "fifth"), start=1)},
    **{word: place for place, word in enumerate(("1st", "2nd", "3rd", "4th", "5th"), start=1)},
    **{word: place for place, word in enumerate("一二三四五", start=1)},
    "latest": 1, "newest": 1, "most recent": 1, "newer": 1, "最新": 1, "最近": 1,
    "last": -1, "oldest": -1, "older": -1, "最后": -1, "最早": -1,
}  # fmt: skip
_ORDINAL = re.compile(
    r"\b(first|second|third|fourth|fifth|1st|2nd|3rd|4th|5th|latest|newest|newer|most recent|last|oldest|older)"
    r"(?: one| order)?\b|第?([一二三四五]|最新|最近|最后|最早)(?:一?个|单|笔|的|$)",
    re.I,
)


@dataclass(frozen=True)
class Entities:
    """What was found, in the order of mention. Order numbers are upper case and without '#'."""

    order_numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    product_ids: tuple[int, ...] = ()
    products: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    dates: tuple[date, ...] = ()
    amounts: tuple[str, ...] = ()
    quantities: tuple[int, ...] = ()
    address: Address | None = None
    wishes: tuple[Wish, ...] = ()
    asks: tuple[Aspect, ...] = ()
    ordinal: int | None = None  # "the second one": 1 is the first, -1 the last
    answer: Answer | None = None
    courtesy: Courtesy | None = None  # the message is nothing but a greeting or thanks

    def as_json(self) -> dict[str, Any]:
        """For the API and the trace: only what was found."""
        found = {name: value for name, value in asdict(self).items() if value}
        found.pop("product_ids", None)
        if "dates" in found:
            found["dates"] = [day.isoformat() for day in self.dates]
        return found


def find_entities(session: Session, text: str, today: date) -> Entities:
    """Everything that a message (of at most `guard.MOST_CHARACTERS`) names."""
    emails = _unique(match.lower() for match in _EMAIL.findall(text))
    plain = _EMAIL.sub(" ", text)
    postcodes = [*_POSTCODE_SPELLED.findall(plain), *_POSTCODE.findall(plain)]
    products = find_products(session, plain)
    return Entities(
        order_numbers=_unique(n.upper() for n in (*_ORDER_SPELLED.findall(plain), *_ORDER.findall(plain))),
        emails=emails,
        postcodes=_unique(code.strip().upper() for code in postcodes),
        product_ids=tuple(product.id for product in products),
        products=tuple(product.name for product in products),
        options=find_options(products, plain),
        dates=_dates(plain, today),
        amounts=_unique(_AMOUNT.findall(plain)),
        quantities=tuple(int(number) for number in _QUANTITY.findall(plain)),
        address=parse_address(text),
        wishes=tuple(wish for wish, pattern in _WISHES if re.search(pattern, plain, re.I)),
        asks=find_aspects(plain),
        ordinal=_ordinal(plain),
        answer=next((answer for answer, pattern in _ANSWERS if pattern.fullmatch(text)), None),
        courtesy=next((name for name, pattern in _COURTESIES if pattern.fullmatch(text)), None),
    )


def without_emails(text: str) -> str:
    """The text as a model is shown it: an address in it is proof, and nothing to be repeated or asked about."""
    return re.sub(
        r"(?:my |the |我的)?(?:e-?mail(?: address)? is|邮箱是?)?\s*" + _EMAIL.pattern,
        " ",
        text,
        flags=re.I | re.A,
    )


def with_question(found: Entities, asked: Entities) -> Entities:
    """What a message that brings a missing detail is about, together with the question that lacked it."""
    return replace(
        found,
        product_ids=found.product_ids or asked.product_ids,
        products=found.products or asked.products,
        options=found.options or asked.options,
        address=found.address or asked.address,
        wishes=tuple(dict.fromkeys((*asked.wishes, *found.wishes))),
        asks=tuple(dict.fromkeys((*asked.asks, *found.asks))),
    )


def bare_details(text: str) -> bool:
    """Whether the message only brings order numbers, e-mails or postcodes, in a few words that wish nothing."""
    rest = re.sub(r"[!-~]*[\d@][!-~]*", " ", text)
    return rest != text and not _FILLERS.sub(" ", rest).strip()


def _ordinal(text: str) -> int | None:
    if len(text) > 60:
        return None
    match = _ORDINAL.search(text)
    return None if match is None else _ORDINALS.get((match[1] or match[2]).lower())


def _dates(text: str, today: date) -> tuple[date, ...]:
    found: list[date] = []
    parts: list[tuple[int, int, int]] = [(int(y), int(m), int(d)) for y, m, d in _DATE_ISO.findall(text)]
    for month_a, day_a, year_a, day_b, month_b, year_b in _DATE_WORDS.findall(text):
        month = _MONTHS.index((month_a or month_b)[:3].lower()) + 1
        parts.append((int(year_a or year_b or today.year), month, int(day_a or day_b)))
    parts.extend((today.year, int(month), int(day)) for month, day in _DATE_ZH.findall(text))
    for year, month, day in parts:
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue  # "30 February" is no date
    found.extend(today + timedelta(days=_RELATIVE[m[0].lower()]) for m in _RELATIVE_WORD.finditer(text))
    return tuple(dict.fromkeys(found))


def _unique(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
