"""What every language starts from: rules of the languages themselves where tree-sitter's grammars are lax.

None forbids a legal program. Those of Python, Java and C++ are in `python_rules`, `java_rules` and `cpp_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from apps.code.grammar.scanner import Memory
from apps.code.grammar.stack_rules import StackRules
from apps.code.grammar.tables import Tables


class StrictRules:
    """No rules beyond the grammar: what every language starts from."""

    hard_keywords: frozenset[str] = frozenset()  # never identifiers
    plain_words: frozenset[str] = frozenset()  # never keywords
    checked_symbols: frozenset[int] = frozenset()  # terminals whose text `legal_token` looks at
    initial_memory: Memory = ()  # of a language without an external scanner
    forbidden_character: str | None = None  # nowhere in a program, comments and strings included

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def adapted(self, data: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """The data file's arrays with a narrower lexer."""
        return data

    def dead_entries(self) -> frozenset[tuple[int, int]]:
        """(parser state, symbol) to take out of the parse table, terminals and nonterminals."""
        return frozenset()

    def names_in(self) -> frozenset[tuple[int, str]]:
        """(parser state, hard keyword) where the keyword is an identifier all the same."""
        return frozenset()

    def stack_rules(self, words: dict[str, int]) -> StackRules | None:
        """Rules about what is on the stack; `words` are the grammar's keywords."""
        return None

    def mark_of_name(self, name: str, memory: Memory) -> int:
        """What a name's node is marked with."""
        return 0

    def shifted(self, memory: Memory, symbol: int, name: str) -> Memory:
        """The memory after a token, in a language without an external scanner; `name` is its text if it is a word."""
        return memory

    def legal_token(self, symbol: int, text: str, start: int, end: int, memory: Memory) -> bool:
        """Whether the checked terminal `text[start:end]` is legal; what follows `end` is known up to the text's end."""
        return True

    def legal_beginning(self, word: str) -> bool:
        """Whether an unfinished terminal that reads `word` can become legal."""
        return True
