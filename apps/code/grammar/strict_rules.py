"""What every language starts from: rules of the languages themselves where tree-sitter's grammars are lax.

None forbids a legal program. Those of Python, Java and C++ are in `python_rules`, `java_rules` and `cpp_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from apps.code.grammar.parser import ArgumentOrder
from apps.code.grammar.scanner import Memory
from apps.code.grammar.tables import Tables


class StrictRules:
    """No rules beyond the grammar: what every language starts from."""

    hard_keywords: frozenset[str] = frozenset()  # never identifiers
    plain_words: frozenset[str] = frozenset()  # never keywords
    checked_symbols: frozenset[int] = frozenset()  # terminals whose text `legal_token` looks at
    forbidden_character: str | None = None  # nowhere in a program, comments and strings included

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def adapted(self, data: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """The data file's arrays with a narrower lexer."""
        return data

    def dead_entries(self) -> frozenset[tuple[int, int]]:
        """(parser state, symbol) to take out of the parse table."""
        return frozenset()

    def argument_order(self, words: dict[str, int]) -> ArgumentOrder | None:
        """What may follow in a list of arguments; `words` are the grammar's keywords."""
        return None

    def legal_token(self, symbol: int, text: str, start: int, end: int, memory: Memory) -> bool:
        """Whether the checked terminal `text[start:end]` is legal; what follows `end` is known up to the text's end."""
        return True

    def legal_beginning(self, word: str) -> bool:
        """Whether an unfinished terminal that reads `word` can become legal."""
        return True
