"""Strict rules of Java: what the language refuses and tree-sitter-java takes.

Statements at the top level, though not the methods and fields of a compact source file; constructors that are not
named like their class; modifiers that are repeated; keywords as names; newlines in strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from apps.code.grammar.scanner import Memory
from apps.code.grammar.stack import Node, marks_on
from apps.code.grammar.stack_rules import BARRED, StackRules
from apps.code.grammar.strict_rules import StrictRules
from apps.code.grammar.tables import SHIFT, Tables

_KEYWORDS = """
abstract assert boolean break byte case catch char class const continue default do double else enum extends
final finally float for goto if implements import instanceof int interface long native new package private
protected public return short static strictfp super switch synchronized this throw throws transient try void
volatile while true false null
"""
_ACCESS = ("public", "protected", "private")
_MODIFIERS = (
    *_ACCESS,
    *("abstract", "default", "final", "native", "non-sealed", "sealed", "static", "strictfp"),
    *("synchronized", "transient", "volatile"),
)
_TYPE_KEYWORDS = ("byte", "short", "int", "long", "char", "float", "double", "boolean_type", "void_type")
_TOP_LEVEL_TERMINALS = frozenset(
    [
        *_MODIFIERS,
        *_TYPE_KEYWORDS,
        *("end", "identifier", ";", "<", "@", "line_comment", "block_comment"),
        *("class", "interface", "@interface", "enum", "record", "import", "package", "open", "module"),
    ]
)
_TOP_LEVEL_NONTERMINALS = frozenset(
    [
        *("program", "program_repeat1", "_toplevel_statement", "statement", "declaration"),
        *("module_declaration", "package_declaration", "import_declaration", "enum_declaration"),
        *("class_declaration", "record_declaration", "interface_declaration", "annotation_type_declaration"),
        *(
            "local_variable_declaration",
            "method_declaration",
            "_method_header",
            "modifiers",
            "modifiers_repeat1",
        ),
        *("_annotation", "marker_annotation", "annotation", "array_creation_expression_repeat1"),
        *("type_parameters", "_unannotated_type", "scoped_type_identifier", "generic_type", "array_type"),
        *("integral_type", "floating_point_type"),
    ]
)
_OWN_NAME, _OWN_RECORD, _DEFAULT = (1 << len(_MODIFIERS) + bit for bit in range(3))
"""Marks of a name: that of the class, or of the record, whose body it stands in; `default` where it is a name."""

_NAME_NEXT = ""


class JavaRules(StrictRules):
    """The memory is (what each open brace belongs to, the class whose header is read, its open parentheses); a class
    is (its name, the mark that its name gets in its body), and None stands for any other brace."""

    hard_keywords = frozenset(_KEYWORDS.split())
    initial_memory: Memory = ((), None, 0)

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        names = tables.names
        self._kinds = {
            names.index("class"): _OWN_NAME,
            names.index("enum"): _OWN_NAME,
            names.index("record"): _OWN_NAME | _OWN_RECORD,
        }
        terminals = range(tables.token_count)
        self._opening = frozenset(s for s in terminals if names[s] in ("{", "\\{"))
        self._extras = frozenset(s for s in terminals if names[s] in ("line_comment", "block_comment"))
        self._punctuation = {names.index(text): text for text in ("}", "(", ")", ";")}
        self._tops = frozenset(
            state
            for state in range(1, tables.state_count)
            if tables.entry(state, names.index("_toplevel_statement"))
        )

    def dead_entries(self) -> frozenset[tuple[int, int]]:
        """What begins a statement or an expression at the top level."""
        names, tokens = self._tables.names, self._tables.token_count
        return frozenset(
            (state, symbol)
            for state in self._tops
            for symbol, _ in self._tables.row(state)
            if names[symbol] not in (_TOP_LEVEL_TERMINALS if symbol < tokens else _TOP_LEVEL_NONTERMINALS)
        )

    def names_in(self) -> frozenset[tuple[int, str]]:
        """tree-sitter reads the `default` of `case null, default` as a name."""
        commas = self._tables.shifts(self._labels(), self._tables.names.index(","))
        return frozenset((state, "default") for state in commas)

    def _labels(self) -> frozenset[int]:
        """The states after `case x`."""
        names = self._tables.names
        cases = self._tables.shifts(self._bases("switch_label"), names.index("case"))
        return frozenset(self._tables.entry(case, names.index("expression")) for case in cases)

    def stack_rules(self, words: dict[str, int]) -> StackRules:
        """Repeated modifiers, constructors' names, and statements that begin like a declaration."""
        tables = self._tables
        names = tables.names
        symbols = [names.index(word) for word in _MODIFIERS]
        bits = {symbol: 1 << number for number, symbol in enumerate(symbols)}
        access = sum(bits[names.index(word)] for word in _ACCESS)
        bases = self._bases("_constructor_declarator")
        bases |= {tables.entry(state, names.index("type_parameters")) for state in bases}
        return _JavaStack(
            modifiers=bits,
            excluded={s: access if bit & access else bit for s, bit in bits.items()},
            list_of_modifiers=names.index("modifiers_repeat1"),
            constructor_names=frozenset(self._tables.shifts(bases, tables.capture)),
            parenthesis=names.index("("),
            brace=names.index("{"),
            labels=self._labels(),
            tops=self._tops,
            not_on_top=self._not_on_top(),
        )

    def _bases(self, nonterminal: str) -> set[int]:
        symbol = self._tables.names.index(nonterminal)
        return {state for state in range(1, self._tables.state_count) if self._tables.entry(state, symbol)}

    def _not_on_top(self) -> dict[int, frozenset[int]]:
        """By state: the terminals that make something else than a declaration of what begins the top level's item: a
        call, assignment, lambda or label of a name, `synchronized (`, and the dot of `int.class`."""
        tables = self._tables
        names = tables.names
        name = self._tables.shifts(self._tops, tables.capture)
        found = {
            state: frozenset(
                symbol
                for symbol, entry in tables.row(state)
                if symbol < tables.token_count
                and names[symbol] not in ("<", ".")
                and any(kind == SHIFT and not extra for kind, _, extra in tables.actions(entry))
            )
            for state in name
        }
        for state in self._tables.shifts(self._tops, names.index("synchronized")):
            found[state] = frozenset([names.index("(")])
        whole_type = names.index("_unannotated_type")
        for state in {tables.entry(top, whole_type) for top in self._tops}:
            found[state] = frozenset([names.index(".")])
        return found

    def mark_of_name(self, name: str, memory: Memory) -> int:
        if name == "default":
            return _DEFAULT
        braces = memory[0]
        owner = braces[-1] if braces else None
        return owner[1] if owner is not None and owner[0] == name else 0

    def shifted(self, memory: Memory, symbol: int, name: str) -> Memory:
        braces, header, depth = memory
        if header is not None and header[0] == _NAME_NEXT and symbol not in self._extras:
            header = (name, header[1]) if symbol == self._tables.capture else None
            memory = (braces, header, 0)
        if symbol in self._kinds:
            return (braces, (_NAME_NEXT, self._kinds[symbol]), 0)
        if symbol in self._opening:
            if header is None or depth:  # the braces in a header's parentheses are those of annotations
                return ((*braces, None), header, depth)
            return ((*braces, header), None, 0)
        text = self._punctuation.get(symbol)
        if text == "}":
            return (braces[:-1], header, depth)
        if text is None or header is None:
            return memory
        if text == ";":
            return (braces, None, 0) if not depth else memory
        return (braces, header, max(0, depth + (1 if text == "(" else -1)))

    def adapted(self, data: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Without the steps over a newline inside a string's fragment."""
        fragment = self._tables.names.index("string_fragment")
        starts, classes = data["lex_range_starts"], data["lex_range_classes"]
        newline = int(classes[np.searchsorted(starts, ord("\n"), "right") - 1])
        transitions = data["lex_transitions"].copy()
        into_fragment = np.isin(transitions[:, newline], np.flatnonzero(data["lex_accepts"] == fragment))
        transitions[into_fragment, newline] = -1
        return {**data, "lex_transitions": transitions}


@dataclass(frozen=True)
class _JavaStack(StackRules):
    """A modifier marks its node and the list of modifiers; a name that is its class's is marked by the acceptor."""

    modifiers: dict[int, int]  # terminal → its bit
    excluded: dict[int, int]  # terminal → the bits that it cannot follow
    list_of_modifiers: int
    constructor_names: frozenset[int]  # states after a name that may be a constructor's
    parenthesis: int
    brace: int
    labels: frozenset[int]  # states after `case x`
    tops: frozenset[int]  # states between the top level's items
    not_on_top: dict[int, frozenset[int]]

    def shifted(self, node: Node, symbol: int, own: int) -> int:
        state, mark = node.state, node.mark
        if own & _DEFAULT and not _stands_on(node, self.labels):
            return BARRED
        if state in self.constructor_names:
            if (symbol == self.parenthesis and not mark & _OWN_NAME) or (
                symbol == self.brace and not mark & _OWN_RECORD
            ):
                return BARRED
        elif state in self.not_on_top and symbol in self.not_on_top[state] and _stands_on(node, self.tops):
            return BARRED
        bit = self.modifiers.get(symbol, 0)
        return BARRED if bit and mark & self.excluded[symbol] else bit | own

    def reduced(self, node: Node, symbol: int, count: int) -> int:
        return marks_on(node, count) if symbol == self.list_of_modifiers else 0


def _stands_on(node: Node, states: frozenset[int]) -> bool:
    return any(parent.state in states for parent in node.parents)
