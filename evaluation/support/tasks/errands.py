"""What a simulated customer hears, and how far each errand has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from evaluation.support.tasks.goals import Changes, Goal
from evaluation.support.tasks.questions import Question

Identity = Literal["signed-in", "name-and-postcode"]


@dataclass(frozen=True)
class Heard:
    """An answer of the assistant: its text, what it did, and what a yes would now change."""

    reply: str
    actions: Sequence[Mapping[str, Any]]
    proposal: Changes
    handed_over: bool = False


@dataclass
class Errand:
    """A goal or a question, and how far it has come."""

    wanted: Goal | Question
    remaining: Changes
    said: bool = False
    method_said: bool = False
    narrowed: bool = False  # an incomplete proposal was completed once; the next one is taken as it is
    tries: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    end: Literal["", "done", "given up"] = ""

    @property
    def open(self) -> bool:
        return not self.end
