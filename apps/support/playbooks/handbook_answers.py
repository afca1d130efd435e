"""Playbooks that answer from the policy handbook, with the article cited."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlalchemy.orm import Session

from apps.support.playbooks.case import Case, Outcome
from apps.support.replies.facts import Fact, figures_in
from apps.support.replies.language import Language
from apps.support.replies.sentences import Note, write
from apps.support.replies.words import words_of
from apps.support.shop.handbook import Passage, content_words, relevance, search, shared_words

MOST_CANDIDATES = 8
OWN_SECTION, OWN_ARTICLE = 0.35, 0.1  # how much relevance it counts that an intent has a section of its own
SURE_WITHOUT_WORDS, SURE_WITHOUT_PAIRS = 0.9, 0.6
"""How sure an intent must be where its section has none of the message's words."""
LEAST_RELEVANCE, LEAST_RELEVANCE_OF_PAIRS = 0.6, 0.4
"""The share of a question's words that a section must speak of; pairs of characters, which stand for the words of a
language without spaces, match less often."""

LEAST_IN_COMMON = 2
"""Words that the halves of a sentence share where they say the same of different things."""

ARTICLES: dict[str, frozenset[str]] = {
    "cancel_order": frozenset({"cancellations"}),
    "change_order": frozenset({"order-changes", "returns"}),
    "change_shipping_address": frozenset({"delivery", "order-changes"}),
    "check_invoice": frozenset({"payment"}),
    "delivery_period": frozenset({"delivery"}),
    "get_invoice": frozenset({"payment"}),
    "get_refund": frozenset({"returns", "refunds", "cancellations"}),
    "track_order": frozenset({"delivery"}),
    "track_refund": frozenset({"refunds"}),
}
"""Where general questions are answered that come with the intents of a customer's own order."""
LEAST_WORDS = 2
_GENERAL = re.compile(
    r"^\W*(?:(?:hi|hello|and|so|but|also)\b\W*)*"
    r"(?:do|does|is|are|will|would|must|should|who|can i\b.*\b(?:after|if|when|once|without)|what if|what happens)\b"
    r"|吗[？?]?\s*$|能不能|可不可以|是否|要不要",
    re.IGNORECASE,
)
_CONSEQUENCE = re.compile(r"\bwhat (?:happens|if|now)\b|怎么办|会怎样", re.IGNORECASE)
_OWN = re.compile(r"\b(?:my|mine|it|this)\b|我的|订单|包裹", re.IGNORECASE)

_JOINT = re.compile(r" and |，")
_END_OF_SENTENCE = re.compile(r"(?<=[.;])\s+|(?<=[。；])\s*(?=\S)")  # not the point of $4.95


def answer_from(slug: str, topic: str) -> Callable[[Case], Outcome]:
    """A playbook that tells the section of article `slug` that the words of `topic` find, in each language.

    Another section is told where the message itself clearly speaks of it: "do you ship to Canada?" is asked
    with the same intent as "which delivery options are there?".
    """

    def playbook(case: Case) -> Outcome:
        words = words_of(case.language)
        own = search(case.session, words.topics[topic], case.language, slugs=[slug], limit=1)
        near = search(case.session, case.text, case.language, limit=MOST_CANDIDATES)

        def fitness(passage: Passage) -> float:
            is_own = bool(own) and passage.section_id == own[0].section_id
            related = OWN_SECTION * is_own + OWN_ARTICLE * (passage.slug == slug)
            return relevance(case.text, passage) + related

        found = max([*own, *near], key=fitness, default=None)
        if found is None:
            # A shop without a handbook of its own has no rules to tell, and another shop's are not told.
            return Outcome([write("policy_unknown", case.language)], exact=True)
        sure = SURE_WITHOUT_WORDS if words.writes_spaces else SURE_WITHOUT_PAIRS
        if case.confidence < sure and relevance(case.text, found) == 0:
            return Outcome(understood=False)
        return tell(case, found)

    return playbook


def search_everywhere(case: Case) -> Outcome:
    """The section that speaks of most of what the message does; understood=False where none does."""
    best = best_section(case.session, case.text, case.language)
    return Outcome(understood=False) if best is None else tell(case, best)


def general_answer(case: Case) -> Outcome | None:
    """The section that answers a question about the rules, where no order is in question yet: "do I pay for
    the return shipping?". None for a message about an order of one's own, and where no section surely does.

    Told as written: whether a case is within a rule is no question for a small model.
    """
    general = _CONSEQUENCE.search(case.text) or (_GENERAL.search(case.text) and not _OWN.search(case.text))
    if not general or len(content_words(case.text)) < LEAST_WORDS:
        return None
    section = best_section(case.session, case.text, case.language)
    if section is None or section.slug not in ARTICLES.get(case.intent, ()):
        return None
    outcome = tell(case, section)
    outcome.exact = True
    return outcome


def best_section(session: Session, question: str, language: Language) -> Passage | None:
    """The section that speaks of most of the question's words; None where none speaks of enough of them."""
    found = search(session, question, language, limit=MOST_CANDIDATES)
    best = max(found, key=lambda passage: relevance(question, passage), default=None)
    least = LEAST_RELEVANCE if words_of(language).writes_spaces else LEAST_RELEVANCE_OF_PAIRS
    return best if best is not None and relevance(question, best) >= least else None


def tell(case: Case, passage: Passage) -> Outcome:
    """The passage as one note, with its citation."""
    return Outcome(
        [policy_note(passage.body, case.text)],
        citations=[passage.citation],
        looked_up={"policy": passage.citation},
    )


def policy_note(body: str, question: str = "") -> Note:
    """A passage as a note; the customer must hear the figures of its first sentence that the question is about."""
    facts = tuple(
        Fact(f"policy_{number}", group[0], tuple(group[1:]), must_be_heard=True)
        for number, group in enumerate(_figure_groups(_asked_half(_END_OF_SENTENCE.split(body)[0], question)))
    )
    return Note("policy", body, facts)


def _asked_half(sentence: str, question: str) -> str:
    """Of "standard delivery costs $4.95 and express delivery costs $12.95" the half that the question names.

    All of a sentence whose halves do not say the same of different things, or of which none is named.
    """
    halves = [half for half in _JOINT.split(sentence) if figures_in(half)]
    if len(halves) < 2 or any(shared_words(halves[0], half) < LEAST_IN_COMMON for half in halves):
        return sentence
    named = [shared_words(question, half) for half in halves]
    return halves[named.index(max(named))] if named.count(max(named)) == 1 else sentence


def _figure_groups(sentence: str) -> list[list[str]]:
    """The figures of a sentence, each with its other writings."""
    groups: list[list[str]] = []
    for figure in figures_in(sentence):
        numbers = re.findall(r"\d+", figure)
        if groups and numbers == re.findall(r"\d+", groups[-1][0]):
            groups[-1].append(figure)
        else:
            groups.append([figure])
    return groups
