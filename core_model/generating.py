"""Prompts that grow by sampling: drafts, limits, stop strings, and the text that is delivered."""

from __future__ import annotations

import time
from collections.abc import Sequence as Tokens
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core_model.constraint import Constraint
from core_model.errors import RequestError
from core_model.requests import Completion, Ending, GenerationRequest, Piece, TokenLogprob
from core_model.sampling import draw, logprob_of
from core_model.sequence import Sequence
from core_model.sparse_attention import NEVER
from core_model.speculation import Drafter, Guess
from core_model.tokenizer import Tokenizer


class Sink(Protocol):
    """Where a generation's output goes."""

    def deliver(self, piece: Piece) -> None:
        """One more piece of text."""

    def end(self, completion: Completion, error: Exception | None = None) -> None:
        """Nothing more will come."""


class Generating(Sequence):
    """A sequence that grows by sampling and delivers text."""

    def __init__(
        self,
        request: GenerationRequest,
        tokenizer: Tokenizer,
        sink: Sink,
        budget: int,
        sparse_from: int = NEVER,
        speculate: bool = False,
    ) -> None:
        """`budget` tokens may be generated. Raises RequestError where no completion fits into it."""
        super().__init__(
            list(request.prompt), request.window, request.adapter, sparse_from, owner=request.owner
        )
        self.background = request.background
        self.request = request
        self.completion = Completion(prompt_tokens=len(request.prompt))
        self._tokenizer = tokenizer
        self._sink = sink
        self._budget = budget
        self._next_look = budget  # tokens left at which the shortest completion is looked at again
        self._constraint = request.constraint
        self._rng = np.random.default_rng(request.sampling.seed)
        self._decoder = tokenizer.stream_decoder()
        self._held = ""  # text that may be the beginning of a stop string
        self._stopped = False
        self._cut = False  # back to where the text was complete
        texts = [*request.references, request.prompt]
        self._drafter = Drafter(texts, tokenizer.end_ids) if speculate and budget > 1 else None
        if self._constraint:
            if request.ending is None:  # who says where it ends says what becomes of a text that is cut short
                _check_room(self._constraint, budget)
            self._certain = _Place(self._constraint.fork(), 0)

    def guess(self) -> list[Guess]:
        if self._drafter is None:
            return []
        forced = self._constraint.forced() if self._constraint else []
        # A step draws one token more than it has drafted.
        return self._drafter.guess(forced)[: self._budget - len(self.completion.tokens) - 1]

    def receive(self, hidden: Tensor, logits: Tensor, draft: Tokens[int]) -> int:
        """Draw a token from each row, as long as what is drawn is what was drafted."""
        for place, row in enumerate(logits.numpy()):
            token = self._sample(row)
            if token is None or self.finished:
                return place
            if self._drafter:
                self._drafter.learn(token, place)
            if place == len(draft) or token != draft[place]:
                return place
        return 0

    def _sample(self, logits: NDArray[np.float32]) -> int | None:
        """Draw the next token from `logits` [vocab] and deliver what text became certain; None: it ended."""
        sampling = self.request.sampling
        if not self._budget:
            self.finish("length")
            return None
        token = draw(
            logits,
            sampling,
            self._rng,
            seen=self.tokens,
            end_ids=self._tokenizer.end_ids,
            constraint=self._constraint,
        )
        if token is None:
            self._close()
            return None
        if token in self._tokenizer.end_ids:
            self._cut_back()
            self.finish("stop")
            return None
        if self._constraint and not self._leaves_room(token):
            self._close()
            return None
        logprobs = []
        if sampling.logprobs is not None:
            logprobs = [logprob_of(logits, token, sampling.logprobs)]
        self._append([token], logprobs)
        if not self.finished and len(self.completion.tokens) >= self._budget:
            self._cut_back()
            self.finish("length")
        return token

    def overdue(self, now: float) -> bool:
        spent, request = now - self.submitted, self.request
        if request.deadline_s is not None and spent >= request.deadline_s:
            return True
        if request.decode_s is None or not self.completion.tokens:
            return False
        return spent - self.completion.first_token_s >= request.decode_s

    def finish(self, reason: str) -> None:
        """End the generation and deliver what was held back."""
        self.finished = True
        self.completion.finish_reason = reason
        self.completion.cached_tokens = self.cached_tokens
        if self._constraint and reason != "cancelled":
            self.completion.complete = self._cut or self._constraint.may_end()
        self.completion.total_s = time.perf_counter() - self.submitted
        rest = "" if self._stopped else self._held + self._decoder.finish()
        if rest:
            self.completion.text += rest
            self._sink.deliver(Piece(rest, [], []))

    def end(self, error: Exception | None = None) -> None:
        self._sink.end(self.completion, error)

    def _leaves_room(self, token: int) -> bool:
        """Let the constraint accept `token`, unless the text could be completed now and not any more after it."""
        assert self._constraint is not None
        remaining = self._budget - len(self.completion.tokens)
        if remaining > self._next_look:
            self._constraint.accept(token)
            return True
        after = self._constraint.fork()
        after.accept(token)
        needed = _tokens_to_close(after)
        if needed is None or needed > remaining - 1:
            now = _tokens_to_close(self._constraint)
            if now is not None and now <= remaining:
                return False
        room = max(remaining - 1 - (needed or 0), 0)
        self._next_look = remaining - 1 - room // (1 + self._constraint.growth)
        self._constraint = after
        return True

    def _close(self) -> None:
        """Let the constraint's shortest completion end the text."""
        closing = self._constraint.closing() if self._constraint else []
        if self._constraint and closing:
            _accept(self._constraint, closing)
            self._append(closing, [])
        else:
            self._cut_back()
        if not self.finished:
            self.finish("length")
        self.completion.finish_reason = "length"

    def _cut_back(self) -> None:
        """Keep the longest beginning that is complete where no completion was found.

        Everything, where nothing ever was complete. The stream showed more; the result is what counts.
        """
        if self._constraint is None or self._constraint.may_end():
            return
        keep = self._constraint.longest_complete()
        if keep is None:
            return
        self._cut = True
        del self.completion.tokens[keep:], self.completion.logprobs[keep:]
        self.completion.text, self._held = self._tokenizer.decode(self.completion.tokens), ""
        self._decoder = self._tokenizer.stream_decoder()

    def _append(self, tokens: list[int], logprobs: list[TokenLogprob]) -> None:
        if not self.completion.tokens:
            self.completion.first_token_s = time.perf_counter() - self.submitted
        self.tokens.extend(tokens)
        self.completion.tokens.extend(tokens)
        self.completion.logprobs.extend(logprobs)
        text = self._held + "".join(map(self._decoder.push, tokens))
        certain, self._held, self._stopped = split_at_stop(text, self.request.sampling.stop)
        self.completion.text += certain
        if self.request.ending is not None:
            certain = self._end_where_asked(self.request.ending, certain)
        self._sink.deliver(Piece(certain, tokens, logprobs))
        if self._constraint and self.request.sampling.stop:
            self._certain.text += certain
            if self._stopped:
                self._complete_before_stop()
            elif not self._held and not self._decoder.pending:
                self._certain = _Place(self._constraint.fork(), len(self.completion.tokens))
        if self._stopped:
            self.finish("stop")

    def _end_where_asked(self, ending: Ending, certain: str) -> str:
        """What of the text that became certain is delivered. The stream may have shown more than is kept."""
        keep = ending(self.completion.text)
        if keep is None:
            return certain
        said = len(self.completion.text) - len(certain)
        self.completion.text, self._held, self._stopped = self.completion.text[:keep], "", True
        return certain[: max(0, keep - said)]

    def _complete_before_stop(self) -> None:
        """A stop string ends the text anywhere: complete what stands before it, even if that writes the string."""
        self._constraint, text = self._certain.constraint, self._certain.text
        whole = self._tokenizer.encode(text)
        _accept(self._constraint, whole)
        if self._constraint.may_end():
            return
        closing = self._constraint.closing()
        self.completion.tokens[self._certain.tokens :] = whole + closing
        del self.completion.logprobs[self._certain.tokens :]
        if not closing:
            self._cut_back()
            return
        _accept(self._constraint, closing)
        rest = self._tokenizer.decode(closing)
        self.completion.text += rest
        self._sink.deliver(Piece(rest, [], []))


