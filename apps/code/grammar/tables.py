"""The LR tables of a tree-sitter language, read out of the installed wheel's compiled `TSLanguage`.

The wheel hides its symbols, so the capsule that `tree_sitter_X.language()` returns is the only door. The struct is
that of tree-sitter's `parser.h`, ABI 14 and 15.
"""

from __future__ import annotations

import ctypes
import importlib
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from apps.code.grammar.errors import GrammarPackageMissingError

SHIFT, REDUCE, ACCEPT = 0, 1, 2
START_STATE = 1
END_SYMBOL = 0

Action = tuple[int, int, int]
"""(SHIFT, state, is_extra), (REDUCE, symbol, child count) or (ACCEPT, 0, 0)."""

_U16, _U32, _PTR = ctypes.c_uint16, ctypes.c_uint32, ctypes.c_void_p


class _TSLanguage(ctypes.Structure):
    _fields_ = [
        ("abi_version", _U32),
        ("symbol_count", _U32),
        ("alias_count", _U32),
        ("token_count", _U32),
        ("external_token_count", _U32),
        ("state_count", _U32),
        ("large_state_count", _U32),
        ("production_id_count", _U32),
        ("field_count", _U32),
        ("max_alias_sequence_length", _U16),
        ("parse_table", _PTR),
        ("small_parse_table", _PTR),
        ("small_parse_table_map", _PTR),
        ("parse_actions", _PTR),
        ("symbol_names", ctypes.POINTER(ctypes.c_char_p)),
        ("field_names", _PTR),
        ("field_map_slices", _PTR),
        ("field_map_entries", _PTR),
        ("symbol_metadata", _PTR),
        ("public_symbol_map", _PTR),
        ("alias_map", _PTR),
        ("alias_sequences", _PTR),
        ("lex_modes", _PTR),
        ("lex_fn", _PTR),
        ("keyword_lex_fn", _PTR),
        ("keyword_capture_token", _U16),
        ("external_states", _PTR),
        ("external_symbol_map", _PTR),
        ("external_create", _PTR),
        ("external_destroy", _PTR),
        ("external_scan", _PTR),
        ("external_serialize", _PTR),
        ("external_deserialize", _PTR),
        ("primary_state_ids", _PTR),
        ("name", ctypes.c_char_p),
        ("reserved_words", _PTR),
        ("max_reserved_word_set_size", _U16),
    ]


@dataclass(frozen=True)
class Manifest:
    """What identifies the tables that a data file belongs to."""

    abi: int
    states: int
    tokens: int
    symbols: int
    crc: int  # of all table entries

    def __str__(self) -> str:
        return f"ABI {self.abi}, {self.states} states, {self.tokens} tokens, {self.symbols} symbols, crc {self.crc:08x}"


def _language_struct(package: str, version: str) -> _TSLanguage:
    try:
        capsule = importlib.import_module(package.replace("-", "_")).language()
    except ImportError as error:
        raise GrammarPackageMissingError(package, version) from error
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return _TSLanguage.from_address(get_pointer(capsule, b"tree_sitter.Language"))


def _copy(address: int, dtype: type, count: int) -> np.ndarray:
    item = np.dtype(dtype)
    return np.frombuffer(ctypes.string_at(address, item.itemsize * count), dtype=item)


