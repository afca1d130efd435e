"""Strict rules of Python: what CPython refuses and tree-sitter-python takes.

The rules about newlines and indentation are in `python_scanner`.
"""

from __future__ import annotations

import keyword
import re
from bisect import bisect_right
from collections.abc import Mapping

import numpy as np

from apps.code.grammar.finishing import bare_tries
from apps.code.grammar.lexer import SKIP
from apps.code.grammar.scanner import Memory
from apps.code.grammar.stack_rules import ArgumentOrder
from apps.code.grammar.strict_rules import StrictRules
from apps.code.grammar.tables import REDUCE, START_STATE, Tables

_PYTHON_NUMBER = re.compile(
    r"0[xX](_?[0-9a-fA-F])+|0[oO](_?[0-7])+|0[bB](_?[01])+"
    r"|(0(_?0)*|[1-9](_?[0-9])*)"
    r"|(([0-9](_?[0-9])*)?\.[0-9](_?[0-9])*|[0-9](_?[0-9])*\.?)([eE][+-]?[0-9](_?[0-9])*)?[jJ]?"
)
_PYTHON_NUMBER_BEGINNING = re.compile(
    r"0[xX](_?[0-9a-fA-F])*_?|0[oO](_?[0-7])*_?|0[bB](_?[01])*_?"
    r"|[0-9](_?[0-9])*_?"
    r"|([0-9](_?[0-9])*\.|\.(?=[0-9]))([0-9](_?[0-9])*_?)?"
    r"|([0-9](_?[0-9])*\.?|([0-9](_?[0-9])*)?\.[0-9](_?[0-9])*)([eE][+-]?([0-9](_?[0-9])*_?)?)?"
    r"|([0-9](_?[0-9])*\.?|([0-9](_?[0-9])*)?\.[0-9](_?[0-9])*)([eE][+-]?[0-9](_?[0-9])*)?[jJ]"
)
_AUGMENTED = frozenset(["+=", "-=", "*=", "/=", "@=", "//=", "%=", "**=", ">>=", "<<=", "&=", "^=", "|="])
_BEFORE_NO_WALRUS = _AUGMENTED | frozenset(
    [
        "=",
        ":",
        "->",
        "and",
        "or",
        "not",
        "in",
        "else",
        "return",
        "yield",
        "from",
        "raise",
        "assert",
        "del",
        "with",
    ]
)
"""What no `x := 1` without parentheses follows."""
_JOINERS = "\u200c\u200d"  # letters since Unicode 15.1
_NO_LETTER = "€"
_LAST_CODE_POINT = 0x10FFFF
_PYTHON_DECIMAL_INTEGER = re.compile(r"[0-9_]*")


