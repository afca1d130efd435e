"""Facts as a reply may say them: one true value, and every way to write it in the reply's language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_name, get_currency_symbol

from apps.support.shop.money import decimal_amount, format_amount
from apps.support.words import Language, languages, words_of

_SYMBOL = r"(?:[A-Z]{0,3}[$€£¥₩₫₹₽₺₴₪฿₱]|[A-Z]{3}(?![A-Za-z]))"
_AMOUNT = re.compile(
    rf"(?<![\w.,#-]){_SYMBOL} ?\d[\d.,]*(?<![.,])|(?<![\w.,#$€£¥-])\d[\d.,]*(?<![.,]) ?{_SYMBOL}(?![A-Za-z]| ?\d)"
)
_CHINESE_DATE = re.compile(r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日")
_SMALL_WITH_WORD = re.compile(r"\d{1,3} [A-Za-zÀ-ÿ]+")
_FIGURE = re.compile(r"[#$€£¥]?[A-Za-z0-9_.+-]*\d[A-Za-z0-9_.,:/+@-]*[%°]?|[\w.+-]+@[\w.-]+")
_SPACES = re.compile(r"[\u00a0\u202f]")


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
    text = _SPACES.sub(" ", text)
    found = _CHINESE_DATE.findall(text)
    text = _CHINESE_DATE.sub(" ", text)
    for match in _counted().finditer(text):
        found.extend(_counts(match[1], match[2], match[3]))
    rest = _counted().sub(" ", text)
    for match in _AMOUNT.finditer(rest):
        found.append(match[0])
    rest = _AMOUNT.sub(" ", rest)
    for match in _FIGURE.finditer(rest):
        figure = match[0].rstrip(".,:;-/!?")
        unit = _SMALL_WITH_WORD.match(rest, match.start())
        found.append(unit[0] if unit else figure)
    return [figure for figure in found if figure]


def missing(facts: Iterable[Fact], reply: str) -> list[Fact]:
    """The facts that the customer must hear and that the reply does not say."""
    return [fact for fact in facts if fact.must_be_heard and not fact.heard_in(reply)]


@cache
def _counted() -> re.Pattern[str]:
    """A count or a range of counts before its unit, in any of the languages."""
    figures = [words_of(language).figures for language in languages()]
    units = sorted({unit for words in figures for unit in words.units}, key=lambda unit: (-len(unit), unit))
    joints = sorted({joint.strip() for words in figures for joint in words.ranges})
    # "Tag" is not counted in "3 Tagungen"; Chinese has no ends of words.
    ways = [re.escape(unit) + (r"(?![A-Za-zÀ-ÿ])" if unit[-1].isascii() else "") for unit in units]
    joined = "|".join(map(re.escape, joints))
    return re.compile(rf"(\d+)(?:\s*(?:{joined})\s*(\d+))?\s*(?:-\s*)?({'|'.join(ways)})")


def _counts(low: str, high: str | None, unit: str) -> Iterator[str]:
    """The ways to say a count or a range with its unit."""
    numbers = [low]
    if high is not None:
        numbers = []
        for words in (words_of(language).figures for language in languages()):
            numbers += [f"{low}{joint}{high}" for joint in words.ranges]
            numbers.append(words.between.format(low=low, high=high))
    for number in dict.fromkeys(numbers):
        yield from (f"{number} {unit}", f"{number}-{unit}", f"{number}{unit}")
        if unit.endswith("s"):
            yield f"{number}-{unit[:-1]}"


def _write(value: Value, language: Language) -> tuple[str, tuple[str, ...]]:
    if isinstance(value, Money):
        text = format_amount(value.minor, value.currency, language)
        return text, tuple(dict.fromkeys(_amount_forms(value, language)))
    if isinstance(value, date):
        return _write_date(value, language)
    if isinstance(value, int):
        said = [
            form
            for words in (words_of(spoken).figures for spoken in languages())
            for form in (words.numbers[value].split("|") if 0 <= value < len(words.numbers) else ())
        ]
        return str(value), tuple(said)
    return value, (value.removeprefix("#"),) if value.startswith("#") else ()


def _amount_forms(value: Money, language: Language) -> Iterator[str]:
    """`$1,299.00` also as `1,299.00 USD`, `1299.00 US dollars` and so on, by the rules of the language alone:
    what is one thousand in one language is one in another."""
    amount, code = decimal_amount(value.minor, value.currency), value.currency
    figures = [_number(amount, code, language, grouping) for grouping in (True, False)]
    if amount == amount.to_integral_value():
        figures.append(_number(amount, code, language, True, whole=True))
    name = get_currency_name(code, count=amount, locale=language)
    units = dict.fromkeys((code, get_currency_symbol(code, locale=language), name, name.split()[-1]))
    symbols = [get_currency_symbol(code, locale=language), get_currency_symbol(code, locale="en_US"), code]
    narrow = re.sub(r"^[A-Z]+(?=\W)", "", symbols[0])  # "$" of "US$"
    for figure in figures:
        for symbol in dict.fromkeys((*symbols, narrow)):
            yield f"{symbol}{figure}"
            yield f"{symbol} {figure}"
        for unit in (*units, narrow):
            yield f"{figure} {unit}"
            yield f"{figure}{unit}"
        if symbols[0] != code:
            yield f"{symbols[0]}{figure} {code}"


def _number(
    amount: Decimal, currency: str, language: Language, grouping: bool, *, whole: bool = False
) -> str:
    """The amount's bare figure; whole: without its decimals."""
    pattern = "#,##0" if whole else "#,##0.00"
    written = format_currency(
        amount, currency, pattern, locale=language, currency_digits=not whole, group_separator=grouping
    )
    return _SPACES.sub(" ", written).strip()


def _write_date(day: date, language: Language) -> tuple[str, tuple[str, ...]]:
    patterns = words_of(language).dates
    text, *forms = (
        _SPACES.sub(" ", format_date(day, pattern, locale=language))
        for pattern in (patterns.text, *patterns.forms)
    )
    return text, (*forms, day.isoformat())


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _stands_in(form: str, reply: str) -> bool:
    """Whether `form` stands in the reply as a whole word: "5" is not heard in "15 days"."""
    edge = r"[a-z0-9]"
    return re.search(rf"(?<!{edge})(?<!\d[.,:]){re.escape(form)}(?!{edge}|[.,:]\d)", reply) is not None
