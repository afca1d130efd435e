"""Examples for the reader from situations, wordings and labelled messages: (prompt, completion, kind)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from apps.support.reading import postal
from apps.support.reading.commands import write
from evaluation.reader_data.answers import draw_question
from evaluation.reader_data.catalog import Catalog, is_chinese
from evaluation.reader_data.choosing import ChoiceMaker
from evaluation.reader_data.drawing import Drawing, Filled, UnfitError
from evaluation.reader_data.joining import merged, with_words
from evaluation.reader_data.kinds import reading_of
from evaluation.reader_data.labelled import command_of_intent
from evaluation.reader_data.locating import DESCRIBED, LOCATED, Telling, located
from evaluation.reader_data.noise import kept_span, mistype, unmarked
from evaluation.reader_data.proposals import draw_proposal
from evaluation.reader_data.scenes import Scene, draw_scene
from evaluation.reader_data.wordings import Wording

MOST_TRIES = 60
GUESTS, GUESTS_ASKING = 0.2, 0.4
"""How many are not signed in: of all, and of those whose message names no order and no item."""
CRITICAL = frozenset({"yes", "no", "wait", "about", "danger", "law", "anger", "harmless", "correct"})
CRITICAL_TIMES = 2
CONTEXTS = 0.3
ASKED_BESIDE = 0.12
NOISE = 0.3
NUMBERED = 0.12
"""How many messages with two wishes are a numbered list."""
RESTATED = "restated"
"""The kind of the phrases with which people say once more what they want; they are no messages of their own."""
RESTATED_SHARE = 0.07
OF_SEVERAL = 3
"""Of so many located wishes one is about things that the customer has in several orders."""
_GREETINGS = {
    "en": (
        "Hi, ",
        "Hello, ",
        "hey ",
        "Hi there! ",
        "Good morning. ",
        "hi\n",
        "Hello team, ",
        "Dear support, ",
    ),
    "zh": ("你好，", "您好，", "亲，", "在吗？", "你好 ", "請問，"),
}
_JOINTS = {
    "en": (". Also, ", ". And ", " and also ", "\n", ". ", ", and ", "; ", ". Then ", " + ", ". Oh and "),
    "zh": ("，另外", "。还有，", "，顺便", "。", "\n", "，然后", "；"),
}
_TURNS = {"en": (". ", ", ", ". Instead ", ". But ", " - "), "zh": ("。", "，", "，我")}
_WISHES = re.compile(
    r"^(cancel|return|swap|readdress|drop)\.(item|number|two|options|new|instead|city|given|profile|mistake|reason|cheapest|same|two_options|any)$|^home\.|^all\.|^repay"
)
_OF_AN_ITEM = re.compile(
    r"^(return|swap|drop|problem)\.(item|reason|options|new|instead|not|cheapest|dearest|same|keep|any)$"
)
_OF_AN_ORDER = re.compile(
    r"^(status|tracking|items|total|shipsto|placed|payment|refund|invoice|cancel|return|late|lost)\.number$"
)
_NAMED_BY_NUMBER_ALONE = re.compile(r"(?<!order )(?<!Order )(?<!订单)(?<!訂單)\{order\}(?![号號])")
_QUESTIONS = re.compile(
    r"^(status|tracking|items|total|price|shipsto|payment|refund|balance|profile|product|invoice|sum)\b.*\.(item|number|bare|card|price|stock|show|back|cheapest)$"
)


@dataclass(frozen=True)
class Example:
    prompt: str
    completion: str
    kind: str


class Maker:
    """Draws examples; the same seed draws the same."""

    def __init__(self, catalog: Catalog, wordings: dict[str, list[Wording]], seed: int) -> None:
        self._catalog = catalog
        self._phrases = wordings.get(LOCATED, [])
        self._descriptions = wordings.get(DESCRIBED, [])
        self._restated = wordings.get(RESTATED, [])
        phrases = (LOCATED, DESCRIBED, RESTATED)
        self._wordings = {kind: messages for kind, messages in wordings.items() if kind not in phrases}
        self._rng = Random(seed)
        self._by_language = {
            language: {
                kind: [wording for wording in messages if wording.language == language]
                for kind, messages in self._wordings.items()
            }
            for language in ("en", "zh")
        }

    def readings(self, times: int) -> Iterator[Example]:
        """Every wording `times` over, each time in another situation; what must never be misread more often."""
        for kind, messages in self._wordings.items():
            repeat = times * (CRITICAL_TIMES if kind.split(".")[0] in CRITICAL else 1)
            for wording in messages:
                for _ in range(repeat):
                    example = self._reading(kind, wording)
                    if example is not None:
                        yield example

    def several_wishes(self, count: int) -> Iterator[Example]:
        """Messages with two wishes of one customer."""
        wishes = [kind for kind in self._wordings if _WISHES.search(kind)]
        questions = [kind for kind in self._wordings if _QUESTIONS.search(kind)]
        for _ in range(count):
            language = self._rng.choices(("en", "zh"), (75, 25))[0]
            kinds = [
                self._rng.choice(wishes),
                self._rng.choice(wishes if self._rng.random() < 0.6 else questions),
            ]
            self._rng.shuffle(kinds)
            example = self._pair(kinds, language)
            if example is not None:
                yield example

    def refused_for_another(self, count: int) -> Iterator[Example]:
        """A no to what is proposed, with what is wanted instead."""
        wishes = [kind for kind in self._wordings if _WISHES.search(kind)]
        made = 0
        while made < count:
            language = self._rng.choices(("en", "zh"), (70, 30))[0]
            kind = self._rng.choice(wishes)
            options = self._by_language[language].get(kind)
            refusal = self._rng.choice(self._by_language[language]["no"])
            if not options:
                continue
            scene = draw_scene(self._catalog, language, self._rng, known=self._rng.random() < 0.93)
            try:
                wish = reading_of(kind)(Drawing(scene, self._catalog, self._rng.choice(options), self._rng))
                answered = reading_of("no")(Drawing(scene, self._catalog, refusal, self._rng))
            except UnfitError:
                continue
            if wish.last or not wish.takes_context:
                continue
            text = mistype(wish.text, self._rng, 0.2)
            commands = [*answered.commands, *with_words(wish.commands, text)]
            joint = self._rng.choice(_TURNS[language])
            said = answered.text.rstrip(".!?。！？") + joint + text
            made += 1
            view = scene.view(last=answered.opened, opened=answered.opened)
            yield Example(view.render(unmarked(said)), write(commands), f"no+{kind}")

    def introduced(self, count: int) -> Iterator[Example]:
        """Wishes of people who say in the same message who they are."""
        wishes = [kind for kind in self._wordings if _WISHES.search(kind) or _QUESTIONS.search(kind)]
        made = 0
        while made < count:
            language = self._rng.choices(("en", "zh"), (75, 25))[0]
            kind = self._rng.choice(wishes)
            options = self._by_language[language].get(kind)
            if not options:
                continue
            known = self._rng.random() < 0.6
            scene = draw_scene(self._catalog, language, self._rng, known=known)
            said = self._rng.choice(self._by_language[language]["identify"])
            try:
                wish = reading_of(kind)(Drawing(scene, self._catalog, self._rng.choice(options), self._rng))
                who = reading_of("identify")(Drawing(scene, self._catalog, said, self._rng))
            except UnfitError:
                continue
            if wish.last or not wish.takes_context:
                continue
            texts = [who.text.replace("#", "W") if known else who.text, mistype(wish.text, self._rng, 0.2)]
            if self._rng.random() < 0.4:
                texts.reverse()
            text = (
                texts[0]
                + self._rng.choice((". ", "\n", ", ", " - ", "，" if language == "zh" else ". "))
                + texts[1]
            )
            made += 1
            yield Example(
                scene.view().render(unmarked(text)),
                write(with_words(wish.commands, wish.text if not kept_span(texts[1]) else texts[1])),
                f"{kind}+identify",
            )

    def located(self, count: int) -> Iterator[Example]:
        """Wishes about an item, with a phrase that says which order it is in."""
        wishes = [kind for kind in self._wordings if _OF_AN_ITEM.search(kind)]
        made = tried = 0
        while self._phrases and made < count and tried < MOST_TRIES * count:
            tried += 1
            phrase = self._rng.choice(self._phrases)
            kind = self._rng.choice(wishes)
            options = self._by_language[phrase.language].get(kind)
            if not options:
                continue
            scene = draw_scene(self._catalog, phrase.language, self._rng, known=True)
            drawing = Drawing(scene, self._catalog, self._rng.choice(options), self._rng)
            try:
                wish = reading_of(kind)(drawing)
                filled = located(drawing, wish, phrase, of_several=made % OF_SEVERAL == 0)
            except UnfitError:
                continue
            made += 1
            last, opened = self._context(scene)
            text = mistype(filled.text, self._rng, NOISE)
            yield Example(
                scene.view(last=last, opened=opened).render(unmarked(text)),
                write(filled.commands),
                f"{LOCATED}.{kind.split('.')[0]}",
            )

    def described(self, count: int) -> Iterator[Example]:
        """Wishes about an order that is told by what is in it, in wordings that are written for its number."""
        wishes = [kind for kind in self._wordings if _OF_AN_ORDER.search(kind)]
        made = tried = 0
        while self._descriptions and made < count and tried < MOST_TRIES * count:
            tried += 1
            kind = self._rng.choice(wishes)
            wording = self._rng.choice(self._wordings[kind])
            phrases = [phrase for phrase in self._descriptions if phrase.language == wording.language]
            if not _NAMED_BY_NUMBER_ALONE.search(wording.text) or not phrases:
                continue
            scene = draw_scene(self._catalog, wording.language, self._rng, known=True)
            try:
                filled = reading_of(kind)(Telling(scene, self._catalog, wording, self._rng, phrases=phrases))
            except UnfitError:
                continue
            made += 1
            last, opened = self._context(scene)
            text = mistype(filled.text, self._rng, NOISE)
            view = scene.view(last=last, opened=opened)
            yield Example(view.render(unmarked(text)), write(filled.commands), f"{DESCRIBED}.{kind}")

    def choices(self, count: int) -> Iterator[Example]:
        """Which option is wanted."""
        maker = ChoiceMaker(self._catalog, self._wordings, self._phrases, self._rng)
        for prompt, completion, kind in maker.draw(count):
            yield Example(prompt, completion, kind)

    def addresses(self, count: int) -> Iterator[Example]:
        """The parts of an address."""
        kinds = [
            kind
            for kind in ("readdress.given", "readdress.item", "home.given", "address.only", "all.readdress")
            if kind in self._wordings
        ]
        made = 0
        while made < count:
            kind = self._rng.choice(kinds)
            filled = self._filled(kind, self._rng.choice(self._wordings[kind]))
            if filled is None or filled[1].address is None:
                continue
            made += 1
            message = unmarked(mistype(filled[1].text, self._rng, 0.15))
            yield Example(postal.render(message), postal.write(filled[1].address.parts), "address")

    def labelled(self, rows: Sequence[tuple[str, str]]) -> Iterator[Example]:
        """Messages of data sets, with shop intents as labels."""
        for text, intent in rows:
            command = command_of_intent(text, intent)
            if command is None:
                continue
            language = "zh" if is_chinese(text) else "en"
            scene = draw_scene(self._catalog, language, self._rng, known=self._rng.random() < 0.5)
            tagged = re.sub(r"#?[A-Za-z-]*\d[\d-]{3,}\d*", "#?" if scene.known else "#", text)
            if "#?" in tagged and command.verb in (
                "cancel",
                "swap",
                "status",
                "return",
                "refund",
                "invoice",
                "readdress",
            ):
                command = replace(command, unknown=True)
            text = mistype(tagged, self._rng, 0.1)
            last, opened = self._context(scene)
            yield Example(
                scene.view(last=last, opened=opened).render(text), write([command]), f"intent.{intent}"
            )

    # ---------------------------------------------------------------------------------------------------------

    def _filled(self, kind: str, wording: Wording) -> tuple[Drawing, Filled] | None:
        reading = reading_of(kind)
        guests = GUESTS if "{" in wording.text else GUESTS_ASKING
        for _ in range(MOST_TRIES):
            known = self._rng.random() >= guests
            scene = draw_scene(self._catalog, wording.language, self._rng, known=known)
            drawing = Drawing(scene, self._catalog, wording, self._rng)
            try:
                return drawing, reading(drawing)
            except UnfitError:
                continue
        return None

    def _reading(self, kind: str, wording: Wording) -> Example | None:
        found = self._filled(kind, wording)
        if found is None:
            return None
        drawing, filled = found
        text = mistype(self._greeted(filled, wording.language, kind), self._rng, NOISE)
        commands = with_words(filled.commands, text)
        last, opened = filled.last, filled.opened
        if filled.takes_context and not last:
            last, opened = self._context(drawing.scene)
        asked = filled.asked
        if filled.takes_context and not opened and not asked and self._rng.random() < ASKED_BESIDE:
            asked = draw_question(drawing.scene, self._rng)
        view = drawing.scene.view(last=last, opened=opened, asked=asked, product=filled.product)
        return Example(view.render(unmarked(text)), write(commands), kind)

    def _pair(self, kinds: Sequence[str], language: str) -> Example | None:
        """Two wishes about the same scene; the second finds the scene as the first."""
        if any(not self._by_language[language].get(kind) for kind in kinds):
            return None
        for _ in range(MOST_TRIES):
            scene = draw_scene(self._catalog, language, self._rng, known=self._rng.random() < 0.9)
            texts, commands = [], []
            try:
                for kind in kinds:
                    wording = self._rng.choice(self._by_language[language][kind])
                    filled = reading_of(kind)(Drawing(scene, self._catalog, wording, self._rng))
                    if filled.last or not filled.takes_context:
                        raise UnfitError
                    text = mistype(filled.text, self._rng, 0.2)
                    commands += with_words(filled.commands, text)
                    texts.append(text)
            except UnfitError:
                continue
            text = self._joined(texts[0], texts[1], language)
            last, opened = self._context(scene)
            return Example(
                scene.view(last=last, opened=opened).render(unmarked(text)),
                write(merged(commands)),
                "+".join(kinds),
            )
        return None

    def _joined(self, first: str, second: str, language: str) -> str:
        if self._rng.random() < NUMBERED:
            mark, between = self._rng.choice((".", ")")), self._rng.choice((" ", "\n"))
            return f"1{mark} {first}{between}2{mark} {second}"
        joint = self._rng.choice(_JOINTS[language])
        return (first.rstrip(".!?。！？") if joint[0] in ".,;，。；+ " else first) + joint + second

    def _greeted(self, filled: Filled, language: str, kind: str) -> str:
        if not filled.takes_context or kind in ("greet", "unclear", "none", "identify"):
            return filled.text
        again = [phrase.text for phrase in self._restated if phrase.language == language]
        if again and _WISHES.search(kind) and self._rng.random() < RESTATED_SHARE:
            return self._rng.choice(again) + (" " if language == "en" else "") + filled.text
        return (
            self._rng.choice(_GREETINGS[language]) + filled.text if self._rng.random() < 0.12 else filled.text
        )

    def _context(self, scene: Scene) -> tuple[str, str]:
        """What was said last and is open, beside which a message means what it means."""
        if self._rng.random() >= CONTEXTS:
            return "", ""
        drawing = Drawing(scene, self._catalog, Wording("", ""), self._rng)
        if self._rng.random() < 0.5:
            proposal = draw_proposal(drawing)
            return proposal, proposal
        if not scene.known:
            return "greet", ""
        return drawing.focus("status")[0], ""