class PythonRules(StrictRules):
    """CPython 3: keywords, numbers and escapes; `print` and `exec` are ordinary names, not statements."""

    hard_keywords = frozenset(keyword.kwlist)
    plain_words = frozenset({"print", "exec"})
    forbidden_character = "\0"

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        names = tables.names
        terminals = range(tables.token_count)
        self._numbers = frozenset(s for s in terminals if names[s] in ("integer", "float"))
        self._lone_backslash = frozenset(s for s in terminals if names[s] == "\\")
        self._escape = frozenset(s for s in terminals if names[s] == "escape_sequence")
        self.checked_symbols = self._numbers | self._lone_backslash | self._escape

    def dead_entries(self) -> frozenset[tuple[int, int]]:
        """What each of these methods names: `as` outside `with` and `except`, commas after an opening bracket and
        where a list needs brackets, targets that CPython refuses (those that begin with a sign lead nowhere in
        tree-sitter's grammar too), `x := 1` as a statement or an operand, a conditional as another's condition,
        several iterables in a comprehension, stars in a row, and what follows a `try` that has no clause yet."""
        entered = self._tables.entered_by()
        return frozenset(
            self._stray_as()
            | self._leading_commas()
            | self._trailing_commas()
            | self._bad_targets()
            | self._signed_targets()
            | self._bare_walruses(entered)
            | self._conditional_conditions(entered)
            | self._commas_in_comprehensions()
            | self._starred_stars()
            | self._after_bare_try()
        )

    def stack_rules(self, words: dict[str, int]) -> ArgumentOrder:
        """No positional argument after a keyword argument."""
        tables = self._tables
        names = tables.names
        keyword_argument, comma = names.index("keyword_argument"), names.index(",")
        soft = {symbol for word, symbol in words.items() if word not in self.hard_keywords}
        name_symbols = {tables.capture} | soft
        others = {s for s in range(tables.token_count) if names[s] in ("*", "**", ")")}
        return ArgumentOrder(
            makers=frozenset({keyword_argument, names.index("dictionary_splat")}),
            carrier=names.index("argument_list_repeat1"),
            comma=comma,
            commas=frozenset(s for s in self._after(comma) if tables.entry(s, keyword_argument)),
            allowed=frozenset(name_symbols | others | self._extras()),
            names=frozenset(state for symbol in name_symbols for state in self._after(symbol)),
            after_name=frozenset({names.index("=")} | self._extras()),
        )

    def _extras(self) -> set[int]:
        terminals = range(self._tables.token_count)
        return {s for s in terminals if self._tables.names[s] in ("comment", "line_continuation")}

    def _stray_as(self) -> set[tuple[int, int]]:
        tables = self._tables
        names = tables.names
        word, expression = names.index("as"), names.index("expression")
        excepts = [s for s in range(tables.token_count) if names[s] in ("except", "except*")]
        legal_bases = set().union(*(self._after(symbol) for symbol in excepts))
        stars = [s for s in range(tables.token_count) if names[s] == "*"]
        legal_bases |= set().union(*(tables.shifts(legal_bases, star) for star in stars))
        item = names.index("with_item")
        legal, all_states = set(), set()
        for base in range(1, tables.state_count):
            state = tables.entry(base, expression)
            if state and tables.entry(state, word):
                all_states.add(state)
                if base in legal_bases or tables.entry(base, item):
                    legal.add(state)
        return {(state, word) for state in all_states - legal}

    def _leading_commas(self) -> set[tuple[int, int]]:
        names = self._tables.names
        comma = names.index(",")
        opened = set().union(*(self._after(names.index(bracket)) for bracket in "([{"))
        return {(state, comma) for state in opened}

    def _starred_stars(self) -> set[tuple[int, int]]:
        """`*` and `**` right after one of them."""
        names = self._tables.names
        stars = [symbol for symbol in range(self._tables.token_count) if names[symbol] in ("*", "**")]
        after = set().union(*(self._after(star) for star in stars))
        return {(state, star) for state in after for star in stars}

    def _trailing_commas(self) -> set[tuple[int, int]]:
        """The end of `import a,` and `with a,:`, which want brackets around them."""
        names = self._tables.names
        ends = [names.index(end) for end in (";", "_newline", ":")]
        lists = {names.index("_import_list"), names.index("with_clause")}
        return {
            (state, end)
            for state in self._after(names.index(","))
            for end in ends
            for kind, argument, _ in self._tables.actions(self._tables.entry(state, end))
            if kind == REDUCE and argument in lists
        }

    def _bad_targets(self) -> set[tuple[int, int]]:
        """Augmented assignment to several targets or inside another assignment; annotation of several targets."""
        tables = self._tables
        names = tables.names
        augmented = [s for s in range(tables.token_count) if names[s] in _AUGMENTED]
        colon = names.index(":")
        after_equals = set().union(*(self._after(s) for s in (names.index("="), *augmented)))
        several, assignment = names.index("pattern_list"), names.index("assignment")
        bases: dict[int, set[tuple[bool, bool]]] = {}  # of a state: (several targets before it, nested)
        for base in range(1, tables.state_count):
            statement = bool(tables.entry(base, assignment))
            for symbol, state in tables.row(base):
                if symbol >= tables.token_count:
                    kind = (statement and symbol == several, statement and base in after_equals)
                    bases.setdefault(state, set()).add(kind)
        bad = {state for state, kinds in bases.items() if all(any(kind) for kind in kinds)}
        return {(state, symbol) for state in bad for symbol in (*augmented, colon)}

    def _signed_targets(self) -> set[tuple[int, int]]:
        """`for +a`, `for *await a`: where an expression can only be the `a` of the target `a.b` or `a[b]`."""
        tables = self._tables
        primary = tables.names.index("primary_expression")
        signs = [s for s in range(tables.token_count) if tables.names[s] in ("+", "-", "~", "await")]
        bad = set()
        for state in range(1, tables.state_count):
            after = tables.entry(state, primary)
            if after and not any(
                kind == REDUCE
                for symbol, entry in tables.row(after)
                if symbol < tables.token_count
                for kind, _, _ in tables.actions(entry)
            ):
                bad |= {(state, sign) for sign in signs}
        return bad

    def _bare_walruses(self, entered: dict[int, set[int]]) -> set[tuple[int, int]]:
        """The name before `:=` where a statement begins, and after what no `x := 1` without parentheses follows."""
        tables = self._tables
        names = tables.names
        target, statement = names.index("_named_expression_lhs"), names.index("expression_statement")
        words = {s for s in range(tables.token_count) if names[s] in _BEFORE_NO_WALRUS}
        word_if = names.index("if")
        before = {i for i, name in enumerate(names) if name in ("expression", "for_in_clause", "if_clause")}
        conditions = {
            after
            for state, by in entered.items()
            if by <= before
            for after in tables.shifts([state], word_if)
        }
        return {
            (state, target)
            for state, by in entered.items()
            if tables.entry(state, target)
            and (by <= words or state in conditions or tables.entry(state, statement))
        } | {(START_STATE, target)}

    def _conditional_conditions(self, entered: dict[int, set[int]]) -> set[tuple[int, int]]:
        """`a if b if c else d else e`: a condition that is a conditional expression needs brackets."""
        tables = self._tables
        expression = tables.names.index("expression")
        word_if = tables.names.index("if")
        return {
            (tables.entry(after, expression), word_if)
            for state, by in entered.items()
            if by == {expression}
            for after in tables.shifts([state], word_if)
        }

    def _commas_in_comprehensions(self) -> set[tuple[int, int]]:
        """`[x for x in a, b]`: Python 2."""
        tables = self._tables
        clause, comma = tables.names.index("for_in_clause"), tables.names.index(",")
        return {
            (state, comma)
            for state in range(1, tables.state_count)
            for symbol, entry in tables.row(state)
            if symbol < tables.token_count
            and any(kind == REDUCE and reduced == clause for kind, reduced, _ in tables.actions(entry))
        }

    def _after_bare_try(self) -> set[tuple[int, int]]:
        """Everything but `except` and `finally`."""
        states, _ = bare_tries(self._tables)
        clauses = {
            s for s in range(self._tables.token_count) if self._tables.names[s] in ("except", "finally")
        }
        allowed = clauses | self._extras()
        return {
            (state, symbol)
            for state in states
            for symbol in range(self._tables.token_count)
            if symbol not in allowed
        }

    def _after(self, symbol: int) -> set[int]:
        """All states that shifting a terminal leads to."""
        return self._tables.shifts(range(1, self._tables.state_count), symbol)

    def adapted(self, data: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Without the white space that CPython does not know (U+200B, vertical tab): its own class, not skipped.

        Without the zero-width joiners in names, too, which it does not know either.
        """
        starts, classes = data["lex_range_starts"].tolist(), data["lex_range_classes"].tolist()

        def class_of(character: str) -> int:
            return int(classes[bisect_right(starts, ord(character)) - 1])

        space, sign = class_of("\f"), class_of(_NO_LETTER)
        ends = [*starts[1:], 0x110000]
        new_starts, new_classes = [], []
        unknown = data["lex_transitions"].shape[1]
        for start, end, character_class in zip(starts, ends, classes, strict=True):
            one_by_one = character_class == space or start <= ord(_JOINERS[0]) < end
            for point in range(start, end) if one_by_one else [start]:
                odd = character_class == space and chr(point) not in " \t\n\r\f\\"
                new_starts.append(point)
                new_classes.append(unknown if odd else sign if chr(point) in _JOINERS else character_class)
        column = data["lex_transitions"][:, space : space + 1].copy()
        column[column >= SKIP] = -1
        return {
            **data,
            "lex_range_starts": np.array(new_starts, np.int32),
            "lex_range_classes": np.array(new_classes, np.int32),
            "lex_transitions": np.concatenate([data["lex_transitions"], column], axis=1),
        }

    def legal_token(self, symbol: int, text: str, start: int, end: int, memory: Memory) -> bool:
        if symbol in self._numbers:
            return _legal_number(text[start:end])
        if symbol in self._lone_backslash:
            return text[end : end + 1] not in ("x", "u", "U", "N")
        return _legal_escape(text[start:end])

    def legal_beginning(self, word: str) -> bool:
        if word[:2] == "\\U":
            return int((word[2:10] or "0").ljust(8, "0"), 16) <= _LAST_CODE_POINT
        if word[:1].isdigit() or (word[:1] == "." and word[1:2].isdigit()):
            return _PYTHON_NUMBER_BEGINNING.fullmatch(word) is not None
        return True


def _legal_number(text: str) -> bool:
    if _PYTHON_NUMBER.fullmatch(text) is None:
        return False
    return not (_PYTHON_DECIMAL_INTEGER.fullmatch(text) and text[0] == "0" and text.strip("0_"))


def _legal_escape(text: str) -> bool:
    return text[:2] != "\\U" or int(text[2:], 16) <= _LAST_CODE_POINT
