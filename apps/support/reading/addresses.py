"""Postal addresses in messages, as they are written in English and in Chinese."""

from __future__ import annotations

import re

from apps.support.shop.models import Address

MOST_CHARACTERS = 120
"""No part of an address is longer."""

_POSTCODE_AT_AN_END = re.compile(r"(?:^|\s)([A-Z\d][A-Z\d -]{3,8}\d[A-Z\d-]*)$|^(\d{4,6})\b", re.ASCII)

_CHINESE_LEAD = re.compile(r"^.{0,60}?(?:地址[是为]?|[改换变][成为到]|[寄送发][到往])[:：，,\s]*")
_CHINESE_POSTCODE = re.compile(r"(?:邮政编码|邮编)?[是:：\s]*(?<!\d)(\d{6})(?!\d)", re.ASCII)
_CHINESE_ADDRESS = re.compile(
    r"(?:中国)?"
    r"(?P<region>[\u3400-\u9fff]{2,7}?(?:省|自治区|特别行政区))?"
    r"(?P<city>(?:北京|上海|天津|重庆)市?|[\u3400-\u9fff]{2,7}?(?:市|自治州|地区|盟)|"
    r"[\u3400-\u9fff]{2}(?=[\u3400-\u9fff]{2,4}[区县]))"
    r"(?P<district>[\u3400-\u9fff]{1,7}?[区县市旗])?"
    r"(?P<street>[^区县].*(?:\d|[号路街道巷弄村楼]).*)"
)


def parse_address(text: str) -> Address | None:
    """An address as "street, city, region postcode, country" (region and country may be missing) or in the
    Chinese order, from the region or city to the street, with the postcode before or after it.

    Returns None where a street with a number, a city and a postcode cannot be told apart.
    """
    return None if "@" in text else _largest_first(text) or _street_first(text)


def _street_first(text: str) -> Address | None:
    lines = re.split(r"\s*[,，\n;；]\s*", re.sub(r"^[^:：]{0,80}[:：]", "", text.strip()))
    parts = [part.strip(" .。") for part in lines if part.strip(" .。")]
    if not 3 <= len(parts) <= 7 or any(len(part) > MOST_CHARACTERS for part in parts):
        return None
    street = re.sub(r"^.*\b(?:to|is|address)\s+(?=\d)", "", parts[0], flags=re.I)
    if not re.search(r"\d|号|路|街", street):
        return None
    for position in range(len(parts) - 1, 0, -1):
        match = _POSTCODE_AT_AN_END.search(parts[position])
        if match:
            postcode = match[1] or match[2]
            rest = parts[position].replace(postcode, "").strip()
            between = parts[1:position]
            after = parts[position + 1 :]
            city, region = (between[-1], rest) if between else (rest, "")
            if not city:
                return None
            return Address(street, ", ".join(between[:-1]), city, region, postcode, after[0] if after else "")
    return None


def _largest_first(text: str) -> Address | None:
    postcode = _CHINESE_POSTCODE.search(text)
    if postcode is None or len(text) > 4 * MOST_CHARACTERS:
        return None
    rest = f"{text[: postcode.start()]} {text[postcode.end() :]}"
    while (bare := _CHINESE_LEAD.sub("", rest, count=1)) != rest:
        rest = bare
    # What stands between Chinese characters are only marks between the parts.
    rest = re.sub(r"(?<![A-Za-z\d])[\s,，;；]+|[\s,，;；]+(?![A-Za-z\d])", "", rest)
    match = _CHINESE_ADDRESS.match(rest)
    if match is None:
        return None
    street = re.sub(r"(?:中国)?[。.]?(?:谢谢)?[。.!！]?$", "", match["street"])
    if len(street) > MOST_CHARACTERS:
        return None
    return Address(street, match["district"] or "", match["city"], match["region"] or "", postcode[1], "中国")
