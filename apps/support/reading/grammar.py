"""The reader's constraint: only commands of the language, handles of the view and words of the message.

What may be written is a nondeterministic finite automaton over bytes, built for one view and message. Copied
words are a chain of one state for every byte of the message, entered at the beginning of any word.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import cached_property

from apps.support.reading import postal
from apps.support.reading.choices import KEYWORDS, OptionTable
from apps.support.reading.commands import INTENTS, OUT_OF_SCOPE, TOPICS, UNKNOWN, VERBS, Shape
from apps.support.reading.view import View, message_line
from apps.support.replies.grounding import TokenTable

LONGEST_FORCED = 64
"""Bytes that are looked ahead."""

_SPACE = ord(" ")


class Automaton:
    """States are numbers; `arrows[s][byte]` are the states that `byte` leads to. State 0 is the start."""

    def __init__(self) -> None:
        self.arrows: list[dict[int, set[int]]] = []
        self.empty: list[set[int]] = []  # moves that read nothing
        self.final: set[int] = set()
        self.start = self.state()

    def state(self) -> int:
        self.arrows.append({})
        self.empty.append(set())
        return len(self.arrows) - 1

    def literal(self, source: int, text: str) -> int:
        """Read `text` from `source` on; the state behind it."""
        for byte in text.encode():
            target = self.state()
            self.arrows[source].setdefault(byte, set()).add(target)
            source = target
        return source

    def jump(self, source: int, target: int) -> None:
        self.empty[source].add(target)

    def one_of(self, source: int, texts: Iterable[str]) -> int:
        """Read one of the texts."""
        end = self.state()
        for text in texts:
            self.jump(self.literal(source, text), end)
        return end

    def list_of(self, source: int, texts: Sequence[str], joint: str) -> int:
        """Read one or more of the texts, `joint` between them."""
        begin = self.state()
        self.jump(source, begin)
        end = self.one_of(begin, texts)
        self.jump(self.literal(end, joint), begin)
        return end

    def copied(self, source: int, message: str) -> int:
        """Read any run of whole words of the message; in Chinese, of characters."""
        data = message.encode()
        chain = [self.state() for _ in range(len(data) + 1)]
        end = self.state()
        for place, byte in enumerate(data):
            self.arrows[chain[place]].setdefault(byte, set()).add(chain[place + 1])
        for place in _boundaries(message):
            if place < len(data) and data[place] != _SPACE:
                self.arrows[source].setdefault(data[place], set()).add(chain[place + 1])
            if place > 0 and data[place - 1] != _SPACE:
                self.jump(chain[place], end)
        return end

    def closed(self, states: Iterable[int]) -> frozenset[int]:
        """These states and all that empty moves lead to."""
        seen = set(states)
        queue = list(seen)
        while queue:
            for target in self.empty[queue.pop()]:
                if target not in seen:
                    seen.add(target)
                    queue.append(target)
        return frozenset(seen)

    def after(self, states: frozenset[int], data: bytes) -> frozenset[int]:
        """Where `data` leads; nowhere: an empty set."""
        for byte in data:
            states = self.closed(target for s in states for target in self.arrows[s].get(byte, ()))
            if not states:
                return states
        return states

    def only_way(self, states: frozenset[int]) -> bytes:
        """What must be read from here on in any case, up to where there is a choice or an end."""
        text = bytearray()
        while not states & self.final and len(text) < LONGEST_FORCED:
            following = {byte for state in states for byte in self.arrows[state]}
            if len(following) != 1:
                break
            text.append(following.pop())
            states = self.after(states, bytes(text[-1:]))
        return bytes(text)

    def shortest_end(self, states: frozenset[int]) -> bytes | None:
        """The shortest text that ends well from here; None where none does."""
        left = self._bytes_left
        state = min(states, key=lambda s: left.get(s, math.inf), default=None)
        if state is None or state not in left:
            return None
        text = bytearray()
        while state not in self.final:
            following = next((s for s in self.empty[state] if left.get(s) == left[state]), None)
            if following is None:
                byte, following = next(
                    (byte, target)
                    for byte, targets in self.arrows[state].items()
                    for target in targets
                    if left.get(target) == left[state] - 1
                )
                text.append(byte)
            state = following
        return bytes(text)

    @cached_property
    def _bytes_left(self) -> dict[int, int]:
        """state → how many bytes the shortest way to an end reads; states without a way are left out."""
        before: list[list[tuple[int, int]]] = [[] for _ in self.arrows]
        for source, arrows in enumerate(self.arrows):
            for target in self.empty[source]:
                before[target].append((source, 0))
            for targets in arrows.values():
                for target in targets:
                    before[target].append((source, 1))
        left: dict[int, int] = {}
        queue = deque((state, 0) for state in self.final)
        while queue:
            state, count = queue.popleft()
            if state in left:
                continue
            left[state] = count
            for source, read in before[state]:
                (queue.append if read else queue.appendleft)((source, count + read))
        return left


def commands_automaton(view: View, message: str, intent: str | None = None) -> Automaton:
    """All that a message may be read as, given what there is; with `intent` the one command that has it."""
    machine = Automaton()
    verbs = {
        verb for verb in VERBS if intent in (None, OUT_OF_SCOPE if verb == "none" else INTENTS.get(verb))
    }
    topics = [topic for topic in TOPICS if intent in (None, INTENTS.get(f"ask {topic}"))]
    verbs |= {"ask"} if topics else set()
    end = machine.state()
    machine.final.add(end)
    line = message_line(message)
    shapes: dict[Shape, Callable[[int], Iterable[int]]] = {
        Shape.NOTHING: lambda verb: [verb],
        Shape.ORDERS: lambda verb: [verb, *_orders(machine, verb, view)],
        Shape.ITEMS: lambda verb: [verb, *_items(machine, verb, view)],
        Shape.PLACE: lambda verb: _place(machine, verb, view),
        Shape.METHOD: lambda verb: [verb, *_method(machine, verb, view)],
        Shape.WORDS: lambda verb: [verb, machine.copied(machine.literal(verb, " "), line)],
        Shape.TOPIC: lambda verb: [machine.one_of(machine.literal(verb, " "), topics)],
    }
    for verb, shape in VERBS.items():
        if verb in verbs:
            for state in shapes[shape](machine.literal(machine.start, verb)):
                machine.jump(state, end)
    if intent is None:
        machine.jump(machine.literal(end, "; "), machine.start)
    return machine


def choice_automaton(table: OptionTable, message: str) -> Automaton:
    """All that may be wanted of a product's options."""
    machine = Automaton()
    end = machine.state()
    machine.final.add(end)
    letters = list(table.letters)
    word = machine.state()
    machine.jump(machine.start, word)
    stops = [machine.one_of(word, KEYWORDS)]
    stops.append(machine.list_of(machine.literal(word, "nth "), "123456789", ""))
    prices = re.findall(r"\d(?:[\d.,]*\d)?", message_line(message), re.ASCII)
    if prices:
        stops.append(machine.one_of(machine.literal(word, "price "), prices))
    machine.jump(machine.literal(machine.start, "none"), end)
    if letters:
        wanted = machine.list_of(word, list(table.open_letters(message)), " ")
        refused = machine.list_of(machine.literal(word, "not "), letters, " ")
        machine.jump(machine.literal(wanted, " not "), _into(machine, refused, letters))
        stops += [wanted, refused]
    for state in stops:
        machine.jump(state, end)
        machine.jump(machine.literal(state, " "), word)
    return machine


