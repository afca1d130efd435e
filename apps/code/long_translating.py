"""A program that is too long for one answer is translated in parts, by syntax, and checked as a whole."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

from apps.code.answers import Answer, Checked, Effort, Events, Progress
from apps.code.checking import Verdict
from apps.code.declarations import with_declarations
from apps.code.definitions import without_demonstration
from apps.code.drafting import Draft, Drafting, as_tokens, drawn
from apps.code.parts import Part, joined, parts_of
from apps.code.prompts import LANGUAGE_NAMES, TRANSLATE_PART
from apps.code.refining import SAMPLE_TEMPERATURE
from apps.code.sandbox import SandboxError
from apps.code.signatures import function_nodes, plain_name, signatures
from apps.code.syntax import parses
from apps.code.toolchains import ToolchainMissingError
from apps.code.translating import Translating
from apps.code.usage import is_program

LONG = 3_000
"""Characters from which on a program is translated in parts: more is no answer of the usual 1,024 tokens."""
_OUTLINE = 40  # lines of what is already there that a prompt has, the last ones
_HOLDER = "public class Program {\n"


def parts_if_long(code: str, language: str) -> list[Part] | None:
    """None for a program that fits into one answer, or that cannot be divided."""
    if len(code) <= LONG:
        return None
    parts = parts_of(code, language)
    return parts if len(parts) > 1 else None


@dataclass
class _Parts:
    translating: Translating
    drafting: Drafting
    parts: Sequence[Part]
    drafts: list[Draft] = field(default_factory=list)
    tokens: int = 0

    @property
    def code(self) -> str:
        language = self.drafting.language
        whole = joined([draft.code for draft in self.drafts], language)
        return with_declarations(whole, language) if self.drafting.constraints else whole

    def draw(self, number: int, temperature: float, seed: int) -> Generator[str, None, Draft]:
        """One part, told what the parts before it have; yields its code as it comes."""
        part, target = self.parts[number], self.drafting.language
        before = joined([draft.code for draft in self.drafts[:number]], target)
        inputs = {
            "source_name": LANGUAGE_NAMES[self.translating.source],
            "target_name": LANGUAGE_NAMES[target],
            "source": self.translating.source,
            "target": target,
            "outline": "\n".join(_heads(before, target)[-_OUTLINE:]) or "nothing yet",
            "code": part.code,
        }
        drafting = replace(self.drafting, start=self._start(part))
        draft = yield from drafting.stream(TRANSLATE_PART, inputs, temperature, seed)
        self.tokens += draft.tokens
        if is_program(part.code, self.translating.source):
            return draft
        return replace(draft, code=without_demonstration(draft.code, target))

    def _start(self, part: Part) -> str:
        """Functions stand in one class in Java."""
        has_class = any(name[:1].isupper() for name in part.names)
        return _HOLDER if self.drafting.language == "java" and not has_class else ""

    def wrong(self, verdict: Verdict) -> list[int]:
        """The parts that have a function which failed an example; else those that were cut off; else all."""
        failed = {
            plain_name(check.name.partition("(")[0])
            for check in verdict.checks
            if check.is_example and not check.passed
        }
        found = [
            number
            for number, part in enumerate(self.parts)
            if failed & {plain_name(item.name) for item in signatures(part.code, self.translating.source)}
        ]
        cut = [number for number, draft in enumerate(self.drafts) if draft.finish_reason == "length"]
        return found or cut or list(range(len(self.parts)))


def translate_parts(
    translating: Translating,
    drafting: Drafting,
    parts: Sequence[Part],
    effort: Effort,
    temperature: float,
    seed: int,
) -> Events:
    """Streams part after part, and checks the whole; parts with a function that differs are drawn again, while that
    makes it better and the effort's time, one for each part, is not up."""
    started = time.perf_counter()
    work = _Parts(translating, drafting, parts)
    for number, part in enumerate(parts):
        yield Progress(number + 1, len(parts), part.names)
        draft = yield from as_tokens(work.draw(number, temperature, seed))
        work.drafts.append(draft)
    verdict, unchecked, drafts = Verdict(), None, 1
    if effort.waves and translating.sandbox is None:
        unchecked = "this machine has no sandbox to run programs in"
    elif effort.waves:
        try:
            verdict = translating.judge(work.code)
            yield _checked(drafts, verdict)
            for wave in range(effort.waves):
                for number in work.wrong(verdict):
                    late = time.perf_counter() - started > effort.budget_s * len(parts)
                    if verdict.problem is None or late:
                        break
                    drafts += 1
                    kept = work.drafts[number]
                    work.drafts[number] = drawn(work.draw(number, SAMPLE_TEMPERATURE, seed + 1 + wave))
                    found = translating.judge(work.code)
                    yield _checked(drafts, found)
                    if _better(found, verdict):
                        verdict = found
                    else:
                        work.drafts[number] = kept
        except (ToolchainMissingError, SandboxError) as error:
            unchecked = str(error)
    code = work.code
    cut = any(draft.finish_reason == "length" for draft in work.drafts)
    yield Answer(
        code=code,
        language=drafting.language,
        parses=parses(code, drafting.language),
        tokens=work.tokens,
        seconds=time.perf_counter() - started,
        finish_reason="length" if cut else "stop",
        drafts=drafts,
        checked=verdict.checks,
        unchecked=unchecked,
        unknown=verdict.unknown or translating.work.unknown,
    )


def _better(one: Verdict, another: Verdict) -> bool:
    return (one.passed, one.problem is None) > (another.passed, another.problem is None)


def _heads(code: str, language: str) -> list[str]:
    """The first lines of functions, as an outline."""
    return [
        (node.text or b"").decode("utf-8", "replace").partition("\n")[0].rstrip(" {")
        for node in function_nodes(code, language)
    ]


def _checked(number: int, verdict: Verdict) -> Checked:
    passed = sum(check.passed for check in verdict.checks if check.is_example)
    return Checked(number, passed, verdict.examples, verdict.problem)
