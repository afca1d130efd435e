"""Fresh grammar constraints for the tokens of one model."""

from __future__ import annotations

from dataclasses import dataclass

from apps.code.errors import LanguageNotServedError
from apps.code.grammar.constraint import (
    BlockConstraint,
    FencedConstraint,
    GrammarConstraint,
    PlacedConstraint,
    TokenConstraint,
)
from apps.code.grammar.errors import PrefixNotViableError, UnknownLanguageError
from apps.code.grammar.joining import MAX_READ
from apps.code.grammar.languages import language as grammar_language
from apps.code.prompts import END_OF_BLOCK, LANGUAGE_NAMES, fence
from core_model.constraint import Constraint
from core_model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Block:
    """A chat answer that is code: the model finds the block opened, and the answer comes without its marks."""

    opening: str  # stands in the prompt, before how the answer begins
    end: str  # stop string
    constraint: Constraint | None  # None where no program begins as the answer does


class Constraints:
    """Makes a constraint for each answer. Raises GrammarError where a grammar cannot be used at all."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def program(
        self, language: str, prefix: str = "", suffix: str | None = None, patience: int = MAX_READ
    ) -> GrammarConstraint | None:
        """The text is a program, or what stands between `prefix` and `suffix` in one.

        None where no program begins with `prefix`: then a constraint would only make it worse.
        Raises LanguageNotServedError.
        """
        try:
            return GrammarConstraint(
                served_language(language), self._tokenizer, prefix, suffix, patience=patience
            )
        except PrefixNotViableError:
            return None

    def block(self, language: str, begun: str = "") -> Block:
        """A chat answer that is a program which begins with `begun`. Raises LanguageNotServedError."""
        name = served_language(language)
        try:
            constraint: BlockConstraint | None = BlockConstraint(name, self._tokenizer, begun)
        except PrefixNotViableError:
            constraint = None
        return Block(fence(name), END_OF_BLOCK, constraint)

    def placed(
        self, language: str, prefix: str, selection: str, suffix: str, indentation: str = ""
    ) -> PlacedConstraint | None:
        """A chat answer that takes a selection's place in a program; `selection` is given at the margin.

        None where nothing can be said of the place: it does not take what stands there now, and either nothing stands
        around it or nothing was found that makes the program whole (a part of a file, or one that is broken elsewhere).
        Raises LanguageNotServedError.
        """
        try:
            constraint = PlacedConstraint(
                served_language(language), self._tokenizer, prefix, suffix, indentation
            )
        except PrefixNotViableError:
            return None
        if self._takes(constraint, selection):
            return constraint
        around = (prefix + suffix).strip()
        return constraint if around and (constraint.may_end() or constraint.closing()) else None

    def _takes(self, constraint: TokenConstraint, text: str) -> bool:
        """Whether a text meets a constraint."""
        place = constraint.fork()
        for token in self._tokenizer.encode(text):
            if not place.allows(token):
                return False
            place.accept(token)
        return place.may_end()

    def fenced(self) -> FencedConstraint:
        """The text is Markdown, and programs inside the fences of known languages."""
        return FencedConstraint(self._tokenizer)


def served_language(name: str, parameter: str = "language") -> str:
    """The canonical name of a language or its alias. Raises LanguageNotServedError."""
    try:
        canonical = grammar_language(name).name
    except UnknownLanguageError as error:
        raise LanguageNotServedError(name, parameter) from error
    if canonical not in LANGUAGE_NAMES:
        raise LanguageNotServedError(name, parameter)
    return canonical
