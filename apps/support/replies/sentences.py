"""The assistant's written sentences: the truth of a turn in each language.

They are the notes that the model puts into its own words, and the last resort where it leaves a fact out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from apps.support.errors import WordsError
from apps.support.replies.facts import Fact, Value, make_fact
from apps.support.shop.policy import Policy
from apps.support.shop.policy_words import fill, policy_words
from apps.support.words import Language, words_of


@dataclass(frozen=True)
class Note:
    """One written sentence and the facts in it."""

    key: str
    text: str
    facts: tuple[Fact, ...]


def write(
    key: str,
    language: Language,
    /,
    *,
    must: tuple[str, ...] = (),
    policy: Policy | None = None,
    **values: Value,
) -> Note:
    """The sentence `key` with its values; the customer must hear the values named in `must`.

    `policy` is needed by the sentences that state a figure of it. Raises WordsError where a value is missing.
    """
    facts = tuple(make_fact(name, value, language, must=name in must) for name, value in values.items())
    filled = {
        **(policy_words(policy, language) if policy else {}),
        **{fact.name: fact.text for fact in facts},
    }
    sentence = words_of(language).sentences.get(key)
    if sentence is None:
        raise WordsError(f"there is no sentence '{key}' in the words {language}.toml")
    return Note(key, fill(sentence, filled), facts)


def wordings(language: Language, policy: Policy) -> list[str]:
    """Every sentence's own words and the policy's figures in it, without the values of a turn."""
    known = policy_words(policy, language)
    return [
        re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], " "), sentence)
        for sentence in words_of(language).sentences.values()
    ]


def status_word(status: str, language: Language) -> str:
    return words_of(language).status[status]


def method_words(
    kind: str | None, last_four: str | None, language: Language, brand: str | None = None
) -> str:
    """A payment method as customers know it: "the Visa card ending in 1234"."""
    methods = words_of(language).methods
    method = methods.get(kind or "", methods["original"])
    if kind == "credit_card" and brand:
        method = methods["card_of"].format(brand=brand.title() if brand.islower() else brand)
    return methods["ending"].format(method=method, last_four=last_four) if last_four else method


def refund_time(kind: str | None, language: Language, policy: Policy) -> str:
    at_once = kind == "gift_card" and policy.refunds.gift_card == "at_once"
    words = words_of(language).refund_times["at_once" if at_once else "later"]
    return fill(words, policy_words(policy, language))


def joined(sentences: list[str], language: Language) -> str:
    """Sentences after one another, as the language sets them."""
    return words_of(language).space.join(sentences)


def together(notes: Sequence[Note], language: Language) -> Note | None:
    """Several sentences as one note, with the facts of all; None of none."""
    if not notes:
        return None
    facts = tuple(fact for note in notes for fact in note.facts)
    return Note(notes[0].key, joined([note.text for note in notes], language), facts)
