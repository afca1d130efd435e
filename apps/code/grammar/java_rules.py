"""Strict rules of Java: what the language refuses and tree-sitter-java takes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from apps.code.grammar.strict_rules import StrictRules


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
