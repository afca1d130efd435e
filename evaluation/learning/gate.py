"""The gate: what is learnt goes into service if it is better in what was asked and not worse in what is guarded.

Everything is decided on the same rows read by both versions, so that only rows in which they differ count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

LEAST_ROWS = 40
"""Rows kept apart, at least: on fewer nothing can be shown."""
SIGNIFICANT = 0.05
MOST_LOST = 0.005
"""How much a broad figure may fall by, where the fall may be chance."""
MOST_CONTRADICTED = 0.12
"""The share of feedback that both versions surely read otherwise must surely be below this. A person who corrects
mostly does so where the reader was unsure; wrong on purpose is mostly against a reading that was sure and right."""

MORE_SURELY_WRONG = 0.05
"""How much larger a share of a shop's wrong readings may be sure than of the fixed test's, whose words are others'."""


class Role(StrEnum):
    """What a figure is for."""

    ASKED = "asked"  # must become better, and by more than chance
    BROAD = "broad"  # must not become worse by more than chance, nor by much
    STRICT = "strict"  # must not become worse at all


@dataclass(frozen=True)
class Comparison:
    """One figure of both versions on the same rows; higher is better."""

    name: str
    role: Role
    rows: int
    served: float
    learnt: float
    better: int  # rows that only the learnt version has right
    worse: int  # rows that only the served version has right

    @property
    def chance(self) -> float:
        """How likely so many better rows of those that differ are, if both versions are equally good."""
        return at_least(self.better, self.better + self.worse, 0.5)

    @property
    def chance_of_fall(self) -> float:
        return at_least(self.worse, self.better + self.worse, 0.5)


@dataclass(frozen=True)
class Contradicted:
    """Rows kept apart that both versions read otherwise than the desk says, the served one surely."""

    rows: int
    contradicted: int

    @property
    def share(self) -> float:
        return self.contradicted / max(1, self.rows)


@dataclass(frozen=True)
class Corrected:
    """Rows that say otherwise than the message was read. A reader is mostly unsure where it is wrong, so that few
    right corrections are of sure readings; wrong ones are of any. How many messages nobody spoke of is no matter."""

    rows: int
    of_sure_readings: int
    expected: float
    """The share of the served version's wrong readings in the fixed test that were sure."""

    @property
    def share(self) -> float:
        return self.of_sure_readings / max(1, self.rows)


def compare(name: str, role: Role, served: Iterable[bool], learnt: Iterable[bool]) -> Comparison:
    """The shares of rows that are right."""
    pairs = list(zip(served, learnt, strict=True))
    count = max(1, len(pairs))
    return Comparison(
        name,
        role,
        len(pairs),
        sum(before for before, _ in pairs) / count,
        sum(after for _, after in pairs) / count,
        sum(after and not before for before, after in pairs),
        sum(before and not after for before, after in pairs),
    )


def objections(
    comparisons: Sequence[Comparison],
    contradicted: Contradicted | None = None,
    corrected: Corrected | None = None,
) -> list[str]:
    """Why the learnt version must not go into service; empty where it may."""
    found = []
    asked = [figure for figure in comparisons if figure.role is Role.ASKED]
    rows = min((figure.rows for figure in asked), default=0)
    if rows < LEAST_ROWS:
        found.append(f"{rows} rows are kept apart; {LEAST_ROWS} are needed")
    if contradicted is not None and not _surely_below(contradicted, MOST_CONTRADICTED):
        found.append(
            f"{contradicted.contradicted} of {contradicted.rows} rows kept apart say otherwise than both versions "
            f"read, the served one surely: the feedback may be wrong in {MOST_CONTRADICTED:.0%} or more"
        )
    if corrected is not None and _surely_above(corrected, corrected.expected + MORE_SURELY_WRONG):
        found.append(
            f"{corrected.of_sure_readings} of {corrected.rows} corrections are of readings that were sure, which "
            f"{corrected.expected:.0%} of wrong readings are: the feedback may be wrong"
        )
    found += [objection for figure in comparisons if (objection := _objection(figure)) is not None]
    return found


def at_least(count: int, of: int, probability: float) -> float:
    """How likely a binomial variable is to be `count` or more. By logarithms: the terms of many rows are no floats."""
    yes, no = math.log(probability), math.log1p(-probability)
    ways = math.lgamma(of + 1)
    terms = (
        ways - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * yes + (of - k) * no
        for k in range(count, of + 1)
    )
    return min(1.0, math.fsum(map(math.exp, terms)))


def _surely_below(found: Contradicted, share: float) -> bool:
    """Whether so few would be unlikely if the share were this."""
    return 1 - at_least(found.contradicted + 1, found.rows, share) < SIGNIFICANT


def _surely_above(found: Corrected, share: float) -> bool:
    """Whether so many would be unlikely if the share were this."""
    return share < 1 and at_least(found.of_sure_readings, found.rows, share) < SIGNIFICANT


def _objection(figure: Comparison) -> str | None:
    told = f"{figure.name}: {figure.served:.1%} before, {figure.learnt:.1%} now"
    if figure.role is Role.ASKED:
        if figure.learnt <= figure.served:
            return f"not better in what was asked: {told}"
        if figure.chance > SIGNIFICANT:
            return f"may be better by chance (p = {figure.chance:.2f}): {told}"
    elif figure.role is Role.STRICT:
        if figure.learnt < figure.served:
            return f"worse in what is guarded: {told}"
    elif figure.served - figure.learnt > MOST_LOST:
        return f"worse: {told}"
    elif figure.learnt < figure.served and figure.chance_of_fall <= SIGNIFICANT:
        return f"worse by more than chance: {told}"
    return None
