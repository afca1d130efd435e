"""Rules of the languages themselves where tree-sitter's grammars are lax. None forbids a legal program.

The rules about newlines and indentation in Python are in `python_scanner`.
"""

from __future__ import annotations

import keyword
import re
from bisect import bisect_right
from collections.abc import Mapping

import numpy as np

from apps.code.grammar.finishing import bare_tries
from apps.code.grammar.lexer import SKIP
from apps.code.grammar.parser import ArgumentOrder
from apps.code.grammar.scanner import Memory
from apps.code.grammar.tables import REDUCE, SHIFT, Tables


class StrictRules:
    """No rules beyond the grammar: what every language starts from."""

    hard_keywords: frozenset[str] = frozenset()  # never identifiers
    plain_words: frozenset[str] = frozenset()  # never keywords
    checked_symbols: frozenset[int] = frozenset()  # terminals whose text `legal_token` looks at
    forbidden_character: str | None = None  # nowhere in a program, comments and strings included

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def adapted(self, data: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """The data file's arrays with a narrower lexer."""
        return data

    def dead_entries(self) -> frozenset[tuple[int, int]]:
        """(parser state, symbol) to take out of the parse table."""
        return frozenset()

    def argument_order(self, words: dict[str, int]) -> ArgumentOrder | None:
        """What may follow in a list of arguments; `words` are the grammar's keywords."""
        return None

    def legal_token(self, symbol: int, text: str, start: int, end: int, memory: Memory) -> bool:
        """Whether the checked terminal `text[start:end]` is legal; what follows `end` is known up to the text's end."""
        return True

    def legal_beginning(self, word: str) -> bool:
        """Whether an unfinished terminal that reads `word` can become legal."""
        return True


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
        """`as` outside `with` and `except`, a comma after an opening bracket, targets that CPython refuses, and what
        follows a `try` that has no clause yet."""
        return frozenset(
            self._stray_as() | self._leading_commas() | self._bad_targets() | self._after_bare_try()
        )

    def argument_order(self, words: dict[str, int]) -> ArgumentOrder:
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
        legal_bases |= {state for base in legal_bases for star in stars for state in self._shifts(base, star)}
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
        return set().union(*(self._shifts(state, symbol) for state in range(1, self._tables.state_count)))

    def _shifts(self, state: int, symbol: int) -> set[int]:
        entry = self._tables.entry(state, symbol)
        return {
            argument for kind, argument, extra in self._tables.actions(entry) if kind == SHIFT and not extra
        }

    def adapted(self, data: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Without the white space that CPython does not know (U+200B, vertical tab): its own class, not skipped."""
        starts, classes = data["lex_range_starts"].tolist(), data["lex_range_classes"].tolist()
        space = classes[bisect_right(starts, ord("\f")) - 1]
        ends = [*starts[1:], 0x110000]
        new_starts, new_classes = [], []
        unknown = data["lex_transitions"].shape[1]
        for start, end, character_class in zip(starts, ends, classes, strict=True):
            points = range(start, end) if character_class == space else [start]
            for point in points:
                odd = character_class == space and chr(point) not in " \t\n\r\f\\"
                new_starts.append(point)
                new_classes.append(unknown if odd else character_class)
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


class JavaRules(StrictRules):
    """The Java language: its reserved words, and no newline inside a string in plain quotes."""

    hard_keywords = frozenset(
        [
            "abstract",
            "assert",
            "boolean",
            "break",
            "byte",
            "case",
            "catch",
            "char",
            "class",
            "const",
            "continue",
            "default",
            "do",
            "double",
            "else",
            "enum",
            "extends",
            "final",
            "finally",
            "float",
            "for",
            "goto",
            "if",
            "implements",
            "import",
            "instanceof",
            "int",
            "interface",
            "long",
            "native",
            "new",
            "package",
            "private",
            "protected",
            "public",
            "return",
            "short",
            "static",
            "strictfp",
            "super",
            "switch",
            "synchronized",
            "this",
            "throw",
            "throws",
            "transient",
            "try",
            "void",
            "volatile",
            "while",
            "true",
            "false",
            "null",
        ]
    )

    def adapted(self, data: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Without the steps over a newline inside a string's fragment."""
        fragment = self._tables.names.index("string_fragment")
        starts, classes = data["lex_range_starts"], data["lex_range_classes"]
        newline = int(classes[np.searchsorted(starts, ord("\n"), "right") - 1])
        transitions = data["lex_transitions"].copy()
        into_fragment = np.isin(transitions[:, newline], np.flatnonzero(data["lex_accepts"] == fragment))
        transitions[into_fragment, newline] = -1
        return {**data, "lex_transitions": transitions}


class CppRules(StrictRules):
    """C++: what no translation unit has, and what would lead tree-sitter's grammar where nothing is complete.

    Hard keywords are left out: macros of real code stand where keywords would make them identifiers.
    """

    def adapted(self, data: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Without the steps over a newline between the pieces of a string, where tree-sitter skips white space."""
        tables = self._tables
        content = tables.names.index("string_content")
        inside: dict[int, bool] = {}  # lexer state → all parser states that use it stand inside a string
        for state in range(1, tables.state_count):
            lex_state = tables.lex_state[state]
            inside[lex_state] = inside.get(lex_state, True) and bool(tables.entry(state, content))
        starts, classes = data["lex_range_starts"], data["lex_range_classes"]
        newline = int(classes[np.searchsorted(starts, ord("\n"), "right") - 1])
        transitions = data["lex_transitions"].copy()
        waiting, seen = [state for state, is_inside in inside.items() if is_inside], set()
        while waiting:
            state = waiting.pop()
            seen.add(state)
            if transitions[state, newline] >= SKIP:
                transitions[state, newline] = -1
            skips = {int(t) - SKIP for t in transitions[state] if t >= SKIP}
            waiting += skips - seen
        return {**data, "lex_transitions": transitions}

    def dead_entries(self) -> frozenset[tuple[int, int]]:
        """Operators of an expression that stands alone at the top level, and `*` or `&` at the beginning of an
        item there, after a lambda's capture, or after `const` or `static` without a type."""
        tables = self._tables
        names = tables.names
        terminals = range(tables.token_count)
        pointers = [symbol for symbol in terminals if names[symbol] in ("*", "&", "&&")]
        binary = [symbol for symbol in terminals if names[symbol] in _CPP_BINARY_OPERATORS]
        capture, item = names.index("lambda_capture_specifier"), names.index("_top_level_item")
        specifiers = [
            symbol
            for symbol in range(tables.symbol_count)
            if names[symbol] in ("_constructor_specifiers", "operator_cast_definition_repeat1")
        ]
        dead = set()
        for state in range(1, tables.state_count):
            for after in (tables.entry(state, symbol) for symbol in specifiers):
                dead |= {(after, symbol) for symbol in pointers if after}
            after_capture = tables.entry(state, capture)
            dead |= {(after_capture, symbol) for symbol in pointers if after_capture}
            if tables.entry(state, item):
                dead |= {(state, symbol) for symbol in pointers}
            if tables.entry(state, names.index("<=>")) and not self._can_close(state):
                dead |= {(state, symbol) for symbol in binary}
        return frozenset(dead)

    def _can_close(self, state: int) -> bool:
        """Whether an expression may be over in this state, or something other than an operator may follow it."""
        tables = self._tables
        for symbol, entry in tables.row(state):
            if symbol < tables.token_count:
                reduces = any(kind == REDUCE for kind, _, _ in tables.actions(entry))
                if reduces or tables.names[symbol] in _CPP_CLOSERS:
                    return True
        return False


_CPP_CLOSERS = frozenset([")", "]", "}", ";", ",", ":", "{", "="]) | {"\n"}
_CPP_BINARY_OPERATORS = frozenset(
    [
        "-",
        "+",
        "*",
        "/",
        "%",
        "||",
        "&&",
        "|",
        "^",
        "&",
        "==",
        "!=",
        ">",
        ">=",
        "<=",
        "<",
        "<<",
        ">>",
        "<=>",
        "?",
        "or",
        "and",
        "bitor",
        "xor",
        "bitand",
        "not_eq",
        ".*",
        "->*",
    ]
)
