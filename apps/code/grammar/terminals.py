"""The text of terminals whose name is not their text: what a completion writes for them, and what it costs.

Costs are in tenths of a token; a completion is the cheapest text that finishes the program. A named terminal that is
not here is never written.
"""

from __future__ import annotations

from apps.code.grammar.tables import END_SYMBOL, Tables

NEVER = 60_000
"""The cost of a terminal that a completion cannot write."""

_ORDINARY, _FREE = 10, 1
_UNLIKELY = 16
_DIRECTIVE = 40

_TEXTS: dict[str, dict[str, str]] = {
    "python": {
        "identifier": "x",
        "integer": "0",
        "float": "0.0",
        "true": "True",
        "false": "False",
        "none": "None",
        "string_start": '"',
        "string_end": '"',
        "ellipsis": "...",
        "type_conversion": "!r",
        "escape_interpolation": "{{",
        "_string_content": "x",
        "_newline": "\n",
        "_indent": "\n",
        "_dedent": "",
    },
    "java": {
        "identifier": "x",
        "decimal_integer_literal": "0",
        "string_fragment": "x",
        "_multiline_string_fragment": "x",
        "character_literal": "'x'",
        "this": "this",
        "super": "super",
        "true": "true",
        "false": "false",
        "null_literal": "null",
        "void_type": "void",
        "boolean_type": "boolean",
        "escape_sequence": "\\n",
        "hex_integer_literal": "0x0",
        "underscore_pattern": "_",
    },
    "cpp": {
        "identifier": "x",
        "number_literal": "0",
        "preproc_arg": "x",
        "string_content": "x",
        "character": "x",
        "system_lib_string": "<x>",
        "primitive_type": "int",
        "this": "this",
        "true": "true",
        "false": "false",
        "preproc_directive": "#x",
        "escape_sequence": "\\n",
        "raw_string_content": "",
        "auto": "auto",
        "literal_suffix": "x",
        "preproc_include_token2": "\n",
    },
    "json": {"number": "0", "true": "true", "false": "false", "null": "null", "string_content": "x"},
    "go": {
        "identifier": "x",
        "int_literal": "0",
        "true": "true",
        "false": "false",
        "nil": "nil",
        "interpreted_string_literal_content": "x",
        "raw_string_literal_content": "x",
        "escape_sequence": "\\n",
        "blank_identifier": "_",
        "source_file_token1": "\n",
    },
}
_CHEAPER = {
    "pass": 8,
    "null_literal": 9,
    "number_literal": 9,
    "decimal_integer_literal": 9,
}


def terminal_texts(language: str, tables: Tables) -> dict[int, str]:
    """The text of every terminal that a completion may write."""
    known = _TEXTS.get(language, {})
    texts: dict[int, str] = {}
    for symbol in range(END_SYMBOL + 1, tables.token_count):
        name = tables.names[symbol]
        if name in known:
            texts[symbol] = known[name]
        elif not tables.named[symbol]:
            texts[symbol] = name.replace("\\n", "\n")
    return texts


def terminal_costs(tables: Tables, texts: dict[int, str]) -> list[int]:
    """The cost of every terminal, NEVER for those without a text."""
    costs = [NEVER] * tables.token_count
    for symbol, text in texts.items():
        name = tables.names[symbol]
        if name in _CHEAPER:
            costs[symbol] = _CHEAPER[name]
        elif not text or text.isspace():
            costs[symbol] = _FREE
        elif name in ("string_start", '"', "'", "`"):
            costs[symbol] = _UNLIKELY
        elif text.startswith("#"):
            costs[symbol] = _DIRECTIVE
        else:
            costs[symbol] = _ORDINARY
    return costs
