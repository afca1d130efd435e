"""What may go into service: decided on measured figures, and on streams of feedback that are right or poisoned."""

from __future__ import annotations

from random import Random

import pytest

from evaluation.learning.gate import LEAST_ROWS, Contradicted, Corrected, Role, at_least, compare, objections
from evaluation.learning.judged import JudgedReading, Source
from evaluation.learning.readings import compared, contradicted, corrected, corrections
from evaluation.support.reading import ReadingCase

PROMPT = "P pending Austin: a Mug; b Lamp\nQ delivered Boston: c Pillow\n> {}\n="
VERBS = ("status", "cancel", "total", "tracking", "refund", "invoice", "placed", "payment")


def case(number: int, right: str, read: str, confidence: float, kind: str = "corrected") -> ReadingCase:
    return ReadingCase(kind, PROMPT.format(f"message {number}"), right, read, confidence, 1.0)


def fixed_test() -> list[ReadingCase]:
    """About the shares of the delivered reader on 1,100 messages: a sixth of them wrong, a sixth of these surely."""
    return [
        case(
            n,
            "status P",
            "status P" if n % 100 < 84 else "total P",
            0.99 if n % 100 < 72 or n % 50 == 0 else 0.6,
        )
        for n in range(200)
    ] + [case(n, "status P", "total P", 0.95, "status") for n in range(200, 206)]


class Stream:
    """What is said of readings as the delivered reader makes them in its fixed test: 73 % are sure, of which 3 %
    are wrong, and of the others 45 %. The learnt version repairs three quarters of what is unsure and wrong, half
    of what is sure and wrong. The newest of four rows are kept apart."""

    def __init__(self, poisoned: float, seed: int, rows: int = 400, unspoken: float = 0) -> None:
        """`unspoken` of the right readings have no thumb up."""
        rng = Random(seed)
        self.judged: list[JudgedReading] = []
        self.served: list[ReadingCase] = []
        self.learnt: list[ReadingCase] = []
        while len(self.judged) < rows:
            number = len(self.judged)
            truth = f"{rng.choice(VERBS)} P"
            wrong = f"{rng.choice([verb for verb in VERBS if not truth.startswith(verb)])} P"
            sure = rng.random() < 0.73
            confidence = rng.uniform(0.9, 1) if sure else 0.6
            before = wrong if rng.random() < (0.03 if sure else 0.45) else truth
            after = wrong if before == wrong and rng.random() < (0.5 if sure else 0.25) else truth
            said = wrong if rng.random() < poisoned else truth
            if said == before and rng.random() < unspoken:
                continue
            source = Source.CONFIRMED if said == before else Source.CORRECTED
            self.judged.append(JudgedReading(number, source, f"message {number}", before, confidence, said))
            if number >= rows * 3 // 4:
                self.served.append(case(number, said, before, confidence))
                self.learnt.append(case(number, said, after, 0.8))

    def objections(self) -> list[str]:
        fixed = fixed_test()
        figures = compared((fixed, fixed), (self.served, self.learnt))
        said = corrected(corrections(self.judged), fixed)
        return objections(figures, contradicted(self.served, self.learnt), said)


def refused(poisoned: float, rows: int = 400, unspoken: float = 0) -> int:
    """Of forty streams."""
    return sum(bool(Stream(poisoned, seed, rows, unspoken).objections()) for seed in range(40))


def test_right_feedback_goes_into_service() -> None:
    assert refused(poisoned=0) <= 2
    assert refused(poisoned=0, unspoken=0.5) <= 2
    assert refused(poisoned=0.01) <= 4


def test_feedback_that_is_wrong_on_purpose_in_a_tenth_does_not_get_in() -> None:
    assert refused(poisoned=0.1) >= 38
    assert refused(poisoned=0.1, rows=800) >= 38
    assert refused(poisoned=0.2) == 40


def test_corrections_of_sure_readings_are_told_with_what_was_expected() -> None:
    (reason,) = objections(
        [compare("asked", Role.ASKED, [False] * 50, [True] * 50)], corrected=Corrected(100, 40, 0.15)
    )
    assert reason.startswith(
        "40 of 100 corrections are of readings that were sure, which 15% of wrong readings are"
    )


