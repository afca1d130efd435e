"""What the code studio shows of one answer: the code as it grows, the checks, the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from apps.code.assistant import Answer, Check, Checked
from apps.code.prompts import LANGUAGE_NAMES
from ui.pages.labels import Language, text
from ui.pages.listing import code_html


@dataclass
class CodeAnswer:
    """One answer on its way. `prefix` and `suffix` are the user's, around what is being written."""

    language: str
    reader: Language
    prefix: str = ""
    suffix: str = ""
    code: str = ""
    drafts: list[Checked] = field(default_factory=list)
    answer: Answer | None = None

    @property
    def whole(self) -> str:
        return self.prefix + self.code + self.suffix

    def finish(self, answer: Answer) -> None:
        self.answer, self.code = answer, answer.code

    def listing(self) -> str:
        start = len(self.prefix)
        new = (start, start + len(self.code)) if self.prefix or self.suffix else None
        body = code_html(self.whole, self.language, new=new, writing=self.answer is None and not self.drafts)
        copy, copied = escape(text("code.copy", self.reader)), escape(text("code.copied", self.reader))
        button = f'<button class="copy" type="button" data-copied="{copied}">{copy}</button>'
        name = f'<span class="name">{escape(LANGUAGE_NAMES[self.language])}</span>'
        return f'<div class="code-card"><div class="code-head">{name}{button}</div>{body}</div>'

    def status(self) -> str:
        """One line while it is being made, the verdict at the end."""
        if self.answer is not None:
            return self._verdict(self.answer)
        if not self.drafts:
            return line("busy", text("code.writing" if self.code else "code.reading", self.reader))
        last = self.drafts[-1]
        words = text(
            "code.draft_checked", self.reader, draft=last.draft, passed=last.passed, total=last.total
        )
        return line("busy", words, text("code.trying_again", self.reader))

    def _verdict(self, answer: Answer) -> str:
        reader = self.reader
        words = [text("code.parses" if answer.parses else "code.does_not_parse", reader)]
        if not answer.parses and answer.prefix_parses is False:
            words.append(text("code.prefix_broken", reader))
        if answer.finish_reason == "length":
            words.append(text("code.cut", reader))
        if answer.checked:
            passed = sum(check.passed for check in answer.checked)
            words.append(text("code.passed", reader, passed=passed, total=len(answer.checked)))
        if answer.drafts > 1:
            words.append(text("code.drafts", reader, drafts=answer.drafts))
        words.append(text("code.tokens", reader, tokens=answer.tokens))
        words.append(text("code.seconds", reader, seconds=f"{answer.seconds:.1f}"))
        good = answer.parses and all(check.passed for check in answer.checked)
        return line("good" if good else "bad", *words) + self._checks(answer)

    def _checks(self, answer: Answer) -> str:
        if answer.unchecked:
            return line("note", text("code.unchecked", self.reader, reason=answer.unchecked))
        return f'<ul class="checks">{"".join(map(_check, answer.checked))}</ul>' if answer.checked else ""


def line(kind: str, *words: str) -> str:
    """One line under the code: `kind` is busy, good, bad, problem, stopped or note."""
    return f'<p class="line-of {kind}" role="status">{" · ".join(map(escape, words))}</p>'


def _check(check: Check) -> str:
    detail = f"<small>{escape(check.detail)}</small>" if check.detail else ""
    return f'<li class="{"good" if check.passed else "bad"}"><code>{escape(check.name)}</code>{detail}</li>'
