"""The figures that a turn's reply may state, as a trie, and the words that it may not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from apps.support.replies.facts import figures_in
from apps.support.replies.sentences import Note
from apps.support.words import languages, words_of

LONGEST = 64
"""Characters of the longest figure: an e-mail."""
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]+")


class Node:
    """One character further in the trie of allowed figures; `rest` is the shortest way to an end."""

    __slots__ = ("children", "rest")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.rest: str | None = None

    @property
    def ends(self) -> bool:
        return self.rest == ""


class AllowedFigures:
    """What a turn's reply may state, compiled once per turn.

    `forms` are the figures as they may be written; the words of `sentences` are free to be used again.
    """

    def __init__(self, forms: Sequence[str], sentences: Sequence[str]) -> None:
        self.root = Node()
        for form in forms:
            # Chinese is written with and without a space around figures.
            for variant in {form, re.sub(r"\s+(?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff])\s+", "", form)}:
                self._add(fold(variant))
        said = fold(" ".join((*sentences, *forms)))
        self.longest = max((len(form.encode()) for form in forms), default=0)
        """Bytes, and so tokens at most, of the longest figure."""
        words, phrases = _held_back()
        self.held_back_words = words - set(_WORD.findall(said))
        self.held_back_phrases = tuple(phrase for phrase in phrases if phrase not in said)

    @classmethod
    def of(cls, notes: Sequence[Note]) -> AllowedFigures:
        """The figures of a turn's sentences: their facts in every form, and what else the sentences hold."""
        forms: list[str] = []
        for note in notes:
            forms.extend(figures_in(note.text))
            # A bare count may be heard but not written: "5" would allow "5 days" where five items are meant.
            forms.extend(
                form for fact in note.facts for form in (fact.text, *fact.forms) if not form.isdigit()
            )
        return cls(
            [form for form in dict.fromkeys(forms) if len(form) <= LONGEST], [note.text for note in notes]
        )

    def _add(self, form: str) -> None:
        node = self.root
        for position, character in enumerate(form):
            rest = form[position:]
            if node.rest is None or len(rest) < len(node.rest):
                node.rest = rest
            node = node.children.setdefault(character, Node())
        node.rest = ""


@cache
def _held_back() -> tuple[frozenset[str], tuple[str, ...]]:
    """The words and, of languages that write no spaces, the phrases that all languages hold back."""
    words: set[str] = set()
    phrases: list[str] = []
    for spoken in map(words_of, languages()):
        folded = map(fold, spoken.figures.held_back)
        if spoken.writes_spaces:
            words.update(folded)
        else:
            phrases.extend(folded)
    return frozenset(words), tuple(phrases)


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
