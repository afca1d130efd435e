"""What an answer changes: an edited file line by line, a translation beside its source."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from markupsafe import Markup

from apps.code.prompts import LANGUAGE_NAMES
from ui.pages.labels import Language
from ui.pages.listing import code_html
from ui.pages.rendering import render

_CONTEXT = 3  # lines around a change


@dataclass(frozen=True)
class _Line:
    """One line of a diff: `kind` is same, added, removed or gap."""

    kind: str
    text: str = ""
    number: int | None = None


def changes(before: str, after: str, reader: Language) -> Markup:
    """The lines that changed, with some around them."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[_Line] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        if lines:
            lines.append(_Line("gap"))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                lines += [_Line("same", new[n], n + 1) for n in range(new_from, new_to)]
                continue
            lines += [_Line("removed", text) for text in old[old_from:old_to]]
            lines += [_Line("added", new[n], n + 1) for n in range(new_from, new_to)]
    return render("changes", reader, lines=lines)


def side_by_side(source: tuple[str, str], target: tuple[str, str], reader: Language) -> Markup:
    """Two programs, each with its language, beside each other."""
    sides = [(LANGUAGE_NAMES[language], code_html(code, language)) for code, language in (source, target)]
    return render("side_by_side", reader, sides=sides)
