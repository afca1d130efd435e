"""Grounded decoding: every figure that the model writes is one of the turn's facts.

A figure is anything with a digit or an '@' in it: order and tracking numbers, amounts, dates, counts,
e-mails. The allowed ones form a trie. The text is read character by character; while no figure is open it is
free, and candidates start at every word. A digit can only be written where a candidate has it next, and from
there on the text must follow a candidate to its end. Words that state a figure or a state without digits
("two", "tomorrow", "refunded", "已发货") are held back unless the turn's sentences use them.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Protocol

from apps.support.replies.allowed_figures import LONGEST, AllowedFigures, Node, fold
from apps.support.replies.sentences import Note

_HAN = re.compile(r"[\u3400-\u9fff]")
_LAST_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]*$")
_JOINTS = ".,:"


class TokenTable(Protocol):
    """What grounding needs of a tokenizer."""

    vocab: int
    special: dict[str, int]

    def token_bytes(self, token: int) -> bytes: ...

    def encode(self, text: str) -> list[int]: ...


@dataclass(frozen=True)
class _State:
    """Where the text stands. `soft` candidates have no digit yet; while not `free`, a figure is open and one
    of the `hard` candidates must be followed to its end."""

    tail: str = ""
    pending: bytes = b""  # the first bytes of a character
    free: bool = True
    soft: tuple[Node, ...] = ()
    hard: tuple[Node, ...] = ()

    @property
    def may_end(self) -> bool:
        return not self.pending and (self.free or any(node.ends for node in self.hard))


class Grounding:
    """A core_model Constraint over one turn's facts."""

    def __init__(self, allowed: AllowedFigures, tokens: TokenTable) -> None:
        self.growth = allowed.longest
        self._allowed = allowed
        self._tokens = tokens
        self._state = _State()
        self._accepted = 0
        self._complete_at: int | None = 0

    def allows(self, token: int) -> bool:
        return self._after(token) is not None

    def first_allowed(self, tokens: Sequence[int]) -> int | None:
        opening = self._openings()
        for token in tokens:
            if (opening is None or self._tokens.token_bytes(token)[:1] in opening) and self.allows(token):
                return token
        return None

    def accept(self, token: int) -> None:
        state = self._after(token)
        if state is None:
            raise ValueError(f"token {token} would write what is no fact of this turn")
        self._state = state
        self._accepted += 1
        if state.may_end:
            self._complete_at = self._accepted

    def may_end(self) -> bool:
        return self._state.may_end

    def forced(self) -> list[int]:
        """The rest of an open figure that only one candidate has, up to a letter: candidates are folded."""
        state = self._state
        if state.free or state.pending or len(state.hard) != 1:
            return []
        node, text = state.hard[0], ""
        while len(node.children) == 1 and not node.ends:
            character, node = next(iter(node.children.items()))
            if character != character.upper():
                break
            text += character
        return self._tokens.encode(text)

    def closing(self) -> list[int]:
        state = self._state
        tokens: list[int] = []
        if state.pending:
            finished = self._finish_character()
            if finished is None:
                return []
            state, tokens = finished
        if state.may_end:
            return tokens
        return tokens + self._tokens.encode(min((node.rest or "" for node in state.hard), key=len))

    def longest_complete(self) -> int | None:
        return self._complete_at

    def fork(self) -> Grounding:
        return copy(self)

    def _openings(self) -> frozenset[bytes] | None:
        """The first bytes that a token may have inside a figure; None where it may have any."""
        if self._state.may_end or self._state.pending:
            return None
        characters = {character for node in self._state.hard for character in node.children}
        return frozenset(
            form.encode()[:1] for character in characters for form in (character, character.upper())
        )

    def _after(self, token: int) -> _State | None:
        data = self._tokens.token_bytes(token)
        if not data or token in self._tokens.special.values():
            return None
        return _read(self._state, data, self._allowed)

    def _finish_character(self) -> tuple[_State, list[int]] | None:
        """The unfinished character made whole by the first bytes that give an allowed one, if any do."""
        single = {self._tokens.token_bytes(token): token for token in range(self._tokens.vocab)}
        queue: list[tuple[_State, list[int]]] = [(self._state, [])]
        while queue:
            state, tokens = queue.pop(0)
            for byte in range(0x80, 0xC0):
                following = _read(state, bytes((byte,)), self._allowed)
                if following is None or (token := single.get(bytes((byte,)))) is None:
                    continue
                if not following.pending:
                    return following, [*tokens, token]
                queue.append((following, [*tokens, token]))
        return None


