"""Fresh grammar constraints for the tokens of one model."""

from __future__ import annotations

from apps.code.errors import LanguageNotServedError
from apps.code.grammar.constraint import FencedConstraint, GrammarConstraint
from apps.code.grammar.errors import PrefixNotViableError, UnknownLanguageError
from apps.code.grammar.languages import language as grammar_language
from apps.code.prompts import LANGUAGE_NAMES
from core_model.tokenizer import Tokenizer


class Constraints:
    """Makes a constraint for each answer. Raises GrammarError where a grammar cannot be used at all."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def program(self, language: str, prefix: str = "", suffix: str | None = None) -> GrammarConstraint | None:
        """The text is a program, or what stands between `prefix` and `suffix` in one.

        None where no program begins with `prefix`: then a constraint would only make it worse.
        Raises LanguageNotServedError.
        """
        try:
            return GrammarConstraint(served_language(language), self._tokenizer, prefix, suffix)
        except PrefixNotViableError:
            return None

    def fenced(self, begun: str = "") -> FencedConstraint | None:
        """The text is Markdown, and programs inside the fences of known languages; `begun` was said already.

        None where what was said cannot be gone on with.
        """
        constraint = FencedConstraint(self._tokenizer)
        try:
            for token in self._tokenizer.encode(begun):
                constraint.accept(token)
        except ValueError:
            return None
        return constraint


def served_language(name: str, parameter: str = "language") -> str:
    """The canonical name of a language or its alias. Raises LanguageNotServedError."""
    try:
        canonical = grammar_language(name).name
    except UnknownLanguageError as error:
        raise LanguageNotServedError(name, parameter) from error
    if canonical not in LANGUAGE_NAMES:
        raise LanguageNotServedError(name, parameter)
    return canonical