def address_automaton(message: str) -> Automaton:
    """Six parts, each copied or missing."""
    machine = Automaton()
    state, line = machine.start, message_line(message)
    for number in range(len(postal.PARTS)):
        if number:
            state = machine.literal(state, postal.JOINT)
        end = machine.copied(state, line)
        machine.jump(machine.literal(state, postal.MISSING), end)
        state = end
    machine.final.add(state)
    return machine


class WithinAutomaton:
    """A core_model Constraint: the text is one that the automaton reads to an end."""

    growth = 4

    def __init__(self, machine: Automaton, tokens: TokenTable) -> None:
        self._machine = machine
        self._tokens = tokens
        self._states = machine.closed([machine.start])
        self._accepted = 0
        self._complete_at: int | None = None

    def allows(self, token: int) -> bool:
        return bool(self._after(token))

    def first_allowed(self, tokens: Sequence[int]) -> int | None:
        openings = {byte for state in self._states for byte in self._machine.arrows[state]}
        for token in tokens:
            data = self._tokens.token_bytes(token)
            if data[:1] and data[0] in openings and self.allows(token):
                return token
        return None

    def accept(self, token: int) -> None:
        states = self._after(token)
        if not states:
            raise ValueError(f"token {token} leads out of the reader's language")
        self._states = states
        self._accepted += 1
        if self.may_end():
            self._complete_at = self._accepted

    def may_end(self) -> bool:
        return bool(self._states & self._machine.final)

    def forced(self) -> list[int]:
        return self._tokens.encode(self._machine.only_way(self._states).decode(errors="ignore"))

    def closing(self) -> list[int]:
        rest = self._machine.shortest_end(self._states) or b""
        # A token may end within a character: the rest of that has no text of its own.
        cut = next((place for place, byte in enumerate(rest) if byte & 0xC0 != 0x80), len(rest))
        return [*map(self._byte, rest[:cut]), *self._tokens.encode(rest[cut:].decode())]

    def longest_complete(self) -> int | None:
        return self._complete_at

    def fork(self) -> WithinAutomaton:
        return copy(self)

    def _byte(self, byte: int) -> int:
        """The token of one byte."""
        table = self._tokens
        return next(token for token in range(table.vocab) if table.token_bytes(token) == bytes((byte,)))

    def _after(self, token: int) -> frozenset[int]:
        data = self._tokens.token_bytes(token)
        if not data or token in self._tokens.special.values():
            return frozenset()
        return self._machine.after(self._states, data)