def unsupported(text: str, notes: Sequence[Note]) -> str | None:
    """Where `text` states what the notes do not (the end of the first such part); None if nowhere."""
    allowed = AllowedFigures.of(notes)
    state: _State | None = _State()
    for position, character in enumerate(text):
        state = _step(state, character, allowed) if state else None
        at_word_end = position + 1 == len(text) or not _in_word(text[position + 1])
        if state is None or (at_word_end and _says_held_back(state.tail, allowed)):
            return text[max(0, position - 30) : position + 1]
    return None if state is None or state.may_end else text[-30:]


def _read(state: _State, data: bytes, allowed: AllowedFigures) -> _State | None:
    """The state after some bytes; None where they write, or can only become, what is not allowed."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        text = decoder.decode(state.pending + data)
    except UnicodeDecodeError:
        return None
    pending = decoder.getstate()[0]
    after: _State | None = replace(state, pending=b"")
    for character in text:
        after = _step(after, character, allowed) if after else None
    if after is None or _says_held_back(after.tail, allowed):
        return None
    if pending and not after.may_end:
        openings = (child.encode() for node in after.hard for child in node.children)
        if not any(opening.startswith(pending) for opening in openings):
            return None
    return replace(after, pending=pending)


def _step(state: _State | None, character: str, allowed: AllowedFigures) -> _State | None:
    """The state after one character of text, which may fold to several (½ is 1⁄2)."""
    for folded in fold(character):
        state = _step_folded(state, folded, allowed) if state else None
    return state


def _step_folded(state: _State, character: str, allowed: AllowedFigures) -> _State | None:
    ended = any(node.ends for node in state.hard)
    free = state.free or (ended and _may_follow_figure(character))
    begun = allowed.root.children.get(character) if free and _may_begin_figure(state.tail) else None
    soft = tuple(node.children[character] for node in state.soft if character in node.children)
    hard = tuple(node.children[character] for node in state.hard if character in node.children)
    if begun is not None:
        soft = (*soft, begun)
    if _is_hard(character):
        hard, soft, free = (*hard, *soft), (), False
    elif free and not hard and _runs_on(state.tail, character):
        return None
    if not _in_word(character) and not hard and _says_held_back(state.tail, allowed):
        return None
    if not free and not hard:
        return None
    return _State((state.tail + character)[-LONGEST:], b"", free, soft, hard)


def _is_hard(character: str) -> bool:
    # What opens a figure binds as well: after "#" or "$" only a fact's figure can follow.
    return character in "@#" or unicodedata.category(character) in ("Nd", "Nl", "No", "Sc")


def _in_word(character: str) -> bool:
    return (character.isalnum() and not _HAN.match(character)) or character == "_"


def _may_begin_figure(tail: str) -> bool:
    """Not inside a word, and not as the tail of a longer figure: 5 may not follow "$", "-" or "1,"."""
    if not tail:
        return True
    if _in_word(tail[-1]) or tail[-1] in "@#+-%/\\" or _is_currency(tail[-1]):
        return False
    return not (tail[-1] in _JOINTS and len(tail) > 1 and _is_hard(tail[-2]))


def _may_follow_figure(character: str) -> bool:
    return not _in_word(character) and character not in "@%°-/\\#" and not _is_currency(character)


def _is_currency(character: str) -> bool:
    return unicodedata.category(character) == "Sc"


def _runs_on(tail: str, character: str) -> bool:
    """Whether a letter would lengthen a figure that was closed by a point: help@shop.example + ".com"."""
    if not _in_word(character) or len(tail) < 2 or tail[-1] not in _JOINTS:
        return False
    return _is_hard(tail[-2]) or (_in_word(tail[-2]) and "@" in tail.split()[-1])


def _says_held_back(tail: str, allowed: AllowedFigures) -> bool:
    """Whether the text ends with a word that states a figure or a state the turn knows nothing of."""
    word = _LAST_WORD.search(tail)
    if word is not None and word[0] in allowed.held_back_words:
        return True
    return any(tail.endswith(phrase) for phrase in allowed.held_back_phrases)
