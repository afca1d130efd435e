"""How an unfinished token of the automaton can be finished: the shortest characters to every symbol."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from apps.code.grammar.lexer import SKIP, Dfa

if TYPE_CHECKING:
    from apps.code.grammar.acceptor import Reading

_PREFERRED = "x0aeEbB1n\"'>)]};:*/=+-.|&<!\n "
_MAX_LENGTH = 12


class Endings:
    """Shortest endings, found once per automaton state."""

    def __init__(self, lexer: Dfa, capture: int, keywords: dict[str, int]) -> None:
        self._lexer = lexer
        self._capture = capture
        self._keywords = keywords
        self._characters: dict[int, str] = {}
        for character in _PREFERRED + "".join(map(chr, range(33, 127))):
            self._characters.setdefault(lexer.class_of(character), character)
        self._found: dict[int, dict[int, str]] = {}

    def of_token(self, reading: Reading, word: str) -> Iterator[tuple[int, str]]:
        """(symbol, ending): what an unfinished token that reads `word` can become."""
        for symbol, ending in self._of_state(reading.state).items():
            if symbol != self._capture:
                yield symbol, ending
                if (word + ending).endswith("_"):  # a number, which strict rules do not let end like this
                    yield symbol, ending + "0"
                continue
            if word + ending in self._keywords:
                yield self._keywords[word + ending], ending
                ending += "x"
            yield symbol, ending
            for keyword, keyword_symbol in self._keywords.items():
                if keyword.startswith(word) and len(keyword) > len(word):
                    yield keyword_symbol, keyword[len(word) :]

    def _of_state(self, start: int) -> dict[int, str]:
        found = self._found.get(start)
        if found is None:
            found = self._found[start] = self._search(start)
        return found

    def _search(self, start: int) -> dict[int, str]:
        """Breadth first over the automaton."""
        found: dict[int, str] = {}
        texts = {start: ""}
        waiting = deque([start])
        while waiting:
            state = waiting.popleft()
            text = texts[state]
            if self._lexer.accepts[state] > 0:
                found.setdefault(self._lexer.accepts[state], text)
            if len(text) >= _MAX_LENGTH:
                continue
            for character_class, target in enumerate(self._lexer.transitions[state]):
                after = target & (SKIP - 1)  # a backslash may have to be skipped with its newline first
                if target >= 0 and after not in texts and character_class in self._characters:
                    texts[after] = text + self._characters[character_class]
                    waiting.append(after)
        return found
