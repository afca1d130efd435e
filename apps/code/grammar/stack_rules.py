"""Strict rules that look at the parser's stack: what may follow depends on marks that earlier symbols left there."""

from __future__ import annotations

from dataclasses import dataclass

from apps.code.grammar.stack import Node, marks_on

BARRED = -1
"""In place of a mark: the terminal may not be shifted."""


class StackRules:
    """No rules. A mark is a set of bits of a node; what they mean is a language's own affair."""

    def refuses(self, node: Node, symbol: int) -> bool:
        """Whether the terminal may not follow here, before anything is reduced."""
        return False

    def shifted(self, node: Node, symbol: int, own: int) -> int:
        """The mark of the node that shifting the terminal makes on `node`, or BARRED; `own` is that of its text."""
        return own

    def reduced(self, node: Node, symbol: int, count: int) -> int:
        """The mark of the node of a nonterminal that is reduced from the top `count` nodes."""
        return 0


@dataclass(frozen=True)
class ArgumentOrder(StackRules):
    """No positional argument follows a keyword argument.

    A keyword argument marks its node, the comma after it and the rest of the list; after such a comma only names,
    stars and the closing bracket may follow, and after the name only "=".
    """

    makers: frozenset[int]  # nonterminals that mark
    carrier: int  # the nonterminal of the list's rest
    comma: int
    commas: frozenset[int]  # states after a comma between arguments
    allowed: frozenset[int]  # terminals after a marked comma
    names: frozenset[int]  # states after a name that may be an argument's
    after_name: frozenset[int]

    def refuses(self, node: Node, symbol: int) -> bool:
        if node.mark and node.state in self.commas:
            return symbol not in self.allowed
        return (
            node.state in self.names
            and symbol not in self.after_name
            and all(parent.mark and parent.state in self.commas for parent in node.parents)
        )

    def shifted(self, node: Node, symbol: int, own: int) -> int:
        return node.mark if symbol == self.comma else 0

    def reduced(self, node: Node, symbol: int, count: int) -> int:
        if symbol in self.makers:
            return 1
        return marks_on(node, count) if symbol == self.carrier else 0
