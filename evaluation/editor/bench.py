"""The run: every session before every contestant, one after the other, and the figures of it all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from evaluation.cases import CaseFile
from evaluation.editor.contestants import Contestant
from evaluation.editor.scoring import score
from evaluation.editor.sessions import KINDS, Session
from evaluation.errors import EvaluationError

Case = Mapping[str, Any]


def run(
    sessions: Sequence[Session],
    contestants: Sequence[Contestant],
    cases: CaseFile,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Ask each contestant once cold and then after each keystroke; a contestant that fails is asked no more."""
    failed: dict[str, str] = {}
    for session in sessions:
        for contestant in contestants:
            key = f"{contestant.name}/{session.key}"
            if key not in cases and contestant.name not in failed:
                try:
                    cases.add(key, _case(session, contestant))
                except EvaluationError as error:
                    failed[contestant.name] = str(error)
                    cases.add(
                        f"{contestant.name}/failed", {"contestant": contestant.name, "error": str(error)}
                    )
            progress()


def _case(session: Session, contestant: Contestant) -> dict[str, Any]:
    block = session.kind == "block"
    first = contestant.suggest(session.prefix, session.suffix, block)
    warm = [
        contestant.suggest(prefix, session.suffix, block).seconds
        for prefix in (session.keystrokes if session.kind == "line" else [])
    ]
    return {
        "contestant": contestant.name,
        "language": session.language,
        "kind": session.kind,
        "lines": session.lines,
        "expected": session.expected,
        "text": first.text,
        "cold_s": first.seconds,
        "warm_s": warm,
        **score(session, first.text).as_case(),
    }


def figures(cases: Sequence[Case]) -> dict[str, float]:
    """Rates, medians and 95th percentiles by contestant, language and kind, and the ratios between contestants."""
    judged = [case for case in cases if "error" not in case]
    names = list(dict.fromkeys(case["contestant"] for case in judged))
    found = {f"{case['contestant']}_failed": 1.0 for case in cases if "error" in case}
    for name in names:
        own = [case for case in judged if case["contestant"] == name]
        for language in sorted({case["language"] for case in own}):
            for kind in KINDS:
                group = [case for case in own if (case["language"], case["kind"]) == (language, kind)]
                if group:
                    found |= {f"{name}_{language}_{kind}_{key}": value for key, value in _quality(group)}
        found |= {f"{name}_{key}": value for key, value in (*_quality(own), *_latency(own))}
    if len(names) > 1:
        ours, theirs = names[:2]
        for key in ("exact", "similarity"):
            if found[f"{theirs}_{key}"]:
                found[f"{key}_ratio"] = found[f"{ours}_{key}"] / found[f"{theirs}_{key}"]
    return found


def _quality(cases: Sequence[Case]) -> Iterator[tuple[str, float]]:
    shown = [case for case in cases if case["shown"]]
    yield "sessions", float(len(cases))
    yield "exact", _mean(cases, "exact")
    yield "similarity", _mean(cases, "similarity")
    yield "shown", _mean(cases, "shown")
    yield "right_when_shown", _mean(shown, "exact")
    yield "similarity_when_shown", _mean(shown, "similarity")
    yield "repeats_suffix", _mean(cases, "repeats")
    yield "parses_when_shown", _mean(shown, "parses")
    yield "unexplained_names", _mean(shown, "unexplained")


def _latency(cases: Sequence[Case]) -> Iterator[tuple[str, float]]:
    """Of single lines: a block takes as long as it is."""
    lines = [case for case in cases if case["kind"] == "line"]
    for name, values in (
        ("cold", [case["cold_s"] for case in lines]),
        ("warm", [seconds for case in lines for seconds in case["warm_s"]]),
    ):
        if values:
            yield f"{name}_median_ms", 1000 * statistics.median(values)
            yield f"{name}_p95_ms", 1000 * sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def _mean(cases: Sequence[Case], key: str) -> float:
    return sum(case[key] for case in cases) / len(cases) if cases else 0.0
