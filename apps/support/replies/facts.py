"""Facts as a reply may say them: one true value, and every way to write it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from apps.support.replies.language import Language
from apps.support.shop.money import SYMBOLS, format_amount

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WORDS = tuple("zero one two three four five six seven eight nine ten eleven twelve".split())  # noqa: SIM905
_HAN = "零一二三四五六七八九十"
_UNITS = (
    r"(?:business |working |calendar )?(?:days?|hours?|minutes?|months?|weeks?|years?)|"
    r"stars?|items?|attempts?"
    r"|个?(?:工作日|小时|月)|分钟|天|年|星|件|次|×"
)
_COUNTED = re.compile(rf"(\d+)(?:\s*(?:to|-|–|至|到)\s*(\d+))?\s*(?:-\s*)?({_UNITS})")
_CHINESE_DATE = re.compile(r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日")
_SMALL_WITH_WORD = re.compile(r"\d{1,3} [A-Za-z]+")
_FIGURE = re.compile(r"[#$€£¥]?[A-Za-z0-9_.+-]*\d[A-Za-z0-9_.,:/+@-]*[%°]?|[\w.+-]+@[\w.-]+")


@dataclass(frozen=True)
class Money:
    minor: int
    currency: str


Value = str | int | date | Money


@dataclass(frozen=True)
class Fact:
    """`text` is how the written sentence says it; `forms` are the other ways a reply may."""

    name: str
    text: str
    forms: tuple[str, ...]
    must_be_heard: bool

    def heard_in(self, reply: str) -> bool:
        folded = _fold(reply)
        return any(_stands_in(_fold(form), folded) for form in (self.text, *self.forms))


def make_fact(name: str, value: Value, language: Language, *, must: bool) -> Fact:
    text, forms = _write(value, language)
    return Fact(name, text, forms, must)


def figures_in(text: str) -> list[str]:
    """The figures of a written sentence, as a reply may repeat them: a count only together with its unit."""
    found = _CHINESE_DATE.findall(text)
    text = _CHINESE_DATE.sub(" ", text)
    for match in _COUNTED.finditer(text):
        low, high, unit = match[1], match[2], match[3]
        numbers = (
            [low]
            if high is None
            else [f"{low}{joint}{high}" for joint in (" to ", "-", "–", "至", " 至 ", "到")]
        )
        if high is not None:
            numbers.append(f"between {low} and {high}")
        for number in numbers:
            found.extend((f"{number} {unit}", f"{number}-{unit}", f"{number}{unit}"))
            if unit.endswith("s"):
                found.append(f"{number}-{unit[:-1]}")
    rest = _COUNTED.sub(" ", text)
    for match in _FIGURE.finditer(rest):
        figure = match[0].rstrip(".,:;-/!?")
        unit = _SMALL_WITH_WORD.match(rest, match.start())
        found.append(unit[0] if unit else figure)
    return [figure for figure in found if figure]


def missing(facts: Iterable[Fact], reply: str) -> list[Fact]:
    """The facts that the customer must hear and that the reply does not say."""
    return [fact for fact in facts if fact.must_be_heard and not fact.heard_in(reply)]


def _write(value: Value, language: Language) -> tuple[str, tuple[str, ...]]:
    if isinstance(value, Money):
        text = format_amount(value.minor, value.currency)
        figure = text.strip("".join(SYMBOLS.values())).removesuffix(value.currency).strip()
        plain = figure.replace(",", "")
        code = value.currency
        forms = [
            f"{code} {figure}",
            f"{figure} {code}",
            f"{text} {code}",
            text.replace(",", ""),
            f"{plain} {code}",
        ]
        if code == "USD":
            forms += [f"{figure} dollars", f"{plain}美元", f"{figure}美元", f"{plain} 美元"]
        if figure.endswith(".00"):
            forms.append(text.removesuffix(".00"))
        return text, tuple(dict.fromkeys(forms))
    if isinstance(value, date):
        return _write_date(value, language)
    if isinstance(value, int):
        words = (_WORDS[value],) if 0 <= value < len(_WORDS) else ()
        han = (_HAN[value],) if 0 <= value < len(_HAN) else ()
        return str(value), (*words, *han, *(("两",) if value == 2 else ()))
    return value, (value.removeprefix("#"),) if value.startswith("#") else ()


def _write_date(day: date, language: Language) -> tuple[str, tuple[str, ...]]:
    month = _MONTHS[day.month - 1]
    chinese = f"{day.year}年{day.month}月{day.day}日"
    english = f"{month} {day.day}, {day.year}"
    forms = (
        english,
        f"{month} {day.day} {day.year}",
        f"{month} {day.day}",
        f"{day.day} {month} {day.year}",
        f"{day.day} {month}",
        f"{month[:3]} {day.day}, {day.year}",
        f"{month[:3]} {day.day}",
        chinese,
        f"{day.year} 年 {day.month} 月 {day.day} 日",
        f"{day.month}月{day.day}日",
        f"{day.month} 月 {day.day} 日",
        day.isoformat(),
    )
    return (chinese if language == "zh" else english), forms


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _stands_in(form: str, reply: str) -> bool:
    """Whether `form` stands in the reply as a whole word: "5" is not heard in "15 days"."""
    edge = r"[a-z0-9]"
    return re.search(rf"(?<!{edge})(?<!\d[.,:]){re.escape(form)}(?!{edge}|[.,:]\d)", reply) is not None
