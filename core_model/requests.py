"""What is asked of the engine, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from core_model.constraint import Constraint
from core_model.errors import RequestError

WINDOW_RANGE = (32, 2048)
Attention = Literal["dense", "sparse"]
Precision = Literal["bf16", "int8", "int4"]
"""Of keys and values in the cache; with int4 keys have 8 bits."""

Ending = Callable[[str], int | None]
"""Told the text so far after every token: how many of its characters to keep once it is over, None to go on."""


@dataclass(frozen=True)
class SamplingParams:
    """How tokens are drawn. Temperature 0 is greedy; `top_k` 0 and `top_p` 1 leave the vocabulary whole."""

    temperature: float = 0.7
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int = 512
    logprobs: int | None = None  # alternatives to report with each token; None: report nothing
    ignore_end: bool = False  # go on past end-of-text tokens (benchmarks)

    def __post_init__(self) -> None:
        checks = [
            ("temperature", 0 <= self.temperature <= 10, "between 0 and 10"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("top_k", self.top_k >= 0, "0 (off) or more"),
            ("min_p", 0 <= self.min_p < 1, "at least 0 and below 1"),
            ("repetition_penalty", 0.1 <= self.repetition_penalty <= 10, "between 0.1 and 10"),
            ("max_tokens", self.max_tokens >= 0, "0 (only read the prompt into the cache) or more"),
            ("logprobs", self.logprobs is None or 0 <= self.logprobs <= 20, "between 0 and 20"),
            ("stop", all(self.stop), "made of non-empty strings"),
        ]
        for parameter, valid, wanted in checks:
            if not valid:
                value = getattr(self, parameter)
                raise RequestError(f"{parameter} is {value!r}; it must be {wanted}", parameter)


@dataclass(frozen=True)
class GenerationRequest:
    """One prompt to be continued.

    The two limits of time end the work with what there is, at most one step late. What is asked for in the
    `background` waits whenever anything else is to be done.
    """

    prompt: list[int]
    sampling: SamplingParams = field(default_factory=SamplingParams)
    window: int | None = None  # positions seen at once, 32…2048; None: all
    adapter: str | None = None
    constraint: Constraint | None = None
    attention: Attention | None = None  # None: as the engine does it for so long a text
    owner: str = ""
    """Keys and values are reused among the requests of one owner: what others have sent shows in no time or count."""
    references: tuple[Sequence[int], ...] = ()  # texts beside the prompt that the answer may repeat parts of
    speculate: bool = True  # False: one token a step (benchmarks); the text is the same
    ending: Ending | None = None
    deadline_s: float | None = None  # from submission
    decode_s: float | None = None  # from the first token
    background: bool = False

    def __post_init__(self) -> None:
        if not self.prompt:
            raise RequestError("the prompt is empty", "prompt")
        for parameter in ("deadline_s", "decode_s"):
            limit = getattr(self, parameter)
            if limit is not None and limit < 0:
                raise RequestError(f"{parameter} is {limit}; it must be 0 or more seconds", parameter)
        low, high = WINDOW_RANGE
        if self.window is not None and not low <= self.window <= high:
            raise RequestError(f"window is {self.window}; it must be between {low} and {high}", "window")
        if self.attention not in (None, *get_args(Attention)):
            raise RequestError(f"attention is {self.attention!r}; it must be dense or sparse", "attention")
        if self.attention and self.window:
            raise RequestError("give a window or a kind of attention, not both", "attention")


@dataclass(frozen=True)
class TokenLogprob:
    """A token and its log-probability under the model (before temperature and truncation)."""

    token: int
    logprob: float
    top: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """Text that became certain after a step; `tokens` may be empty when held-back text is let go."""

    text: str
    tokens: list[int]
    logprobs: list[TokenLogprob]


@dataclass
class Completion:
    """A finished generation. `finish_reason` is "stop", "length", "deadline" or "cancelled".

    `complete` tells whether the text satisfies its constraint; None where it has none.
    """

    text: str = ""
    tokens: list[int] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    finish_reason: str = "stop"
    complete: bool | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0  # of the prompt, taken from the prefix cache
    first_token_s: float = 0.0  # from submission
    total_s: float = 0.0
