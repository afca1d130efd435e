"""What the code assistant says: events while it works, and the answer that ends them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How much is done for an answer: up to `waves` times `width` more drafts, until `alike` of those that pass give
    the same for inputs that are made up.

    A first draft that passes is enough, but where it was tried on no more than `compared_examples`, for few examples
    prove little, or where it fails with an error on a made-up input. Once a draft passes, up to `comparing` waves more
    are drawn; none is begun after `budget_s`, and all ends as soon as there is what was asked for.
    """

    name: str
    waves: int
    width: int
    budget_s: float
    compared_examples: int = 0
    alike: int = 3
    comparing: int = 2


EFFORTS = {
    effort.name: effort
    for effort in (
        Effort("quick", waves=0, width=0, budget_s=0.0),
        Effort("normal", waves=3, width=5, budget_s=60.0, compared_examples=1),
        Effort("thorough", waves=5, width=6, budget_s=300.0, compared_examples=1000),
    )
}
QUICK, NORMAL = EFFORTS["quick"], EFFORTS["normal"]


@dataclass(frozen=True)
class Token:
    """The next piece of the first draft."""

    text: str


GENERAL_CHECKS = ("parses", "compiles", "loads", "runs")
"""What is tried on the whole program, and is no example: that it compiles says nothing of what it does."""

DEFINES = "defines "
"""Begins the name of a check that a name of the task's is there."""


@dataclass(frozen=True)
class Progress:
    """A long program is translated in parts: this one is begun, of so many; `names` are what is in it."""

    part: int
    parts: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One thing that was tried: `name` is the example, or one of GENERAL_CHECKS, `detail` what came out instead."""

    name: str
    passed: bool
    detail: str = ""

    @property
    def is_example(self) -> bool:
        return self.name not in GENERAL_CHECKS and not self.name.startswith(DEFINES)


@dataclass(frozen=True)
class Trial:
    """What the assistant made up to run the code on, and what came of it: nobody has said what is right.

    Of the `drafts` that it was tried on, `alike` gave the same as this one, itself included.
    """

    name: str
    gave: str
    alike: int
    drafts: int


@dataclass(frozen=True)
class Checked:
    """A draft was judged. `draft` counts from 1; `problem` is None where nothing was wrong.

    It passed so many of `total` examples, and was run on so many things that were made up (`tried`). Where both are 0
    it was compiled, or loaded, and not run.
    """

    draft: int
    passed: int
    total: int
    problem: str | None
    tried: int = 0

    @property
    def verdict(self) -> str:
        """In words; "passes" only where there are examples."""
        if self.problem is not None:
            return self.problem
        if self.total:
            return f"passes {self.passed} of {self.total} examples"
        if self.tried:
            return f"no fault found; run on {self.tried} made-up inputs, whose right answers nobody gave"
        return "no fault found; not run"


@dataclass(frozen=True)
class Answer:
    """The finished code, and what it was checked on.

    For a completion, `code` is what to insert, `parses` is said of the whole file, and `prefix_parses` tells
    whether a program can begin with what stands before the cursor: if not, nothing can make the file parse.
    `unchecked` says why nothing was run, where something was to be. `compiles` is the verdict of the language's own
    compiler on the whole file, None where it was not asked or could not be; `compile_problem` says what it found, or
    why it could not be asked. `trials` tell what it was run on that was made up; `unknown`, that a construct in it, or
    in what it is a translation of, is none that the grammar knows. For an edit, `code` takes the place of `selection`,
    the selected lines as they were, and `diff` is what changes in the file; of the file is also said what is said for a
    completion.
    """

    code: str
    language: str
    parses: bool
    tokens: int
    seconds: float
    finish_reason: str
    prefix_parses: bool | None = None
    drafts: int = 1
    checked: tuple[Check, ...] = ()
    unchecked: str | None = None
    compiles: bool | None = None
    compile_problem: str | None = None
    trials: tuple[Trial, ...] = ()
    unknown: str | None = None
    selection: str | None = None
    diff: str | None = None


Event = Token | Progress | Checked | Answer
Events = Generator[Event, None, None]
