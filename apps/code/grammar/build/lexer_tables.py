"""Turns the generated `ts_lex` and `ts_lex_keywords` of a grammar's parser.c into explicit tables.

The functions are compiled against `one_step_parser.h`, whose lexer macros take one step and return it; then every
state is asked about every code point, and code points that behave alike everywhere become one class.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from apps.code.grammar.errors import GrammarBuildError
from apps.code.grammar.lexer import SKIP

_CODE_POINTS = 0x110000

_HEADER = Path(__file__).parent / "one_step_parser.h"

_PROBE = r"""
int g_next, g_skip, g_accept;
static int g_eof;
static bool probe_eof(const TSLexer *lexer) { return g_eof; }
typedef bool (*lex_function)(TSLexer *, TSStateId);

static int step(lex_function lex, TSLexer *lexer, int state, int code_point) {
  lexer->lookahead = code_point; g_next = -1; g_skip = 0;
  lex(lexer, state);
  return g_next < 0 ? -1 : g_next | (g_skip ? SKIP_FLAG : 0);
}

/* accepts, at_end: per state; hashes: two per code point over the transitions of all states */
void probe(int keywords, int states, int32_t *accepts, int32_t *at_end, uint64_t *hash1, uint64_t *hash2) {
  TSLexer lexer; lexer.eof = probe_eof;
  lex_function lex = LEX_FUNCTION;
  for (int state = 0; state < states; state++) {
    g_eof = 1; g_accept = -1;
    at_end[state] = step(lex, &lexer, state, 0);
    accepts[state] = g_accept;
    g_eof = 0;
    for (int c = 0; c < 0x110000; c++) {
      uint64_t v = (uint64_t)(step(lex, &lexer, state, c) + 2);
      v *= 0x9E3779B97F4A7C15ull * (2 * state + 1) + 12345; v ^= v >> 29;
      hash1[c] += v * 0xBF58476D1CE4E5B9ull; hash2[c] ^= (v * 0x94D049BB133111EBull) + (v >> 31);
    }
  }
}

void column(int keywords, int states, int code_point, int32_t *out) {
  TSLexer lexer; lexer.eof = probe_eof; g_eof = 0;
  lex_function lex = LEX_FUNCTION;
  for (int state = 0; state < states; state++) out[state] = step(lex, &lexer, state, code_point);
}
"""


def lexer_tables(source: Path) -> dict[str, np.ndarray]:
    """The arrays that `lexer.Dfa` reads, for the automata "lex" and "keyword"; `source` holds parser.c."""
    parser = (source / "parser.c").read_text()
    has_keywords = "static bool ts_lex_keywords(" in parser
    with tempfile.TemporaryDirectory() as folder:
        library = _compile(parser, has_keywords, Path(folder))
        tables = _probe(library, "lex", 0, _state_count(parser, "ts_lex"))
        tables |= _probe(
            library, "keyword", 1, _state_count(parser, "ts_lex_keywords") if has_keywords else 0
        )
    return tables


def _state_count(parser: str, function: str) -> int:
    body = re.search(
        rf"static bool {function}\(TSLexer \*lexer, TSStateId state\) \{{(.*?)\n\}}\n", parser, re.S
    )
    if body is None:
        raise GrammarBuildError(
            f"no function {function} in parser.c: made by an unknown version of tree-sitter?"
        )
    return max(int(n) for n in re.findall(r"^    case (\d+):", body.group(1), re.M)) + 1


def _compile(parser: str, has_keywords: bool, folder: Path) -> ctypes.CDLL:
    tables_start = re.search(r"^static const TSLex(er)?Mode ts_lex_modes", parser, re.M)
    if tables_start is None:
        raise GrammarBuildError("parser.c is laid out unlike those of tree-sitter ABI 14 and 15")
    (folder / "tree_sitter").mkdir()
    (folder / "tree_sitter" / "parser.h").write_bytes(_HEADER.read_bytes())
    chosen = "keywords ? ts_lex_keywords : ts_lex" if has_keywords else "ts_lex"
    probe = _PROBE.replace("LEX_FUNCTION", chosen).replace("SKIP_FLAG", str(SKIP))
    (folder / "lexer.c").write_text(parser[: tables_start.start()] + probe)
    command = ["cc", "-O2", "-w", "-shared", "-fPIC", f"-I{folder}", str(folder / "lexer.c"), "-o"]
    target = folder / "lexer.so"
    done = subprocess.run([*command, str(target)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise GrammarBuildError(f"parser.c does not compile:\n{done.stderr}")
    return ctypes.CDLL(str(target))


def _probe(library: ctypes.CDLL, name: str, keywords: int, states: int) -> dict[str, np.ndarray]:
    accepts, at_end = np.zeros(states, np.int32), np.zeros(states, np.int32)
    hashes = np.zeros((2, _CODE_POINTS), np.uint64)
    library.probe(keywords, states, *map(_pointer, (accepts, at_end, hashes[0], hashes[1])))
    _, examples, classes = np.unique(hashes.T, axis=0, return_index=True, return_inverse=True)
    classes = classes.reshape(-1)
    columns = np.zeros((len(examples), states), np.int32)
    for row, code_point in zip(columns, examples.tolist(), strict=True):
        library.column(keywords, states, code_point, _pointer(row))
    starts = np.concatenate([[0], np.flatnonzero(np.diff(classes)) + 1])
    return {
        f"{name}_accepts": accepts,
        f"{name}_at_end": at_end,
        f"{name}_transitions": columns.T.copy(),
        f"{name}_range_starts": starts.astype(np.int32),
        f"{name}_range_classes": classes[starts].astype(np.int32),
    }


def _pointer(values: np.ndarray) -> ctypes.c_void_p:
    return values.ctypes.data_as(ctypes.c_void_p)
