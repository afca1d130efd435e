"""Playbooks that answer from the policy handbook, with the article cited."""

from __future__ import annotations

import re
from collections.abc import Callable

from apps.support.facts import Fact, figures_in
from apps.support.handbook import Passage, search
from apps.support.playbooks.case import Case, Outcome
from apps.support.sentences import Note

_END_OF_SENTENCE = re.compile(r"(?<=[.;])\s+|(?<=[。；])\s*(?=\S)")  # not the point of $4.95


def answer_from(slug: str, question: dict[str, str]) -> Callable[[Case], Outcome]:
    """A playbook that tells the section of article `slug` nearest to the message.

    `question` holds the words of the intent itself in each language: they decide when the message is terse.
    """

    def playbook(case: Case) -> Outcome:
        words = f"{question[case.language]} {question[case.language]} {case.text}"
        found = search(case.session, words, case.language, slugs=[slug], limit=1)
        return tell(case, found[0]) if found else search_everywhere(case)

    return playbook


def search_everywhere(case: Case) -> Outcome:
    """Any section that answers the message; understood=False where none is near."""
    found = search(case.session, case.text, case.language, limit=1)
    return tell(case, found[0]) if found else Outcome(understood=False)


def tell(case: Case, passage: Passage) -> Outcome:
    """The passage as one note, with its citation."""
    return Outcome(
        [policy_note(passage.body)],
        citations=[passage.citation],
        looked_up={"policy": passage.citation},
    )


def policy_note(body: str) -> Note:
    """A passage as a note; the customer must hear the figures of its first sentence."""
    first = _END_OF_SENTENCE.split(body)[0]
    facts = tuple(
        Fact(f"policy_{number}", group[0], tuple(group[1:]), must_be_heard=True)
        for number, group in enumerate(_figure_groups(first))
    )
    return Note("policy", body, facts)


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
