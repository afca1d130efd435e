"""Generalised LR parsing over tree-sitter's tables, on a persistent stack."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence

from apps.code.grammar.budget import Budget
from apps.code.grammar.stack import Node, below
from apps.code.grammar.stack_rules import BARRED, StackRules
from apps.code.grammar.tables import ACCEPT, END_SYMBOL, REDUCE, SHIFT, START_STATE, Tables

_STATE_BITS = 16  # of states and of symbols, in keys that hold a mark too
_MAX_MEMOS = 1500
"""Memos that are kept, of nodes and of merged nodes: it bounds the memory of a long program."""


class KeywordRules:
    """When a keyword may be read as an identifier.

    tree-sitter reads every keyword as an identifier where the keyword has no meaning, except for a state's reserved
    words. `hard` keywords never are; `plain` words are never keywords at all.
    """

    def __init__(
        self, tables: Tables, words: dict[str, int], hard: frozenset[str], plain: frozenset[str]
    ) -> None:
        self._tables = tables
        self.hard_words = hard
        self.plain_words = plain
        self.soft = frozenset(words.values()) - {words[word] for word in hard if word in words}

    def is_reserved(self, state: int, keyword: int) -> bool:
        """Whether the grammar keeps this keyword from being an identifier in this state."""
        return keyword in self._tables.reserved[self._tables.reserved_set[state]]

    def may_be_identifier(self, state: int, keyword: int) -> bool:
        """Whether a keyword that means nothing here is taken as an identifier."""
        return keyword in self.soft and not self.is_reserved(state, keyword)


class Parser:
    """The stacks of one program and of its forks; the tables behind it are shared.

    Not thread-safe: a program and its forks belong to one thread.
    """

    def __init__(
        self,
        tables: Tables,
        keywords: KeywordRules,
        dead: frozenset[tuple[int, int]],
        rules: StackRules | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.budget = budget or Budget()
        self._tables = tables
        self._rules = rules
        self._keywords = keywords
        self._dead = (
            dead  # (state, symbol) that strict rules take out of the table, terminals and nonterminals
        )
        self.root = Node(START_STATE, ())
        self._accepted = Node(-1, ())
        self._merged: OrderedDict[tuple[int, int, frozenset[Node]], Node] = OrderedDict()
        self._with_memos: deque[Node] = deque()

    def __del__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop all memos. They make reference cycles (parent and child); without them stacks free themselves."""
        for node in self._with_memos:
            node.children = node.consumed = None
        self._with_memos.clear()
        self._merged.clear()

    def limit_memory(self) -> None:
        """Forget the oldest memos when there are many; call it between tokens.

        Only as many as came since: to forget all at once takes longer than a token may.
        """
        with_memos, merged = self._with_memos, self._merged
        while len(with_memos) > _MAX_MEMOS:
            node = with_memos.popleft()
            node.children = node.consumed = None
        while len(merged) > _MAX_MEMOS:
            merged.popitem(last=False)

    def push(self, parent: Node, state: int, mark: int = 0) -> Node:
        """The node for `state` on top of `parent`."""
        children = parent.children
        if children is None:
            children = parent.children = {}
            self._with_memos.append(parent)
        key = mark << _STATE_BITS | state
        node = children.get(key)
        if node is None:
            node = children[key] = Node(state, (parent,), mark)
        return node

    def merge(self, nodes: list[Node]) -> Node:
        """One node for nodes of one state and mark: its stacks are those of all of them."""
        parents = dict.fromkeys(parent for node in nodes for parent in node.parents)
        return self._over(parents, nodes[0].state, nodes[0].mark)

    def _over(self, parents: dict[Node, None], state: int, mark: int) -> Node:
        """The node for `state` on top of several nodes."""
        key = (state, mark, frozenset(parents))
        node = self._merged.get(key)
        if node is None:
            node = self._merged[key] = Node(state, tuple(parents), mark)
        return node

    def goto(self, state: int, symbol: int) -> int:
        """The state after a nonterminal, 0 where there is none."""
        target = self._tables.entry(state, symbol)
        return 0 if (state, symbol) in self._dead else target

    def consume(self, node: Node, symbol: int, mark: int = 0) -> tuple[Node, ...]:
        """The nodes after all reductions that `symbol` allows and its shift; empty where it cannot follow.

        `mark` is the mark of the terminal's text.
        """
        key = mark << _STATE_BITS | symbol
        memo = node.consumed
        if memo is None:
            memo = node.consumed = {}
            self._with_memos.append(node)
        else:
            found = memo.get(key)
            if found is not None:
                return found
        out: list[Node] = []
        if self._rules is None or not self._rules.refuses(node, symbol):
            self._consume(node, symbol, mark, out)
        if len(out) > 1:
            by_state: dict[tuple[int, int], dict[Node, None]] = {}
            for shifted in out:
                by_state.setdefault((shifted.state, shifted.mark), {})[shifted] = None
            out = [
                next(iter(group)) if len(group) == 1 else self.merge(list(group))
                for group in by_state.values()
            ]
        result = memo[key] = tuple(out)
        return result

    def _consume(self, start: Node, terminal: int, mark: int, out: list[Node]) -> None:
        tables, rules = self._tables, self._rules
        seen: set[Node] = set()
        waiting = [(start, terminal)]
        while waiting:
            node, symbol = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            self.budget.step()
            entry = tables.entry(node.state, symbol)
            if not entry and self._keywords.may_be_identifier(node.state, symbol):
                symbol = tables.capture
                entry = tables.entry(node.state, symbol)
            if not entry or (node.state, symbol) in self._dead:
                continue
            reduced: list[Node] = []
            for kind, argument, detail in tables.actions(entry):
                if kind == REDUCE:
                    kept = rules.reduced(node, argument, detail) if rules else 0
                    reduced += self._reduced(below(node, detail), argument, kept)
                elif kind == SHIFT:
                    if detail:
                        out.append(node)
                        continue
                    kept = rules.shifted(node, symbol, mark) if rules else 0
                    if kept != BARRED:
                        out.append(self.push(node, argument, kept))
                elif kind == ACCEPT:
                    out.append(self._accepted)
            waiting += [(after, symbol) for after in reduced]

    def _reduced(self, bases: Sequence[Node], symbol: int, mark: int) -> Iterable[Node]:
        """The nodes for a nonterminal on top of `bases`; those that come to one state are one node.

        Ambiguous nesting (`a<a<a<…` in C++) has a base for every level. Taken one by one, each token would cost as
        much as the text is deep.
        """
        goto = self.goto
        if len(bases) == 1:
            state = goto(bases[0].state, symbol)
            return (self.push(bases[0], state, mark),) if state else ()
        targets = {state: goto(state, symbol) for state in {base.state for base in bases}}
        by_target: dict[tuple[int, int], dict[Node, None]] = {}
        for base in bases:
            by_target.setdefault((targets[base.state], base.mark), {})[base] = None
        return [
            self.push(next(iter(group)), state, mark) if len(group) == 1 else self._over(group, state, mark)
            for (state, _), group in by_target.items()
            if state
        ]

    def may_end(self, node: Node) -> bool:
        """Whether the end of the text may follow."""
        return self._accepted in self.consume(node, END_SYMBOL)
