"""The persistent graph-structured stack of a generalised LR parser.

A node is a parser state on top of one or more stacks. Nodes are never changed (but for their memos), so an old
position in the text is kept by keeping its nodes.
"""

from __future__ import annotations

from collections.abc import Sequence


class Node:
    """A parser state and the stacks below it.

    `children` finds the node that was pushed for a state, so that equal stacks are one object; `consumed` holds what
    `Parser.consume` found for a symbol; `distance` what `shortest` found. A node that is `marked` has something in
    the list it stands in that forbids what might follow (see `parser.ArgumentOrder`).
    """

    __slots__ = ("children", "consumed", "distance", "marked", "parents", "state")

    def __init__(self, state: int, parents: tuple[Node, ...], marked: bool = False) -> None:
        self.state = state
        self.parents = parents
        self.marked = marked
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


def any_marked(node: Node, count: int) -> bool:
    """Whether one of the top `count` nodes is marked, on any of the stacks."""
    level: dict[Node, None] = {node: None}
    for _ in range(count):
        if any(n.marked for n in level):
            return True
        level = dict.fromkeys(parent for n in level for parent in n.parents)
    return False
