"""The shortest text that completes a program.

First the unfinished token is finished, then the parser's stack is: a Dijkstra search over the moves "finish an item
of the top state, pop it and go on from the state below" finds what the cheapest completion begins with; that terminal
is really consumed, and the search goes on from there. What comes out is checked by the acceptor itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from apps.code.grammar.acceptor import AUTOMATON, Acceptor, Reading, Snapshot
from apps.code.grammar.endings import Endings
from apps.code.grammar.rendering import render
from apps.code.grammar.scanner import Memory
from apps.code.grammar.stack import Node, below
from apps.code.grammar.terminals import NEVER

_MAX_SEARCH = 4000  # nodes of one Dijkstra search
_MAX_EXPANDED = 60  # stacks of one best-first search
_MAX_TERMINALS = 400  # of one completion
_MAX_CHECKED = 16  # candidates that are fed to the acceptor


class _Candidate(NamedTuple):
    cost: float
    ending: str  # finishes the unfinished token
    node: Node  # the stack after it
    memory: Memory


class Completer:
    """Finds completions of the programs of one acceptor."""

    def __init__(self, acceptor: Acceptor) -> None:
        self._acceptor = acceptor
        self._parser = acceptor.parser
        self._tables = acceptor.grammar.tables
        self._costs = acceptor.grammar.costs
        self._endings: Endings = acceptor.grammar.endings

    def complete(self, snapshot: Snapshot) -> str | None:
        """The cheapest text found that makes the snapshot's text a whole program; "" where it is one already."""
        if self._acceptor.complete(snapshot):
            return ""
        candidates = sorted(self._candidates(snapshot), key=lambda candidate: candidate.cost)
        for candidate in candidates[:_MAX_CHECKED]:
            text = self._finish(snapshot, candidate)
            if text is not None:
                return text
        return None

    def beginnings(self, snapshot: Snapshot) -> Iterator[str]:
        """Texts that go some way towards a whole program, for a text that something else follows."""
        candidates = sorted(self._candidates(snapshot), key=lambda candidate: candidate.cost)
        for candidate in candidates[:_MAX_CHECKED]:
            terminals = self._plan(candidate.node) or []
            for count in range(len(terminals) + 1):
                body = self._render(terminals[:count], candidate.memory)
                for gap in self._gaps(snapshot, candidate, body):
                    yield candidate.ending + gap + body

    def _finish(self, snapshot: Snapshot, candidate: _Candidate) -> str | None:
        terminals = self._plan(candidate.node)
        if terminals is None:
            return None
        body = self._render(terminals, candidate.memory)
        for gap in self._gaps(snapshot, candidate, body):
            text = candidate.ending + gap + body
            fed = self._acceptor.feed(snapshot, text)
            if fed is not None and self._acceptor.complete(fed):
                return text
        return None

    def _render(self, terminals: list[int], memory: Memory) -> str:
        return render(self._tables, self._acceptor.grammar.terminal_texts, terminals, memory)

    def _gaps(self, snapshot: Snapshot, candidate: _Candidate, body: str) -> list[str]:
        """What may stand between the finished token and the rest, the likeliest first."""
        scanner = self._acceptor.grammar.scanner
        line = scanner.line_break(candidate.memory) if scanner else "\n"
        before = (snapshot.tail + candidate.ending)[-1:]
        touching = before[-1:].isalnum() or before == "_"
        spaces = ["", " ", line]
        if touching and (body[:1].isalnum() or body[:1] == "_"):
            spaces = [" ", line, ""]
        comment = self._acceptor.grammar.language.comment
        return [*spaces, comment] if comment else spaces

    def _candidates(self, snapshot: Snapshot) -> Iterator[_Candidate]:
        if snapshot.tail.endswith("\\"):  # the line may go on in the next one
            fed = self._acceptor.feed(snapshot, "\n")
            if fed is not None:
                for after in fed.readings:
                    for candidate in self._from_reading(after, fed):
                        yield candidate._replace(ending="\n" + candidate.ending)
        for reading in snapshot.readings:
            yield from self._from_reading(reading, snapshot)
            for other in self._acceptor.by_automaton(reading, snapshot):
                yield from self._from_reading(other, snapshot)
            if reading.phase != AUTOMATON and self._acceptor.grammar.scanner:
                scanner = self._acceptor.grammar.scanner
                for ending in scanner.endings(reading.memory, reading.phase):
                    fed = self._acceptor.feed(snapshot, ending)
                    if fed is None:
                        continue
                    for after in fed.readings:
                        for candidate in self._from_reading(after, fed):
                            if not candidate.ending:
                                cost = candidate.cost + len(ending) / 8
                                yield candidate._replace(cost=cost, ending=ending)

    def _from_reading(self, reading: Reading, snapshot: Snapshot) -> Iterator[_Candidate]:
        end = snapshot.base + len(snapshot.tail)
        if reading.word == end or reading.phase != AUTOMATON:
            yield _Candidate(self.distance(reading.node), "", reading.node, reading.memory)
            return
        grammar, node = self._acceptor.grammar, reading.node
        for symbol, ending in self._endings.of_token(reading, self._acceptor.unfinished(reading, snapshot)):
            for after in self._parser.consume(node, symbol):
                memory = grammar.shifted(reading.memory, symbol, "")
                yield _Candidate(self.distance(after) + len(ending) / 8, ending, after, memory)

    def distance(self, node: Node) -> float:
        """The cost of the cheapest completion of a stack, in tenths of a token; infinite where none was found."""
        if node.distance is None:
            self._search(node)
        assert node.distance is not None
        return node.distance

    def _search(self, start: Node) -> None:
        """Dijkstra from `start`; leaves the distances of the nodes on the best way."""
        best: dict[Node, float] = {start: 0}
        came_from: dict[Node, Node] = {}
        queue: list[tuple[float, int, Node]] = [(0, 0, start)]
        goal, total, count = start, float("inf"), 0
        while queue and count < _MAX_SEARCH:
            self._parser.budget.step()
            cost, _, node = heapq.heappop(queue)
            if cost >= total:
                break
            if cost > best[node]:
                continue
            rest = node.distance if node.distance is not None else 0 if self._parser.may_end(node) else None
            if rest is not None:
                if cost + rest < total:
                    goal, total = node, cost + rest
                continue
            for symbol, depth, price in self._costs.items(node.state):
                for base in below(node, depth):
                    state = self._parser.goto(base.state, symbol)
                    if not state:
                        continue
                    reached, longer = self._parser.push(base, state), cost + price
                    if longer < best.get(reached, float("inf")):
                        best[reached], came_from[reached] = longer, node
                        count += 1
                        heapq.heappush(queue, (longer, count, reached))
        start.distance = total
        if total < float("inf"):
            goal.distance = total - best[goal]
            node = goal
            while node is not start:
                node = came_from[node]
                node.distance = total - best[node]

    def _plan(self, node: Node) -> list[int] | None:
        """The terminals of the cheapest completion of a stack."""
        terminals: list[int] = []
        while not self._parser.may_end(node):
            self._parser.budget.step()
            step = self._next_step(node)
            if step is None or len(terminals) >= _MAX_TERMINALS:
                return None
            if self.distance(step[1]) < self.distance(node):
                terminals.append(step[0])
                node = step[1]
                continue
            detour = self._best_first(node)
            if detour is None:
                return None
            terminals += detour[0]
            node = detour[1]
        return terminals

    def _best_first(self, start: Node) -> tuple[list[int], Node] | None:
        """A* over terminals that are really consumed, to a stack that is nearer to its end, for stacks that the
        tables alone see too hopefully: they do not know which terminals precedence and strict rules let follow."""
        queue: list[tuple[float, int, float, Node, tuple[int, ...]]] = [
            (self.distance(start), 0, 0.0, start, ())
        ]
        seen: set[Node] = set()
        count = 0
        while queue and len(seen) < _MAX_EXPANDED:
            _, _, cost, node, terminals = heapq.heappop(queue)
            if node in seen:
                continue
            if self._parser.may_end(node) or self.distance(node) < self.distance(start):
                return list(terminals), node
            seen.add(node)
            for symbol, after in self._steps(node, self._first_terminals(node)):
                count += 1
                reached = cost + self._costs.of_symbol[symbol]
                path = (*terminals, symbol)
                heapq.heappush(queue, (reached + self.distance(after), count, reached, after, path))
        return None

    def _first_terminals(self, start: Node) -> set[int]:
        """What the cheapest way to finish each item of a stack begins with, after any reductions that need nothing."""
        found: set[int] = set()
        waiting, seen = [start], {start}
        while waiting:
            node = waiting.pop()
            for symbol, depth, price in self._costs.items(node.state):
                terminal = self._costs.first_terminal(node.state, symbol, depth) if price else None
                if terminal is not None:
                    found.add(terminal)
                    continue
                for base in below(node, depth):
                    state = self._parser.goto(base.state, symbol)
                    after = self._parser.push(base, state) if state else node
                    if after not in seen:
                        seen.add(after)
                        waiting.append(after)
        return found

    def _steps(self, node: Node, symbols: Iterable[int]) -> Iterator[tuple[int, Node]]:
        """The terminals that can be written next, and the stacks after them."""
        for symbol in symbols:
            if not 0 < symbol < self._tables.token_count or self._costs.of_symbol[symbol] >= NEVER:
                continue
            if not self._costs.forbids(node.state, symbol):
                for after in self._parser.consume(node, symbol):
                    if after is not node:
                        yield symbol, after

    def _next_step(self, node: Node) -> tuple[int, Node] | None:
        """The terminal that brings a stack nearest to its end, and the stack after it."""
        distance = self.distance(node)
        guess = self._promising_terminal(node)
        if guess is not None:
            found = self._step(node, guess)
            if found is not None and found[0] <= distance + 1:
                return guess, found[1]
        costs = self._costs.of_symbol
        possible = self._steps(node, [symbol for symbol, _ in self._tables.row(node.state)])
        return min(possible, key=lambda step: costs[step[0]] + self.distance(step[1]), default=None)

    def _step(self, node: Node, symbol: int) -> tuple[float, Node] | None:
        if self._costs.forbids(node.state, symbol):
            return None
        steps = [
            (self._costs.of_symbol[symbol] + self.distance(after), after)
            for after in self._parser.consume(node, symbol)
            if after is not node
        ]
        return min(steps, key=lambda step: step[0], default=None)

    def _promising_terminal(self, node: Node) -> int | None:
        """The first terminal on the cheapest way, as the tables alone see it."""
        while True:
            move = self._best_move(node)
            if move is None:
                return None
            symbol, depth, after = move
            terminal = self._costs.first_terminal(node.state, symbol, depth)
            if terminal is not None:
                return terminal
            node = after

    def _best_move(self, node: Node) -> tuple[int, int, Node] | None:
        """The first move of the way that `_search` found: finish (symbol, depth), and the stack after it."""
        total = self.distance(node)
        for symbol, depth, price in self._costs.items(node.state):
            for base in below(node, depth):
                state = self._parser.goto(base.state, symbol)
                if state:
                    after = self._parser.push(base, state)
                    if after.distance is not None and after.distance + price <= total:
                        return symbol, depth, after
        return None
