"""Playbooks that answer from the policy handbook, with the article cited."""

from __future__ import annotations

import re
from collections.abc import Callable

from apps.support.playbooks.case import Case, Outcome, said
from apps.support.replies.facts import Fact, figures_in
from apps.support.replies.sentences import Note
from apps.support.shop.handbook import Passage, relevance, search, shared_words
from apps.support.words import words_of

MOST_CANDIDATES = 8
OWN_SECTION, OWN_ARTICLE = 0.35, 0.1  # how much relevance it counts that a topic has a section of its own
LEAST_IN_COMMON = 2
"""Words that the halves of a sentence share where they say the same of different things."""

_JOINT = re.compile(r" and |，")
_END_OF_SENTENCE = re.compile(r"(?<=[.;])\s+|(?<=[。；])\s*(?=\S)")  # not the point of $4.95


def answer_from(slug: str, topic: str) -> Callable[[Case], Outcome]:
    """A playbook that tells the section of article `slug` that the words of `topic` find, in each language.

    Another section is told where the message itself clearly speaks of it: "do you ship to Canada?" is asked
    with the same topic as "which delivery options are there?".
    """

    def playbook(case: Case) -> Outcome:
        words, text = words_of(case.language), case.wish.text
        own = search(case.session, words.topics[topic], case.language, slugs=[slug], limit=1)
        near = search(case.session, text, case.language, limit=MOST_CANDIDATES)

        def fitness(passage: Passage) -> float:
            is_own = bool(own) and passage.section_id == own[0].section_id
            return relevance(text, passage) + OWN_SECTION * is_own + OWN_ARTICLE * (passage.slug == slug)

        found = max([*own, *near], key=fitness, default=None)
        if found is None:
            # A shop without a handbook of its own has no rules to tell, and another shop's are not told.
            return said(case.write("policy_unknown"))
        return tell(case, found)

    return playbook


def tell(case: Case, passage: Passage) -> Outcome:
    """The passage as one note, with its citation."""
    return Outcome(
        [policy_note(passage.body, case.wish.text)],
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
