"""Messages about what the shop sells."""

from __future__ import annotations

from dataclasses import replace

from apps.support.reading.commands import Command
from evaluation.reader_data.drawing import (
    Drawing,
    Filled,
    Reading,
    UnfitError,
)
from evaluation.reader_data.noise import keep
from evaluation.reader_data.scenes import Item


def about_product(verb: str) -> Reading:
    def read(drawing: Drawing) -> Filled:
        product = drawing.rng.choice(drawing.catalog.products)
        drawing.slots["product"] = drawing.slots["item"] = keep(product.called(drawing.language, drawing.rng))
        drawing.option_slots(Item("a", product, product.variant(drawing.rng), "P"))
        if not (drawing.has("product") or drawing.has("item")):
            return drawing.fill([Command(verb)])
        return drawing.fill([Command(verb, words="…")])  # the words are taken from the message as it is typed

    return read


def about_that_product(drawing: Drawing) -> Filled:
    product = drawing.rng.choice(drawing.catalog.products)
    drawing.option_slots(Item("a", product, product.variant(drawing.rng), "P"))
    name = product.name_zh if drawing.language == "zh" else product.name
    return drawing.fill([Command("product")], product=name, last="product", takes_context=False)


def harmless(drawing: Drawing) -> Filled:
    tag, _, words = drawing.wording.tag.partition(":")
    words = words.strip()
    if tag == "product":
        if words not in drawing.wording.text or not words:
            raise UnfitError
        drawing.wording = replace(drawing.wording, text=drawing.wording.text.replace(words, keep(words), 1))
        return drawing.fill([Command("product", words="…")])
    if tag in ("status", "thanks", "return", "problem", "none", "cancel", "swap", "warranty"):
        return drawing.fill([Command(tag)])
    raise UnfitError