def test_a_correction_that_says_what_was_read_is_none() -> None:
    def judgement(number: int, read: str, right: str, source: Source = Source.CORRECTED) -> JudgedReading:
        return JudgedReading(number, source, f"message {number}", read, 0.95, right)

    judged = [judgement(1, "status P", "status P"), judgement(2, "status P", "cancel P")]
    judged += [judgement(2, "status P", "total P"), judgement(3, "total P", "total P", Source.CONFIRMED)]
    assert corrections(judged) == [judged[2]]
    assert corrected(corrections(judged), fixed_test()).of_sure_readings == 1


def test_a_stream_of_one_lie_is_refused_by_the_fixed_test() -> None:
    """Everybody who wants to cancel is sent to a person: the learnt version agrees with every row that is new."""
    newest = [case(n, "person", "cancel P", 0.95) for n in range(60)]
    learnt = [case(n, "person", "person", 0.95) for n in range(60)]
    before = [case(n, "cancel P", "cancel P", 0.99, "cancel") for n in range(100)]
    after = [case(n, "cancel P", "person", 0.9, "cancel") for n in range(100)]
    found = objections(compared((before, after), (newest, learnt)), contradicted(newest, learnt))
    assert found == ["worse: read right: 100.0% before, 0.0% now"]


@pytest.mark.parametrize(
    ("right", "before", "after", "reason"),
    [
        ("cancel P", "cancel P", "cancel Q", "no wrong object"),
        ("status P", "status P", "cancel P", "no wrong action"),
        ("no", "no", "yes", "no refusal taken as a yes"),
        ("none", "none", "status P", "none of our business refused"),
    ],
)
def test_one_row_that_is_guarded_and_worse_keeps_a_version_out(
    right: str, before: str, after: str, reason: str
) -> None:
    newest = Stream(poisoned=0, seed=1)
    others = [case(n, "status P", "status P", 0.99, "status") for n in range(400)]
    served = [*others, case(400, right, before, 0.99, "guarded")]
    learnt = [*others, case(400, right, after, 0.99, "guarded")]
    found = objections(compared((served, learnt), (newest.served, newest.learnt)))
    assert any(f"worse in what is guarded: {reason}" in objection for objection in found)


def test_better_by_chance_is_not_better() -> None:
    rows = [True] * 30 + [False] * 30
    by_four = compare("asked", Role.ASKED, rows, [*rows[:-4], True, True, True, True])
    (reason,) = objections([by_four])
    assert "by chance (p = 0.06)" in reason
    assert objections([compare("asked", Role.ASKED, rows, [*rows[:-5], *[True] * 5])]) == []


def test_too_few_rows_show_nothing() -> None:
    few = compare("asked", Role.ASKED, [False] * (LEAST_ROWS - 1), [True] * (LEAST_ROWS - 1))
    assert objections([few]) == [f"{LEAST_ROWS - 1} rows are kept apart; {LEAST_ROWS} are needed"]


def test_a_broad_figure_may_move_by_chance_and_no_further() -> None:
    asked = compare("asked", Role.ASKED, [False] * 50, [True] * 50)
    rows = [True] * 1000
    assert objections([asked, compare("broad", Role.BROAD, rows, [*rows[:-3], False, False, False])]) == []
    worse = compare("broad", Role.BROAD, rows, [*rows[:-6], *[False] * 6])
    (reason,) = objections([asked, worse])
    assert reason.startswith("worse")


def test_a_share_is_surely_below_only_with_enough_rows() -> None:
    asked = compare("asked", Role.ASKED, [False] * 50, [True] * 50)
    assert objections([asked], Contradicted(100, 5)) == []
    assert objections([asked], Contradicted(20, 1))


def test_a_binomial_tail_is_a_sum_of_its_terms() -> None:
    assert at_least(0, 10, 0.3) == pytest.approx(1)
    assert at_least(10, 10, 0.5) == pytest.approx(1 / 1024)
    assert at_least(2, 2, 0.2) == pytest.approx(0.04)


def test_thousands_of_rows_are_decided_on() -> None:
    assert at_least(2500, 5000, 0.5) == pytest.approx(0.5, abs=0.01)
    stream = Stream(poisoned=0, seed=1, rows=8000)
    assert stream.objections() == []
