"""What a suggestion is worth beside what the author wrote."""

from __future__ import annotations

import builtins
import difflib
import re
from dataclasses import asdict, dataclass
from typing import Any

from apps.code.grammar.grammar import grammar
from apps.code.syntax import parses
from evaluation.editor.sessions import Session

_NAME = re.compile(r"(?<![\w.\"'])[A-Za-z_]\w*")
_TELLING = 3  # characters: a shorter line, as a bracket, may well stand twice


@dataclass(frozen=True)
class Score:
    """One suggestion, judged. `unexplained` counts names that neither the file nor the language has."""

    shown: bool
    exact: bool
    similarity: float
    repeats: bool
    parses: bool
    unexplained: int

    def as_case(self) -> dict[str, Any]:
        return asdict(self)


def score(session: Session, text: str) -> Score:
    """Judge what would be inserted; of a suggestion for the rest of a line, its first line is compared."""
    wanted, found = session.expected.rstrip(), text.rstrip()
    if session.kind == "line":
        wanted, found = wanted.partition("\n")[0].rstrip(), found.partition("\n")[0].rstrip()
    return Score(
        shown=bool(text.strip()),
        exact=wanted == found,
        similarity=difflib.SequenceMatcher(None, wanted, found, autojunk=False).ratio(),
        repeats=repeats_suffix(session, text),
        parses=parses(session.prefix + text + session.suffix, session.language),
        unexplained=len(unexplained(session, text)),
    )


def repeats_suffix(session: Session, text: str) -> bool:
    """Whether a line of the suggestion is the first one after the cursor, which the author wrote once."""
    following = next((line.strip() for line in session.suffix.split("\n")[1:] if line.strip()), "")
    line = session.prefix.rpartition("\n")[2]
    added = [one.strip() for one in (line + text).split("\n")]
    wrote = [one.strip() for one in (line + session.expected).split("\n")]
    return len(following) > _TELLING and following in added and following not in wrote


def unexplained(session: Session, text: str) -> set[str]:
    """Names in a suggestion that stand nowhere else in the file, are no words of the language and no built-ins."""
    known = set(_NAME.findall(session.prefix + session.suffix)) | set(re.findall(r"\w+", session.prefix))
    known |= grammar(session.language).keywords.keys()
    if session.language == "python":
        known |= set(dir(builtins))
    line = session.prefix.rpartition("\n")[2]
    new = (match for match in _NAME.finditer(line + text) if match.end() > len(line))
    return {match[0] for match in new if match[0] not in known}
