"""A language's grammar, ready to read programs: tables, automata, scanner port, strict rules. Shared, immutable."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import numpy as np

from apps.code.grammar.endings import Endings
from apps.code.grammar.errors import GrammarVersionError
from apps.code.grammar.finishing import FinishingCosts
from apps.code.grammar.languages import Language, language
from apps.code.grammar.lexer import SKIP, Dfa
from apps.code.grammar.parser import KeywordRules
from apps.code.grammar.scanner import Memory
from apps.code.grammar.tables import Manifest, Tables
from apps.code.grammar.terminals import terminal_texts

DATA_DIR = Path(__file__).parent / "data"


class Grammar:
    """Everything that is the same for all programs of a language.

    `strict` adds the language's own rules where tree-sitter's grammar is lax; without them the programs accepted are
    exactly those that tree-sitter parses without ERROR and MISSING nodes.
    """

    def __init__(self, spec: Language, strict: bool) -> None:
        self.language = spec
        self.strict = strict
        self.tables = tables = Tables(spec.package, spec.version)
        with np.load(DATA_DIR / f"{spec.name}.npz") as file:
            data = dict(file)
        check_manifest(spec, data, tables)
        rules = spec.strict_rules(tables) if strict else None
        self._rules = rules
        self.lexer = Dfa(rules.adapted(data) if rules else data, "lex")
        self._keyword_lexer = Dfa(data, "keyword")
        self.scanner = spec.scanner(tables.names, tables.token_count, strict) if spec.scanner else None
        self.initial_memory = self.scanner.initial if self.scanner else rules.initial_memory if rules else ()
        self.comment = tables.names.index("comment") if "comment" in tables.names else -1
        words = _words(self._keyword_lexer)
        self.keywords = words
        self.keyword_rules = KeywordRules(
            tables,
            words,
            rules.hard_keywords if rules else frozenset(),
            rules.plain_words if rules else frozenset(),
        )
        traps = frozenset((state, symbol) for state, symbol in data["traps"].tolist())
        self.dead_entries = traps | rules.dead_entries() if rules else traps
        self._names_in = rules.names_in() if rules else frozenset()
        self.stack_rules = rules.stack_rules(words) if rules else None
        self.forbidden_character = rules.forbidden_character if rules else None
        self.checked_symbols = rules.checked_symbols if rules else frozenset()
        worded = {tables.capture} | self.checked_symbols
        self.worded_symbols = worded
        self.reads_words = [not worded.isdisjoint(reach) for reach in self.lexer.reach]
        self.endings = Endings(self.lexer, tables.capture, words)
        self.terminal_texts = terminal_texts(spec.name, tables)
        self.costs = FinishingCosts(data, tables)

    def keyword_or_identifier(self, state: int, word: str) -> int:
        """The symbol of a word in a parser state, or -1 for a word that cannot be there."""
        rules = self.keyword_rules
        keyword = self.keywords.get(word, -1)
        if word in rules.hard_words:
            return self.tables.capture if (state, word) in self._names_in else keyword
        if keyword < 0 or word in rules.plain_words:
            return self.tables.capture
        if self.tables.entry(state, keyword) or rules.is_reserved(state, keyword):
            return keyword
        return self.tables.capture

    def keywords_from(self, beginning: str) -> frozenset[int]:
        """The keywords that begin with these characters."""
        if not self.keywords:
            return frozenset()
        state = self._keyword_lexer.run(beginning)
        return self._keyword_lexer.reach[state] if state >= 0 else frozenset()

    def skips_freely(self, state: int, lex_state: int) -> bool:
        """Whether white space took nothing away from what may follow in this parser state."""
        return self.lexer.reach[self.tables.lex_state[state]] is self.lexer.reach[lex_state]

    def mark_of_name(self, name: str, memory: Memory) -> int:
        """What strict rules mark the node of a name with."""
        return 0 if self._rules is None else self._rules.mark_of_name(name, memory)

    def shifted(self, memory: Memory, symbol: int, name: str) -> Memory:
        """The memory after the parser took a token of the automaton; `name` is its text if it is a word."""
        if self.scanner:
            return self.scanner.shifted(memory, symbol)
        return memory if self._rules is None else self._rules.shifted(memory, symbol, name)

    def legal_token(self, symbol: int, text: str, start: int, end: int, memory: Memory) -> bool:
        """Whether strict rules allow the token `text[start:end]`."""
        return self._rules is None or self._rules.legal_token(symbol, text, start, end, memory)

    def legal_beginning(self, lex_state: int, word: str) -> bool:
        """Whether strict rules allow a token to begin like this."""
        return self._rules is None or self._rules.legal_beginning(word)


def check_manifest(spec: Language, data: dict[str, np.ndarray], tables: Tables) -> None:
    """Raise GrammarVersionError unless the data file was built for these tables."""
    expected = Manifest(*data["manifest"].tolist())
    if expected != tables.manifest:
        raise GrammarVersionError(spec.name, spec.package, str(expected), str(tables.manifest))


def _words(keyword_lexer: Dfa) -> dict[str, int]:
    """All words that the keyword automaton accepts (it has no loops)."""
    characters: dict[int, list[str]] = {}
    for code in range(33, 127):
        characters.setdefault(keyword_lexer.class_of(chr(code)), []).append(chr(code))
    words: dict[str, int] = {}
    waiting = [(0, "")] if keyword_lexer.accepts else []
    while waiting:
        state, word = waiting.pop()
        if keyword_lexer.accepts[state] >= 0:
            words[word] = keyword_lexer.accepts[state]
        for character_class, target in enumerate(keyword_lexer.transitions[state]):
            if target >= 0:
                waiting += [(target & (SKIP - 1), word + c) for c in characters.get(character_class, [])]
    return words


_COLLECTIONS = (700, 1, 50)
"""Python's own thresholds but for the middle generation, which is collected at 1,400 objects instead of 7,700; the
oldest one as often as ever."""

_grammars: dict[tuple[str, bool], Grammar] = {}
_lock = threading.Lock()


def grammar(name: str, strict: bool = True) -> Grammar:
    """The grammar of a language, loaded once (0.1 to 0.5 s). Raises GrammarError."""
    spec = language(name)
    with _lock:
        found = _grammars.get((spec.name, strict))
        if found is None:
            found = _grammars[spec.name, strict] = Grammar(spec, strict)
            # What is loaded stays. A full collection that goes through it again takes 0.1 s and more between two
            # tokens; one of the middle generation is to stay under 1 ms.
            gc.freeze()
            gc.set_threshold(*_COLLECTIONS)
    return found
