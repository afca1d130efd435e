"""How cheaply every parser state can be finished: the table behind shortest completions.

For a state s and an item with d symbols before its dot that will be reduced to A, the cost is that of the cheapest
terminals that finish the item: the fixed point of  cost(s, A, d) = min over transitions s -X-> t of
cost(X) + cost(t, A, d + 1),  and of  cost(X) = min over states of cost(s, X, 0).
"""

from __future__ import annotations

import numpy as np

from apps.code.grammar.finishing import bare_tries, empty_blocks, lone_elses
from apps.code.grammar.tables import REDUCE, SHIFT, START_STATE, Tables
from apps.code.grammar.terminals import NEVER, terminal_costs, terminal_texts


def finishing_costs(language: str, tables: Tables) -> dict[str, np.ndarray]:
    """The arrays that `shortest.FinishingCosts` reads."""
    costs = terminal_costs(tables, terminal_texts(language, tables))
    costs += [NEVER] * (tables.symbol_count - len(costs))
    edges, items = _automaton(tables)
    changed = True
    while changed:
        changed = False
        for state in range(tables.state_count - 1, 0, -1):
            own = items[state]
            for symbol, target in edges[state]:
                if costs[symbol] >= NEVER:
                    continue
                for (reduced, depth), rest in list(items[target].items()):
                    cost = costs[symbol] + rest
                    if depth > 1:
                        if cost < own.get((reduced, depth - 1), NEVER):
                            own[reduced, depth - 1] = cost
                            changed = True
                    elif depth == 1 and cost < costs[reduced]:
                        costs[reduced] = cost
                        changed = True
    first = np.cumsum([0] + [len(item) for item in items])
    entries = [(reduced, depth, cost) for item in items for (reduced, depth), cost in sorted(item.items())]
    table = np.array(entries, np.int64).reshape(-1, 3)
    return {
        "cost_first": first.astype(np.uint32),
        "cost_symbol": table[:, 0].astype(np.uint16),
        "cost_depth": table[:, 1].astype(np.uint8),
        "cost_value": table[:, 2].astype(np.uint16),
        "cost_of_symbol": np.array(costs, np.uint16),
    }


def _automaton(tables: Tables) -> tuple[list[list[tuple[int, int]]], list[dict[tuple[int, int], int]]]:
    """Per state the transitions (symbol, state), and the items that can be reduced at once, which cost nothing."""
    forbidden = empty_blocks(tables) | lone_elses(tables)
    unfinished, try_statement = bare_tries(tables)
    edges: list[list[tuple[int, int]]] = [[] for _ in range(tables.state_count)]
    items: list[dict[tuple[int, int], int]] = [{} for _ in range(tables.state_count)]
    for state in _reachable(tables):
        for symbol, entry in tables.row(state):
            if symbol >= tables.token_count:
                if (state, symbol) not in forbidden:
                    edges[state].append((symbol, entry))
                continue
            for kind, argument, detail in tables.actions(entry):
                if kind == SHIFT and not detail and (state, symbol) not in forbidden:
                    edges[state].append((symbol, argument))
                elif kind == REDUCE and not (state in unfinished and argument == try_statement):
                    items[state][argument, detail] = 0
    return edges, items


def _reachable(tables: Tables) -> set[int]:
    """The states that some text leads to: grammars keep some that none does, and what they could do is no help."""
    found, waiting = {START_STATE}, [START_STATE]
    while waiting:
        for symbol, entry in tables.row(waiting.pop()):
            targets = {entry}
            if symbol < tables.token_count:
                targets = {
                    argument for kind, argument, extra in tables.actions(entry) if kind == SHIFT and not extra
                }
            waiting += targets - found
            found |= targets
    return found
