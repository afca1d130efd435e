"""From what the model wrote to what is suggested: what fits, what is new, and only what the model is sure of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from apps.code.completion.ending import GapEnding
from apps.code.completion.fitting import Fit
from apps.code.completion.gap import Gap
from apps.code.completion.healing import GapConstraint
from apps.code.grammar.constraint import GrammarConstraint
from core_model.requests import Completion
from core_model.tokenizer import Tokenizer

_LAST_WORD = re.compile(r"\w+\Z")
_MAX_CUT = 16  # tokens that are taken back to make a text fit


class Finishing:
    """Finishes the completions of one gap; `begun` is the half word that their text repeats."""

    def __init__(
        self,
        gap: Gap,
        begun: str,
        fit: Fit,
        ending: GapEnding,
        tokenizer: Tokenizer,
        constraint: GapConstraint | None,
        program: Callable[[str], GrammarConstraint | None],
    ) -> None:
        """`program` is the grammar after a text in the gap."""
        self._program = program if constraint is not None and constraint.whole else None
        self._gap = gap
        self._begun = begun
        self._fit = fit
        self._ending = ending
        self._tokenizer = tokenizer
        self._in_grammar = constraint is not None and constraint.in_grammar

    def __call__(self, written: Completion) -> Completion:
        """The same completion with the text that is to be inserted, which may be empty.

        Who cancelled wants none: it would be judged while the next request is waiting.
        """
        if written.finish_reason == "cancelled":
            return replace(written, text="", tokens=[], logprobs=[])
        body = written.text[len(self._begun) :] if written.text.startswith(self._begun) else ""
        text = next((text for text in self._candidates(body, written) if self._may_stand(text)), None)
        if text is None:
            text = self._shortest() or body if self._gap.floor is None else ""
            text = "" if self._fit.unbalances(text) else text
        if self._gap.floor is not None and (
            self._ending.repeats(text) or self._certainty(written) < self._gap.floor
        ):
            text = ""
        tokens = self._tokens(written, text)
        return replace(
            written,
            text=text,
            tokens=written.tokens[tokens],
            logprobs=written.logprobs[tokens] if self._gap.sampling.logprobs is not None else [],
            complete=self._fit.parses(text) if self._in_grammar else None,
        )

    def _may_stand(self, text: str) -> bool:
        """Whether a text fits, by the strict rules too where the whole file is there."""
        if not self._fit.fits(text):
            return False
        return self._program is None or self._whole_program(text) is not None

    def _shortest(self) -> str:
        """For somebody who asked: the shortest text that makes the file whole; empty where none is found."""
        program = self._program("") if self._program is not None else None
        return self._tokenizer.decode(program.closing()) if program is not None else ""

    def _whole_program(self, text: str) -> GrammarConstraint | None:
        program = self._program(text) if self._program is not None else None
        return program if program is not None and program.may_end() else None

    def _candidates(self, body: str, written: Completion) -> Iterator[str]:
        """What might be suggested, the most first: all of it, whole lines of it, what stands before a token."""
        if written.finish_reason in ("length", "deadline") and not self._fit.parses(body):
            body = _LAST_WORD.sub("", body)  # it may go on
        yield body.rstrip() if self._gap.suffix[:1] in ("", "\n", "\r") else body
        lines = body.split("\n")
        for count in range(len(lines) - 1, 0, -1):
            yield "\n".join(lines[:count]).rstrip()
        end = len(lines[0])
        ends = [
            place - len(self._begun) for place in self._places(written) if 0 < place - len(self._begun) < end
        ]
        for place in reversed(ends[-_MAX_CUT:]):
            yield body[:place].rstrip()

    def _places(self, written: Completion) -> list[int]:
        """Where in the text its tokens begin, in characters; tokens that end inside of a character left out."""
        places, data = [], b""
        for token in written.tokens:
            data += self._tokenizer.token_bytes(token)
            text = data.decode("utf-8", "replace")
            if not text.endswith("\ufffd"):
                places.append(len(text))
        return places

    def _certainty(self, written: Completion) -> float:
        """Mean log-probability, in nats, of the first line's tokens that the model chose: not of the half word."""
        taken: list[float] = []
        half_word, at = len(self._begun.encode("utf-8", "replace")), 0
        for item in written.logprobs:
            data = self._tokenizer.token_bytes(item.token)
            if at >= half_word:
                taken.append(item.logprob)
                if b"\n" in data and len(taken) > 1:
                    break
            at += len(data)
        return sum(taken) / len(taken) if taken else 0.0

    def _tokens(self, written: Completion, text: str) -> slice:
        """The tokens that the text was made of."""
        start, end = len(self._begun.encode()), len((self._begun + text).encode("utf-8", "replace"))
        first = last = at = 0
        for index, token in enumerate(written.tokens):
            if at <= start:
                first = index
            if at < end:
                last = index + 1
            at += len(self._tokenizer.token_bytes(token))
        return slice(first, last if text else first)
