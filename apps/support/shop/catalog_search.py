"""The product that a few words name, found by the database: no step loads the whole catalogue."""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import case, func, literal, or_, select
from sqlalchemy.orm import Session

from apps.support.shop.models import Product
from apps.support.shop.terms import IS_CJK, terms_of

MOST_CANDIDATES = 200
SHORT = 3
"""Letters of a word that stands in many others."""
_LEAST_SHARE = 0.34
"""Of the words' or the name's pieces that must agree."""


def find_products(session: Session, words: str) -> list[Product]:
    """Products whose names have the words, best first. Plurals and missing spaces still count."""
    pieces = _pieces(words)
    if not pieces:
        return []
    name, name_zh = func.lower(Product.name), func.coalesce(Product.name_zh, "")
    fits = [
        (name_zh if IS_CJK.match(piece) else name).like(f"%{_escaped(piece)}%", escape="\\")
        for piece in pieces
    ]
    # Names with many of the words first, the short ones of them before: what fits best is among the candidates.
    matched = sum((case((fit, 1), else_=0) for fit in fits), literal(0))
    best_first = (matched.desc(), func.length(Product.name), Product.id)
    rows = session.execute(
        select(Product.id, Product.name, Product.name_zh)
        .where(or_(*fits))
        .order_by(*best_first)
        .limit(MOST_CANDIDATES)
    ).all()
    ranked = sorted(
        ((_likeness(pieces, row.name, row.name_zh), row.id) for row in rows),
        key=lambda pair: (-pair[0], pair[1]),
    )
    kept = [(score, number) for score, number in ranked if score >= _LEAST_SHARE]
    best = kept[0][0] if kept else 0.0
    places = {number: place for place, (score, number) in enumerate(kept) if score >= best - 0.15}
    found = session.scalars(select(Product).where(Product.id.in_(places)))
    return sorted(found, key=lambda product: places[product.id])


def _likeness(pieces: list[str], name: str, name_zh: str | None) -> float:
    """How well the words and a product's name agree: the mean of the shares of either that the other has."""
    best = 0.0
    for own in filter(None, (name, name_zh)):
        folded = re.sub(r"[\s-]+", "", unicodedata.normalize("NFKC", own).casefold())
        of_name = _pieces(own)
        asked = sum(_is_in(piece, folded, of_name) for piece in pieces) / len(pieces)
        said = "".join(pieces)
        covered = sum(
            piece in said or any(_is_in(asking, piece, [piece]) for asking in pieces) for piece in of_name
        ) / max(1, len(of_name))
        # The last word of an English name says what it is: "the kettle" is the Electric Kettle.
        head = bool(of_name) and of_name[-1] in pieces
        best = max(best, 0.5 * asked + 0.3 * covered + 0.2 * head)
    return best


def _is_in(piece: str, text: str, words: list[str]) -> bool:
    """Whether the text has the piece. Short ones begin a word: there is air in no chair."""
    if len(piece) > SHORT or IS_CJK.match(piece):
        return piece in text
    return any(word.startswith(piece) for word in words)


def _pieces(text: str) -> list[str]:
    """Words without a plural s; Chinese as pairs of characters."""
    found = dict.fromkeys(map(_singular, terms_of(text)))
    return [piece for piece in found if len(piece) > 1 or IS_CJK.match(piece)]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _escaped(piece: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", piece)