@dataclass
class _Place:
    """A constraint as it was after `tokens` tokens, and what text has become certain since."""

    constraint: Constraint
    tokens: int
    text: str = ""


def _tokens_to_close(constraint: Constraint) -> int | None:
    """How many tokens complete the text; None where no completion was found."""
    if constraint.may_end():
        return 0
    return len(constraint.closing()) or None


def _accept(constraint: Constraint, tokens: list[int]) -> None:
    for token in tokens:
        constraint.accept(token)


def _check_room(constraint: Constraint, budget: int) -> None:
    needed = _tokens_to_close(constraint)
    if needed is not None and needed > budget:
        raise RequestError(
            f"the shortest answer takes {needed} tokens, and there is room for {budget}", "max_tokens"
        )


def split_at_stop(text: str, stops: tuple[str, ...]) -> tuple[str, str, bool]:
    """(certain text, text held back, whether a stop string was found: it and what follows are cut)."""
    found = [position for position in (text.find(stop) for stop in stops) if position >= 0]
    if found:
        return text[: min(found)], "", True
    held = 0
    for stop in stops:
        for length in range(min(len(stop) - 1, len(text)), held, -1):
            if text.endswith(stop[:length]):
                held = length
                break
    return text[: len(text) - held], text[len(text) - held :], False
