"""Reads a program piece by piece and says whether it can still become one that tree-sitter parses without error.

Every stack of the parser lexes for itself, as in tree-sitter: a `Reading` is one stack together with its unfinished
token. Positions are offsets from the beginning of the program, in characters.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from apps.code.grammar.budget import Budget
from apps.code.grammar.grammar import Grammar
from apps.code.grammar.lexer import SKIP
from apps.code.grammar.parser import Parser
from apps.code.grammar.scanner import FRESH, NOTHING, REFUSED, SUSPENDED, Memory, Phase, Scan, Window
from apps.code.grammar.stack import Node

AUTOMATON: Phase = (-1,)
"""The phase of a reading whose token the automaton lexes (its external scanner, if any, found nothing)."""


class Reading(NamedTuple):
    """A stack and the token that is being read on top of it."""

    node: Node
    memory: Memory
    start: int  # where the token begins, white space included
    phase: Phase  # of the external scanner, or AUTOMATON
    state: int  # of the automaton
    word: int  # where the token begins, after white space
    accepted: int  # the last symbol the automaton accepted on the way, or -1
    end: int  # where that symbol ends


class Snapshot(NamedTuple):
    """A position in a program: all readings of the text so far. Immutable."""

    readings: tuple[Reading, ...]
    tail: str  # the last characters of the text, as far back as a reading needs them
    base: int  # where the tail begins


class Acceptor:
    """One program of one grammar. A `Snapshot` is a state of it; feeding never changes one."""

    def __init__(self, grammar: Grammar, budget: Budget | None = None) -> None:
        self.grammar = grammar
        self._tables = grammar.tables
        self._lexer = grammar.lexer
        self._scanner = grammar.scanner
        self._forbidden = grammar.forbidden_character
        self.parser = Parser(
            grammar.tables, grammar.keyword_rules, grammar.dead_entries, grammar.stack_rules, budget
        )

    def initial(self) -> Snapshot:
        """The empty program."""
        return Snapshot((self._fresh(self.parser.root, self.grammar.initial_memory, 0),), "", 0)

    def by_automaton(self, reading: Reading, snapshot: Snapshot) -> tuple[Reading, ...]:
        """What a reading that waits in its external scanner would be to the automaton."""
        if reading.phase == AUTOMATON or reading.start < snapshot.base:
            return ()
        feed = _Feed(snapshot.tail, snapshot.base)
        self._lex(self._without_scanner(reading), feed, reading.start - feed.base)
        self._drain(feed)
        return tuple(feed.pending)

    def unfinished(self, reading: Reading, snapshot: Snapshot) -> str:
        """The characters of the token that is being read, without the white space before it."""
        return snapshot.tail[max(0, reading.word - snapshot.base) :]

    def feed(self, snapshot: Snapshot, text: str) -> Snapshot | None:
        """The snapshot after `text`, or None where no program begins like this.

        Whether the unfinished last token can be finished is a second question: see `viable`.
        """
        if self._forbidden is not None and self._forbidden in text:
            return None
        base = snapshot.base
        known = len(snapshot.tail)
        feed = _Feed(snapshot.tail + text, base)
        for reading in snapshot.readings:
            self._go_on(reading, feed, known)
        self._drain(feed)
        return self._snapshot(feed)

    def viable(self, snapshot: Snapshot) -> bool:
        """Whether the unfinished last token can be finished so that the program goes on."""
        return any(self._viable(reading, snapshot) for reading in snapshot.readings)

    def complete(self, snapshot: Snapshot) -> bool:
        """Whether the text so far is a whole program."""
        waiting = list(snapshot.readings)
        seen: set[Reading] = set()
        while waiting:
            reading = waiting.pop()
            if reading in seen:
                continue
            seen.add(reading)
            feed = _Feed(snapshot.tail, snapshot.base)
            if reading.phase != AUTOMATON:
                found = self._scan(reading, feed, at_end=True)
                text_is_gone = reading.start < snapshot.base  # inside a string that the end leaves open
                if found[0] in (REFUSED, SUSPENDED) or (found[0] == NOTHING and text_is_gone):
                    continue
                if found[0] == NOTHING:
                    self._lex(self._without_scanner(reading), feed, reading.start - feed.base)
                else:
                    self._take_external(reading, found, feed)
            elif self._ends(reading):
                return True
            else:
                self._take_at_end(reading, feed)
            self._drain(feed)
            waiting += feed.pending
        return False

    def _fresh(self, node: Node, memory: Memory, start: int) -> Reading:
        if self._scanner and self._tables.external_state[node.state]:
            return Reading(node, memory, start, FRESH, 0, start, -1, start)
        return Reading(node, memory, start, AUTOMATON, self._tables.lex_state[node.state], start, -1, start)

    def _without_scanner(self, reading: Reading) -> Reading:
        node, memory, start = reading[:3]
        return Reading(node, memory, start, AUTOMATON, self._tables.lex_state[node.state], start, -1, start)

    def _drain(self, feed: _Feed) -> None:
        """Read on from every token's end, in the order of the text, joining the stacks that meet at one place."""
        heads, size = feed.heads, len(feed.text)
        while heads:
            at = min(heads) if len(heads) > 1 else next(iter(heads))
            arrived = heads.pop(at)
            if len(arrived) > 1:
                arrived = self._join(arrived)
            for node, memory in arrived:
                reading = self._fresh(node, memory, at + feed.base)
                if at >= size:
                    feed.pending.append(reading)
                else:
                    self._go_on(reading, feed, at)

    def _join(self, arrived: list[tuple[Node, Memory]]) -> list[tuple[Node, Memory]]:
        groups: dict[tuple[int, int, Memory], dict[Node, None]] = {}
        for node, memory in arrived:
            groups.setdefault((node.state, node.mark, memory), {})[node] = None
        return [
            (next(iter(nodes)) if len(nodes) == 1 else self.parser.merge(list(nodes)), memory)
            for (_, _, memory), nodes in groups.items()
        ]

    def _snapshot(self, feed: _Feed) -> Snapshot | None:
        pending = feed.pending
        if not pending:
            return None
        if len(pending) > 1:
            pending = self._join_readings(pending)
        end = feed.base + len(feed.text)
        needed = min(self._needed_from(reading, end) for reading in pending)
        if needed > feed.base:
            return Snapshot(tuple(pending), feed.text[needed - feed.base :], needed)
        return Snapshot(tuple(pending), feed.text, feed.base)

    def _join_readings(self, pending: list[Reading]) -> list[Reading]:
        groups: dict[tuple, dict[Reading, None]] = {}
        for reading in pending:
            groups.setdefault((reading.node.state, reading.node.mark, *reading[1:]), {})[reading] = None
        return [
            first if len(group) == 1 else first._replace(node=self.parser.merge([r.node for r in group]))
            for group in groups.values()
            for first in (next(iter(group)),)
        ]

    def _needed_from(self, reading: Reading, end: int) -> int:
        if reading.phase == AUTOMATON:
            if reading.accepted < 0 or self.grammar.reads_words[reading.state]:
                return min(reading.word, reading.end) if reading.accepted >= 0 else reading.word
            if reading.accepted in self.grammar.worded_symbols:
                return reading.word
            return reading.end
        if reading.phase == FRESH or self._scanner is None:
            return reading.start
        return reading.start + self._scanner.needed_from(reading.memory, reading.phase)

    def _go_on(self, reading: Reading, feed: _Feed, at: int) -> None:
        """Continue a reading with the characters from index `at` of the feed's text."""
        if reading.phase == AUTOMATON:
            self._lex(reading, feed, at)
            return
        found = self._scan(reading, feed, at_end=False)
        kind = found[0]
        if kind == SUSPENDED:
            feed.pending.append(reading._replace(phase=found[1]))
        elif kind == NOTHING:
            start = reading.start - feed.base
            # before the base: inside a string, where the automaton has nothing to add
            if start >= 0 and not self._skip_comments(reading, feed, start):
                self._lex(self._without_scanner(reading), feed, start)
        elif kind != REFUSED:
            self._take_external(reading, found, feed)

    def _skip_comments(self, reading: Reading, feed: _Feed, start: int) -> bool:
        """Whether the text goes on with a long comment: it is passed at once, since every line of it would be scanned
        to the end of all."""
        assert self._scanner is not None  # who else found nothing
        node, comment = reading.node, self.grammar.comment
        end = self._scanner.comment_run(feed.text, start)
        if (
            end == start
            or comment not in self._lexer.reach[self._tables.lex_state[node.state]]
            or list(self.parser.consume(node, comment)) != [node]
        ):
            return False
        feed.heads.setdefault(end, []).append((node, reading.memory))
        return True

    def _lex(self, reading: Reading, feed: _Feed, at: int) -> None:
        lexer, text, base = self._lexer, feed.text, feed.base
        transitions, accepts, class_of = lexer.transitions, lexer.accepts, lexer.class_of
        node, memory, start, _, state, word, accepted, end = reading
        size = len(text)
        while at < size:
            target = transitions[state][class_of(text[at])]
            if target < 0:
                if accepted >= 0:
                    self._take(node, memory, accepted, word - base, end - base, feed)
                return
            at += 1
            if target >= SKIP:
                target -= SKIP
                word = at + base
            state = target
            if accepts[state] >= 0:
                accepted, end = accepts[state], at + base
        feed.pending.append(Reading(node, memory, start, AUTOMATON, state, word, accepted, end))

    def _take(self, node: Node, memory: Memory, symbol: int, word: int, end: int, feed: _Feed) -> None:
        """Give the parser the token `feed.text[word:end]` that the automaton found."""
        grammar = self.grammar
        name, mark = "", 0
        if symbol == self._tables.capture:
            name = feed.text[word:end]
            symbol = grammar.keyword_or_identifier(node.state, name)
            if symbol < 0:
                return
            if symbol == self._tables.capture:
                mark = grammar.mark_of_name(name, memory)
        elif symbol in grammar.checked_symbols and not grammar.legal_token(
            symbol, feed.text, word, end, memory
        ):
            return
        nodes = self.parser.consume(node, symbol, mark)
        if nodes:
            memory = grammar.shifted(memory, symbol, name)
            feed.heads.setdefault(end, []).extend((shifted, memory) for shifted in nodes)

    def _take_external(self, reading: Reading, found: Scan, feed: _Feed) -> None:
        _, index, end, memory = found
        nodes = self.parser.consume(reading.node, self._tables.external_symbols[index])
        if nodes:
            feed.heads.setdefault(end, []).extend((shifted, memory) for shifted in nodes)

    def _scan(self, reading: Reading, feed: _Feed, at_end: bool) -> Scan:
        assert self._scanner is not None  # only readings of grammars with a scanner have such a phase
        window = self._window(reading.node, feed.text, at_end)
        return self._scanner.scan(window, reading.start - feed.base, reading.memory, reading.phase)

    def _window(self, node: Node, text: str, at_end: bool) -> Window:
        valid = self._tables.external_valid[self._tables.external_state[node.state]]
        return Window(text, len(text), at_end, valid, partial(self._takes_external, node))

    def _takes_external(self, node: Node, index: int) -> bool:
        return bool(self.parser.consume(node, self._tables.external_symbols[index]))

    def _viable(self, reading: Reading, snapshot: Snapshot) -> bool:
        node, memory, start, phase = reading[:4]
        text, base = snapshot.tail, snapshot.base
        end = base + len(text)
        if phase != AUTOMATON:
            if start == end or self._scanner is None:
                return True
            verdict = self._scanner.viable(self._window(node, text, False), start - base, memory, phase)
            if verdict is not None:
                return verdict
            feed = _Feed(text, base)
            self._lex(self._without_scanner(reading), feed, start - base)
            return self._any_viable(feed)
        if reading.word == end:
            return self.grammar.skips_freely(node.state, reading.state) or self._can_finish(reading, "")
        word = text[reading.word - base :] if self.grammar.reads_words[reading.state] else ""
        if self._can_finish(reading, word):
            return True
        if reading.accepted >= 0 and reading.end < end:
            feed = _Feed(text, base)
            self._take(node, memory, reading.accepted, reading.word - base, reading.end - base, feed)
            self._drain(feed)
            # The shorter token counts where the longer one fails. What is in the same state then fails with it.
            feed.pending = [
                other for other in feed.pending if other.state != reading.state or other.accepted >= 0
            ]
            return self._any_viable(feed)
        return False

    def _any_viable(self, feed: _Feed) -> bool:
        self._drain(feed)
        snapshot = self._snapshot(feed)
        return snapshot is not None and self.viable(snapshot)

    def _can_finish(self, reading: Reading, word: str) -> bool:
        """Whether some token that begins like the unfinished one can follow on the stack."""
        consume, node, grammar = self.parser.consume, reading.node, self.grammar
        if not grammar.legal_beginning(reading.state, word):
            return False
        reachable = self._lexer.reach[reading.state]
        capture = self._tables.capture
        if capture in reachable:
            if consume(node, capture):
                return True
            for keyword in grammar.keywords_from(word):
                if self._tables.entry(node.state, keyword) and consume(node, keyword):
                    return True
        for symbol in reachable:  # noqa: SIM110 - a generator costs more than the loop
            if symbol != capture and consume(node, symbol):
                return True
        return False

    def _ends(self, reading: Reading) -> bool:
        """Whether the automaton reads the end of the text, and the parser takes it."""
        at_end = self._lexer.at_end[reading.state]
        return at_end >= 0 and self._lexer.accepts[at_end] == 0 and self.parser.may_end(reading.node)

    def _take_at_end(self, reading: Reading, feed: _Feed) -> None:
        """Give the parser the token before the end of the text, and read what is left of the text after it."""
        at_end = self._lexer.at_end[reading.state]
        accepted, end = reading.accepted, reading.end
        if at_end >= 0 and self._lexer.accepts[at_end] >= 0:
            accepted, end = self._lexer.accepts[at_end], feed.base + len(feed.text)
            if accepted == 0:
                return
        if accepted >= 0 and end > reading.start:
            self._take(
                reading.node, reading.memory, accepted, reading.word - feed.base, end - feed.base, feed
            )


class _Feed:
    """The work of one call: text, where tokens ended, and the readings that reached the end of the text."""

    __slots__ = ("base", "heads", "pending", "text")

    def __init__(self, text: str, base: int) -> None:
        self.text = text
        self.base = base
        self.heads: dict[int, list[tuple[Node, Memory]]] = {}
        self.pending: list[Reading] = []