class Tables:
    """Parse table, lex modes and symbol names of one language.

    The parse table is held sparse: the entries of state s lie at `_first[s]:_first[s + 1]`, sorted by symbol
    (4 bytes an entry, 1.7 MB for C++; dictionaries would take twenty times as much).
    """

    def __init__(self, package: str, version: str) -> None:
        struct = _language_struct(package, version)
        self._struct = struct
        self.state_count: int = struct.state_count
        self.token_count: int = struct.token_count
        self.symbol_count: int = struct.symbol_count
        self.names = [(struct.symbol_names[i] or b"").decode() for i in range(self.symbol_count)]
        metadata = _copy(struct.symbol_metadata, np.uint8, 3 * self.symbol_count).reshape(-1, 3)
        self.named: list[bool] = metadata[:, 1].astype(bool).tolist()
        self.capture: int = struct.keyword_capture_token or -1
        self._read_lex_modes(struct)
        self._read_external_scanner(struct)
        crc = self._read_parse_table(struct)
        self._actions: dict[int, tuple[Action, ...]] = {}
        self.manifest = Manifest(
            struct.abi_version, self.state_count, self.token_count, self.symbol_count, crc
        )

    def _read_lex_modes(self, struct: _TSLanguage) -> None:
        width = 2 if struct.abi_version < 15 else 3
        modes = _copy(struct.lex_modes, np.uint16, self.state_count * width).reshape(-1, width)
        self.lex_state = array("H", modes[:, 0].tobytes())
        self.external_state = array("H", modes[:, 1].tobytes())
        self.reserved: list[frozenset[int]] = [frozenset()]
        self.reserved_set = array("H", bytes(2 * self.state_count))
        if width == 3 and struct.max_reserved_word_set_size:
            self.reserved_set = array("H", modes[:, 2].tobytes())
            sets = int(modes[:, 2].max()) + 1
            words = _copy(struct.reserved_words, np.uint16, sets * struct.max_reserved_word_set_size)
            self.reserved = [frozenset(w for w in row if w) for row in words.reshape(sets, -1).tolist()]

    def _read_external_scanner(self, struct: _TSLanguage) -> None:
        count = struct.external_token_count
        self.external_symbols: list[int] = []
        self.external_valid: list[tuple[bool, ...]] = [()]
        if count:
            self.external_symbols = _copy(struct.external_symbol_map, np.uint16, count).tolist()
            states = max(self.external_state) + 1
            valid = _copy(struct.external_states, np.uint8, states * count).reshape(states, count)
            self.external_valid = [tuple(row) for row in valid.astype(bool).tolist()]

    def _read_parse_table(self, struct: _TSLanguage) -> int:
        """Fill the sparse table from the dense (large) and the grouped (small) states; the crc of all entries."""
        large, symbols = struct.large_state_count, self.symbol_count
        dense = _copy(struct.parse_table, np.uint16, large * symbols).reshape(large, symbols)
        states, columns = np.nonzero(dense)
        all_states, all_symbols, all_values = [states], [columns], [dense[states, columns]]
        small = self.state_count - large
        if small:
            address = struct.small_parse_table
            for index, offset in enumerate(_copy(struct.small_parse_table_map, np.uint32, small).tolist()):
                at = address + 2 * offset
                groups = _U16.from_address(at).value
                at += 2
                for _ in range(groups):
                    value, count = _U16.from_address(at).value, _U16.from_address(at + 2).value
                    members = _copy(at + 4, np.uint16, count)
                    all_states.append(np.full(count, large + index))
                    all_symbols.append(members)
                    all_values.append(np.full(count, value, np.uint16))
                    at += 4 + 2 * count
        state, symbol = np.concatenate(all_states), np.concatenate(all_symbols).astype(np.uint16)
        entries = np.concatenate(all_values).astype(np.uint16)
        order = np.lexsort((symbol, state))
        first = np.searchsorted(state[order], np.arange(self.state_count + 1))
        self._first = array("I", first.astype(np.uint32).tobytes())
        self._symbols = array("H", symbol[order].tobytes())
        self._values = array("H", entries[order].tobytes())
        return zlib.crc32(self._values.tobytes(), zlib.crc32(self._symbols.tobytes()))

    def entry(self, state: int, symbol: int) -> int:
        """The next state after a nonterminal, the key for `actions` of a terminal, or 0 where there is none."""
        high = self._first[state + 1]
        i = bisect_left(self._symbols, symbol, self._first[state], high)
        return self._values[i] if i < high and self._symbols[i] == symbol else 0

    def row(self, state: int) -> list[tuple[int, int]]:
        """All (symbol, entry) of a state."""
        low, high = self._first[state], self._first[state + 1]
        return list(zip(self._symbols[low:high], self._values[low:high], strict=True))

    def actions(self, entry: int) -> tuple[Action, ...]:
        """The actions behind a terminal's entry. Shifts that only repeat a reduction's effect are left out."""
        found = self._actions.get(entry)
        if found is None:
            found = self._actions[entry] = self._read_actions(entry)
        return found

    def shifts(self, states: Iterable[int], symbol: int) -> set[int]:
        """The states that shifting a terminal in some states leads to."""
        return {
            argument
            for state in states
            for kind, argument, extra in self.actions(self.entry(state, symbol))
            if kind == SHIFT and not extra
        }

    def entered_by(self) -> dict[int, set[int]]:
        """State → the symbols that lead to it."""
        entered: dict[int, set[int]] = {}
        for state in range(1, self.state_count):
            for symbol, entry in self.row(state):
                for after in self.shifts([state], symbol) if symbol < self.token_count else (entry,):
                    entered.setdefault(after, set()).add(symbol)
        return entered

    def _read_actions(self, entry: int) -> tuple[Action, ...]:
        address = self._struct.parse_actions + 8 * entry
        actions: list[Action] = []
        for i in range(ctypes.c_uint8.from_address(address).value):
            raw = ctypes.string_at(address + 8 * (i + 1), 8)
            argument = int.from_bytes(raw[2:4], "little")
            if raw[0] == SHIFT:
                is_extra, is_repetition = raw[4], raw[5]
                if not is_repetition:
                    actions.append((SHIFT, argument, is_extra))
            elif raw[0] == REDUCE:
                actions.append((REDUCE, argument, raw[1]))
            elif raw[0] == ACCEPT:
                actions.append((ACCEPT, 0, 0))
        return tuple(actions)
