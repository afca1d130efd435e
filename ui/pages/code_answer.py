"""What the code studio shows of one answer: the code as it grows, the checks, the verdict, what it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from apps.code.answers import Progress
from apps.code.assistant import Answer, Check, Checked, Events
from apps.code.prompts import LANGUAGE_NAMES
from ui.pages import comparison
from ui.pages.labels import Language, text
from ui.pages.listing import code_html
from ui.pages.rendering import line, render

_MOST_TRIALS = 4
_MOST_CHECKS = 24


@dataclass
class CodeAnswer:
    """One answer on its way.

    `ask` asks for it; from the second attempt on it is drawn by chance. `prefix` and `suffix` are the user's, around
    what is being written; `source` is a program and its language that it is a translation or a change of.
    """

    language: str
    reader: Language
    ask: Callable[[int], Events]
    prefix: str = ""
    suffix: str = ""
    source: tuple[str, str] | None = None
    goes_back: bool = False  # into the editor that the code came from
    attempt: int = 0
    code: str = ""
    drafts: list[Checked] = field(default_factory=list)
    progress: Progress | None = None
    answer: Answer | None = None
    stopped: bool = False

    @property
    def whole(self) -> str:
        return self.prefix + self.code + self.suffix

    def again(self, reader: Language) -> CodeAnswer:
        """The same, to be asked for once more."""
        attempt = self.attempt + 1
        return replace(self, reader=reader, attempt=attempt, code="", drafts=[], answer=None, stopped=False)

    def finish(self, answer: Answer) -> None:
        self.answer, self.code = answer, answer.code

    def listing(self) -> Markup:
        """The code while it is written."""
        start = len(self.prefix)
        new = (start, start + len(self.code)) if self.prefix or self.suffix else None
        writing = not (self.answer or self.drafts or self.stopped)
        body = code_html(self.whole, self.language, new=new, writing=writing)
        return render("code_card", self.reader, name=LANGUAGE_NAMES[self.language], listing=body)

    def comparison(self) -> Markup:
        """What the answer changes, or the answer beside what it is a translation of."""
        assert self.source is not None
        code, language = self.source
        if language == self.language:
            return comparison.changes(code, self.whole, self.reader)
        return comparison.side_by_side(self.source, (self.whole, self.language), self.reader)

    def status(self) -> Markup:
        """What is going on while it is being made, the verdict at the end; the drafts folded away."""
        if self.answer is not None:
            return self._verdict(self.answer) + self._drafts()
        if self.stopped:
            return line("stopped", text("code.stopped", self.reader)) + self._drafts()
        return line("busy", self._progress()) + self._drafts()

    def _progress(self) -> str:
        if not self.drafts and self.progress is not None:
            part, parts = self.progress.part, self.progress.parts
            return text("code.translating_part", self.reader, part=part, parts=parts)
        if not self.drafts:
            return text("code.first_draft" if self.code else "code.reading", self.reader)
        last = self.drafts[-1]
        key = "code.progress" if last.total else "code.progress_other"
        return text(key, self.reader, draft=last.draft, passed=last.passed, total=last.total)

    def _drafts(self) -> Markup:
        """One line for each draft that was judged; a single one has the list of its checks instead."""
        if not self.drafts or (self.answer is not None and len(self.drafts) < 2):
            return Markup()
        checks = render(
            "checks", self.reader, checks=[_draft(item, self.reader) for item in self.drafts], drafts=True
        )
        return render(
            "drafts",
            self.reader,
            summary=text("code.judged", self.reader, drafts=len(self.drafts)),
            checks=checks,
        )

    def _verdict(self, answer: Answer) -> Markup:
        reader = self.reader
        words = [text("code.parses" if answer.parses else "code.does_not_parse", reader)]
        if answer.unknown is not None:
            words = [text("code.unknown", reader)]
        if not answer.parses and answer.prefix_parses is False:
            words.append(text("code.prefix_broken", reader))
        if answer.finish_reason == "length":
            words.append(text("code.cut", reader))
        examples = [check for check in answer.checked if check.is_example]
        if examples:
            passed = sum(check.passed for check in examples)
            words.append(text("code.passed", reader, passed=passed, total=len(examples)))
        if answer.drafts > 1:
            words.append(text("code.drafts", reader, drafts=answer.drafts))
        words.append(text("code.tokens", reader, tokens=answer.tokens))
        words.append(text("code.seconds", reader, seconds=f"{answer.seconds:.1f}"))
        judged = answer.parses or (answer.unknown is not None and answer.compiles is True)
        good = judged and answer.compiles is not False and all(check.passed for check in answer.checked)
        return line("good" if good else "bad", *words) + self._compiler(answer) + self._checks(answer)

    def _compiler(self, answer: Answer) -> Markup:
        if answer.compiles is not False or not answer.parses:
            return Markup()
        return line("problem", text("check.compiles.bad", self.reader), answer.compile_problem or "")

    def _checks(self, answer: Answer) -> Markup:
        if answer.unchecked:
            return line("note", text("code.unchecked", self.reader, reason=answer.unchecked))
        shown = sorted(answer.checked, key=lambda check: check.passed)[
            :_MOST_CHECKS
        ]  # what failed comes first
        rows = [_row(check, self.reader) for check in shown]
        checks = render("checks", self.reader, checks=rows, drafts=False) if rows else Markup()
        return checks + self._trials(answer)

    def _trials(self, answer: Answer) -> Markup:
        """What it was run on that the assistant made up, the first few of it."""
        if not answer.trials:
            return Markup()
        counts = {"alike": min(trial.alike for trial in answer.trials), "drafts": answer.trials[0].drafts}
        rows = [_Row(trial.name, True, trial.gave, is_code=True) for trial in answer.trials[:_MOST_TRIALS]]
        checks = render("checks", self.reader, checks=rows, drafts=False)
        return render(
            "drafts", self.reader, summary=text("code.own_examples", self.reader, **counts), checks=checks
        )


@dataclass(frozen=True)
class _Row:
    """One thing that was run, as it is shown."""

    name: str
    good: bool
    detail: str = ""
    is_code: bool = False


def _draft(draft: Checked, reader: Language) -> _Row:
    """What was found of one draft; it passes only where there were examples."""
    key = "code.draft" if draft.total else "code.draft_tried" if draft.tried else "code.draft_not_run"
    if draft.problem and not draft.total:
        key = "code.draft_wrong"
    name = text(key, reader, draft=draft.draft, passed=draft.passed, total=draft.total)
    return _Row(name, not draft.problem, draft.problem or "")


def _row(check: Check, reader: Language) -> _Row:
    if check.is_example:
        return _Row(check.name, check.passed, check.detail or "", is_code=True)
    name = text(f"check.{check.name}.{'good' if check.passed else 'bad'}", reader)
    return _Row(name, check.passed, check.detail or "")
