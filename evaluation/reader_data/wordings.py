"""Messages that people wrote, by kind: `# kind`, then one message a line, with {slots}."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.reader_data.catalog import ReaderDataError, is_chinese, lines

TAG = " => "


@dataclass(frozen=True)
class Wording:
    text: str
    tag: str
    """What stands behind " => ": which of a kind's meanings it has; "" for most."""

    @property
    def language(self) -> str:
        return "zh" if is_chinese(self.text) else "en"


def read_wordings(files: Iterable[Path]) -> dict[str, list[Wording]]:
    """kind → its messages. Raises ReaderDataError."""
    found: dict[str, dict[Wording, None]] = defaultdict(dict)
    for path in files:
        kind = ""
        for line, where in lines(path):
            if line.startswith("# "):
                kind = line[2:].split("—")[0].split(" x")[0].strip()
            elif not kind:
                raise ReaderDataError(f"{where}: a message before the first '# kind'")
            else:
                text, _, tag = line.partition(TAG)
                found[kind][Wording(text.strip(), tag.strip().strip("`"))] = None
    return {kind: list(messages) for kind, messages in found.items()}


def unseen_wordings(
    wordings: Mapping[str, Sequence[Wording]], training: Mapping[str, Sequence[Wording]]
) -> dict[str, list[Wording]]:
    """The messages that training does not have under any kind, whatever their case and punctuation."""
    seen = {_words(wording) for messages in training.values() for wording in messages}
    left = {
        kind: [wording for wording in messages if _words(wording) not in seen]
        for kind, messages in wordings.items()
    }
    return {kind: messages for kind, messages in left.items() if messages}


def _words(wording: Wording) -> str:
    return re.sub(r"\W+", " ", wording.text.casefold()).strip()
