"""Reading a question about a product and finding it: in a large catalogue against a small one."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from itertools import product as combinations
from pathlib import Path

import numpy as np

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.shop.database import Database
from apps.support.shop.importing import import_file
from evaluation.errors import EvaluationError

SMALL = 50
_MATERIALS = "Oak Walnut Steel Glass Copper Linen Cotton Wool Leather Bamboo Marble Ceramic Rubber Velvet"
_ROOMS = "Kitchen Garden Office Bedroom Travel Bathroom Camping Nursery Garage Balcony Hallway Studio"
_THINGS = """
    Lamp Table Chair Shelf Basket Clock Mirror Rug Bench Kettle Tray Cushion Blanket Rack Box Vase Stool
    Cabinet Curtain Bowl Jug Hook Mat Bin Frame Drawer Ladder Fan Heater Speaker Scale Tent Bag Mug Plate
    Pan Knife Brush Towel Pillow Sofa Desk Planter Hose Rake Shovel Grill Cooler Lantern Stove Bucket Broom
    Iron Kit Case Stand Cart Crate Candle Bell
"""
_QUESTIONS = (
    "how much is the {product}?",
    "do you have the {product} in stock?",
    "I'm looking for a {product}, what does it cost",
    "is the {product} available right now",
)


def product_names(count: int, seed: int = 1) -> list[str]:
    """Distinct names of three words each, so that every word stands in many of them. Raises EvaluationError."""
    names = [
        " ".join(words) for words in combinations(*(words.split() for words in (_MATERIALS, _ROOMS, _THINGS)))
    ]
    if count > len(names):
        raise EvaluationError(f"there are names for {len(names):,} products, not for {count:,}")
    return random.Random(seed).sample(names, count)


def fill(database: Database, names: Sequence[str], folder: Path) -> None:
    """A shop that sells them, without orders."""
    file = folder / f"products-{len(names)}.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("sku", "product", "price", "currency", "stock"))
        writer.writerows((f"S-{at}", name, f"{10 + at % 90}.50", "USD", 5) for at, name in enumerate(names))
    import_file(database, file)


def catalog_speed(
    small: SupportPipeline,
    large: SupportPipeline,
    names: Sequence[str],
    questions: int,
    on_question: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, float]:
    """The same questions to both shops in turn, about `names`, which both sell.

    Milliseconds are those of reading the message and of the playbook that looks the product up, without the reply.
    `found`: the share of the answers that are about the product, and no other.
    """
    times: dict[str, list[float]] = {"small": [], "large": []}
    found = dict.fromkeys(times, 0)
    for at in range(questions + 1):
        name = names[at % len(names)]
        text = _QUESTIONS[at % len(_QUESTIONS)].format(product=name.lower())
        for shop, pipeline in (("small", small), ("large", large)):
            milliseconds, reply = _ask(pipeline, text)
            if at == 0:
                continue  # the weights are read for the first time
            times[shop].append(milliseconds)
            found[shop] += name.casefold() in reply.casefold()
        on_question(at, questions)
    medians = {shop: float(np.median(measured)) for shop, measured in times.items()}
    return {
        "questions": float(questions),
        "small_p50_ms": medians["small"],
        "large_p50_ms": medians["large"],
        "large_to_small": medians["large"] / medians["small"],
        "small_found": found["small"] / questions,
        "large_found": found["large"] / questions,
    }


def _ask(pipeline: SupportPipeline, text: str) -> tuple[float, str]:
    with pipeline.database.write() as session:
        conversation = records.open_conversation(
            session, channel="benchmark", language=None, trusted_email=None
        ).id
    reply = pipeline.answer(conversation, text).reply
    with pipeline.database.read() as session:
        times = records.traces_of(session, conversation)[-1].milliseconds
    return times["read"] + times["playbook"], reply
