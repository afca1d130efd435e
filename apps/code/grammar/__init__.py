"""Grammar-constrained decoding: generated Python, Java and C++ that tree-sitter parses without an error."""

from apps.code.grammar.constraint import BlockConstraint, FencedConstraint, GrammarConstraint
from apps.code.grammar.errors import (
    GrammarError,
    GrammarVersionError,
    PrefixNotViableError,
    UnknownLanguageError,
)

__all__ = [
    "BlockConstraint",
    "FencedConstraint",
    "GrammarConstraint",
    "GrammarError",
    "GrammarVersionError",
    "PrefixNotViableError",
    "UnknownLanguageError",
]
