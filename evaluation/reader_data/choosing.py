"""Examples for the second reading: which option of a product a message wants, whatever else stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from apps.support.reading.choices import OptionTable
from evaluation.reader_data.catalog import Catalog, Product
from evaluation.reader_data.choices import choice_of
from evaluation.reader_data.drawing import Drawing, UnfitError
from evaluation.reader_data.noise import mistype, unmarked
from evaluation.reader_data.scenes import CITIES, Scene
from evaluation.reader_data.wordings import Wording

REFUSED, BESIDE, PLACED = 0.2, 0.2, 0.2
"""How many of the messages begin with a no, stand beside a wish about another item, and say where the item is."""
NOISE = 0.3
_OFTEN = ("swap.options", "option.values", "option.new", "swap.new", "swap.instead", "product.option")
_BESIDE = ("swap.options", "swap.new", "swap.instead")
_JOINTS = {
    "en": (" and ", ", and ", ". Also ", "; ", ", ", "\n", " and also "),
    "zh": ("，", "，还有", "；", "，另外"),
}
_TURNS = {"en": (" ", ", ", ". ", " - ", ". I want: "), "zh": ("，", "。", "，我要")}


@dataclass(frozen=True)
class Choice:
    """A message about one product's options and what it wants of them; `text` has marks around what stays as it is."""

    kind: str
    wording: Wording
    product: Product
    table: OptionTable
    text: str
    completion: str


class ChoiceMaker:
    """Draws choices from a catalogue and people's messages."""

    def __init__(
        self,
        catalog: Catalog,
        wordings: Mapping[str, Sequence[Wording]],
        phrases: Sequence[Wording],
        rng: Random,
    ) -> None:
        self._catalog = catalog
        self._wordings = wordings
        self._phrases = phrases
        self._rng = rng
        self._products = [product for product in catalog.products if product.options]

    def draw(self, count: int) -> Iterator[tuple[str, str, str]]:
        """(prompt, completion, kind)."""
        kinds = [
            kind
            for kind in self._wordings
            if kind.startswith(("swap.", "option.", "product.", "correct.option"))
        ]
        kinds += [kind for kind in _OFTEN if kind in self._wordings] * 3
        made = 0
        while made < count:
            choice = self._choice(self._rng.choice(kinds))
            if choice is not None:
                made += 1
                text = unmarked(mistype(self._framed(choice), self._rng, NOISE))
                yield choice.table.render(text), choice.completion, f"choice.{choice.kind}"

    def _choice(self, kind: str) -> Choice | None:
        rng = self._rng
        wording = rng.choice(self._wordings[kind])
        product = rng.choice(self._products)
        variants = [product.variant(rng) for _ in range(rng.randint(2, 14))]
        present = rng.choice(variants)
        table = OptionTable.of(
            product.name_zh if wording.language == "zh" and rng.random() < 0.7 else product.name,
            variants,
            {} if kind.startswith("product.") else present,
        )
        drawing = Drawing(Scene(False, wording.language), self._catalog, wording, rng)
        made = choice_of(drawing, kind, product, present, table)
        return None if made is None else Choice(kind, wording, product, table, *made)

    def _framed(self, choice: Choice) -> str:
        """The message as it stands in a longer one."""
        text, language = choice.text, choice.wording.language
        if not choice.table.present:
            return text
        named = "{item}" in choice.wording.text and "{item2}" not in choice.wording.text
        if named and self._rng.random() < BESIDE:
            text = self._beside_another(choice)
        elif named and self._rng.random() < PLACED:
            text = self._placed(text, choice)
        if self._rng.random() < REFUSED:
            refusals = [w.text for w in self._wordings["no"] if w.language == language and "{" not in w.text]
            short = (
                ("no", "No", "nah", "nope", "no no", "not that")
                if language == "en"
                else ("不", "不是", "不对")
            )
            refusal = self._rng.choice((*refusals, *short * (1 + len(refusals) // len(short))))
            text = refusal.rstrip(" .!?。！？") + self._rng.choice(_TURNS[language]) + text
        return text

    def _beside_another(self, choice: Choice) -> str:
        """With a wish about another product, whose options are no wish about this one."""
        for _ in range(20):
            other = self._choice(self._rng.choice(_BESIDE))
            if (
                other is not None
                and other.wording.language == choice.wording.language
                and "{item}" in other.wording.text
                and not other.product.words & choice.product.words
            ):
                texts = [choice.text.rstrip(" .!?。！？"), other.text.rstrip(" .!?。！？")]
                self._rng.shuffle(texts)
                return self._rng.choice(_JOINTS[choice.wording.language]).join(texts)
        return choice.text

    def _placed(self, text: str, choice: Choice) -> str:
        phrases = [phrase for phrase in self._phrases if phrase.language == choice.wording.language]
        if not phrases:
            return text
        phrase = self._rng.choice(phrases)
        drawing = Drawing(Scene(False, phrase.language), self._catalog, phrase, self._rng)
        other = self._rng.choice(self._catalog.products)
        if other.words & choice.product.words:
            return text
        drawing.slots |= {
            "order": "#P",
            "city": self._rng.choice(CITIES),
            "item2": other.called(phrase.language, self._rng),
        }
        try:
            said = drawing.fill([]).text
        except UnfitError:
            return text
        joint = " " if phrase.language == "en" and (said[0].isalnum() or said[0] in "(-#") else ""
        return text.rstrip(" .!?。！？") + joint + said
