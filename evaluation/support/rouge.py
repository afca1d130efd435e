"""ROUGE-L of a reply against a reference that a person wrote; Chinese is compared character by character."""

from __future__ import annotations

import json
import re
from pathlib import Path

from evaluation.errors import DataError

_PIECE = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")


class _Pieces:
    """Words of Latin script, characters of Chinese."""

    def tokenize(self, text: str) -> list[str]:
        return _PIECE.findall(text.casefold())


def rouge_l(reference: str, reply: str) -> float:
    """The F-measure of the longest common subsequence (Lin 2004), by the rouge-score library."""
    from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]

    scorer = RougeScorer(["rougeL"], tokenizer=_Pieces())
    return float(scorer.score(reference, reply)["rougeL"].fmeasure)


def read_references(path: Path) -> dict[str, str]:
    """Case key → reference, from JSON lines {"key", "reference"}. Raises DataError."""
    references: dict[str, str] = {}
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            row = json.loads(line)
            if not isinstance(row, dict) or not all(
                isinstance(row.get(n), str) for n in ("key", "reference")
            ):
                raise DataError(f"{path}, line {number}: not an object with the texts key and reference")
            references[row["key"]] = row["reference"]
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    return references