def _orders(machine: Automaton, verb: int, view: View) -> list[int]:
    space = machine.literal(verb, " ")
    ends = [machine.literal(space, UNKNOWN)]
    if view.orders:
        ends += [machine.list_of(space, view.order_handles, joint) for joint in (" ", " or ")]
    return ends


def _items(machine: Automaton, verb: int, view: View) -> list[int]:
    space = machine.literal(verb, " ")
    ends = [machine.one_of(space, (UNKNOWN, "cheapest", "dearest"))]
    items = view.item_handles
    if not items:
        return ends
    named = machine.list_of(space, items, " ")
    either = machine.list_of(space, items, " or ")
    order = machine.list_of(space, view.order_handles, " ")
    machine.jump(machine.literal(order, " "), _into(machine, named, list(items)))
    kept = machine.list_of(machine.literal(order, " not "), items, " ")
    like = machine.one_of(machine.literal(named, " like "), items)
    picked = machine.one_of(machine.literal(either, " "), ("cheapest", "dearest"))
    of_order = machine.one_of(machine.literal(order, " "), ("cheapest", "dearest"))
    return [*ends, named, either, order, kept, like, picked, of_order]


def _place(machine: Automaton, verb: int, view: View) -> list[int]:
    """`readdress P to home`, `home to Q`; the account has one address, an order's change names the order."""
    begun = [verb, *_orders(machine, verb, view)]
    places = ["given", "home", *view.order_handles]
    return begun + [machine.one_of(machine.literal(state, " to "), places) for state in begun]


def _method(machine: Automaton, verb: int, view: View) -> list[int]:
    begun = [verb]
    ends: list[int] = []
    if view.orders:
        begun.append(machine.list_of(machine.literal(verb, " "), view.order_handles, " "))
        ends.append(begun[-1])
    for state in begun:
        for opening in (" ", " with "):
            space = machine.literal(state, opening)
            ends.append(machine.literal(space, UNKNOWN))
            if view.methods:
                ends += [machine.list_of(space, view.method_handles, joint) for joint in (" ", " or ")]
    return ends


def _into(machine: Automaton, end: int, letters: list[str]) -> int:
    """A state from which one or more letters lead to `end`."""
    begin = machine.state()
    machine.jump(machine.list_of(begin, letters, " "), end)
    return begin


def _boundaries(message: str) -> list[int]:
    """Byte positions at which a word may begin or end."""
    places, offset, before = [], 0, ""
    for character in message:
        inside = _in_word(before) and _in_word(character)
        if not inside:
            places.append(offset)
        offset += len(character.encode())
        before = character
    return [*places, offset]


def _in_word(character: str) -> bool:
    return character != "" and character.isalnum() and not "\u3400" <= character <= "\u9fff"
