"""The persistent graph-structured stack of a generalised LR parser.

A node is a parser state on top of one or more stacks. Nodes are never changed (but for their memos), so an old
position in the text is kept by keeping its nodes.
"""

from __future__ import annotations

from collections.abc import Sequence


class Node:
    """A parser state and the stacks below it.

    `children` finds the node that was pushed for a state, so that equal stacks are one object; `consumed` holds what
    `Parser.consume` found for a symbol; `distance` what `shortest` found. A `mark` says something of what the node
    stands for that forbids what might follow (see `stack_rules`).
    """

    __slots__ = ("children", "consumed", "distance", "mark", "parents", "state")

    def __init__(self, state: int, parents: tuple[Node, ...], mark: int = 0) -> None:
        self.state = state
        self.parents = parents
        self.mark = mark
        self.children: dict[int, Node] | None = None
        self.consumed: dict[int, tuple[Node, ...]] | None = None
        self.distance: float | None = None


def below(node: Node, count: int) -> Sequence[Node]:
    """The nodes found by popping `count` states."""
    while count:
        parents = node.parents
        if len(parents) != 1:
            break
        node = parents[0]
        count -= 1
    if not count:
        return (node,)
    level: dict[Node, None] = {node: None}
    while count:
        level = dict.fromkeys(parent for n in level for parent in n.parents)
        count -= 1
    return tuple(level)


def marks_on(node: Node, count: int) -> int:
    """The marks of the top `count` nodes together, on any of the stacks."""
    mark = 0
    level: dict[Node, None] = {node: None}
    for _ in range(count):
        for n in level:
            mark |= n.mark
        level = dict.fromkeys(parent for n in level for parent in n.parents)
    return mark
