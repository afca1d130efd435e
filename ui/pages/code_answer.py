"""What the code studio shows of one answer: the code as it grows, the checks, the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from apps.code.answers import Progress
from apps.code.assistant import Answer, Check, Checked
from apps.code.prompts import LANGUAGE_NAMES
from ui.pages.labels import Language, text
from ui.pages.listing import code_html
from ui.pages.rendering import line, render

_MOST_TRIALS = 4
_MOST_CHECKS = 24


@dataclass
class CodeAnswer:
    """One answer on its way. `prefix` and `suffix` are the user's, around what is being written."""

    language: str
    reader: Language
    prefix: str = ""
    suffix: str = ""
    code: str = ""
    drafts: list[Checked] = field(default_factory=list)
    progress: Progress | None = None
    answer: Answer | None = None
    stopped: bool = False

    @property
    def whole(self) -> str:
        return self.prefix + self.code + self.suffix

    def finish(self, answer: Answer) -> None:
        self.answer, self.code = answer, answer.code

    def listing(self) -> Markup:
        start = len(self.prefix)
        new = (start, start + len(self.code)) if self.prefix or self.suffix else None
        writing = not (self.answer or self.drafts or self.stopped)
        body = code_html(self.whole, self.language, new=new, writing=writing)
        name = LANGUAGE_NAMES[self.language]
        return render("code_card", self.reader, name=name, listing=body)

    def status(self) -> Markup:
        """What is going on while it is being made, the verdict at the end; each draft's as it comes."""
        drafts = self._drafts()
        if self.answer is not None:
            return self._verdict(self.answer) + drafts
        if self.stopped:
            return line("stopped", text("code.stopped", self.reader)) + drafts
        if not self.drafts and self.progress is not None:
            part, parts = self.progress.part, self.progress.parts
            return line("busy", text("code.part", self.reader, part=part, parts=parts))
        if not self.drafts:
            return line("busy", text("code.writing" if self.code else "code.reading", self.reader))
        return line("busy", text("code.trying_again", self.reader)) + drafts

    def _drafts(self) -> Markup:
        """One line for each draft that was run; a single one has the list of its checks instead."""
        if not self.drafts or (self.answer is not None and len(self.drafts) < 2):
            return Markup()
        rows = [_draft(draft, self.reader) for draft in self.drafts]
        return render("checks", self.reader, checks=rows, drafts=True)

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
        head = line("note", text("code.own_examples", self.reader, **counts))
        return head + render("checks", self.reader, checks=rows, drafts=False)


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
