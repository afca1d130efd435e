"""What is asked for, whatever protocol it came by."""

from __future__ import annotations

from dataclasses import dataclass

from core_model.errors import RequestError
from core_model.requests import SamplingParams

AUTOMATIC_FLOOR = -1.6
"""Mean log-probability (nats) of a suggestion's first line below which an editor's user rather sees nothing."""

MAX_ALTERNATIVES = 16
GREEDY = SamplingParams(temperature=0.0, max_tokens=128)
"""Of requests that say nothing else: an editor's suggestion should not change with every look."""


@dataclass(frozen=True)
class Room:
    """Tokens of a prompt: `before` the cursor, other files included, and `after` it."""

    before: int
    after: int


@dataclass(frozen=True)
class OtherFile:
    """Some text of another file of the project."""

    name: str
    text: str


@dataclass(frozen=True)
class Gap:
    """A place in a file where text is wanted, and what it may cost.

    Without a `language` it is found from the names and the text; of a text in none of ours, one line is written freely.
    Of `files` the last is the one that was seen last. `deadline_s` counts from now, `decode_s` from the first token.
    Below the `floor` nothing is suggested; None takes what comes. With a budget of no tokens the context is only read
    into the cache, in the background.
    """

    prefix: str
    suffix: str = ""
    files: tuple[OtherFile, ...] = ()
    filename: str | None = None
    language: str | None = None
    sampling: SamplingParams = GREEDY
    room: Room | None = None  # of the prompt, in tokens; None: what pays
    deadline_s: float | None = None
    decode_s: float | None = None
    indentation: int = 0  # of further lines, at least
    alternatives: int = 1
    floor: float | None = None
    window: int | None = None
    owner: str = ""
    """Whose it is: of what others asked nothing is reused, neither what was read nor what was suggested."""

    def __post_init__(self) -> None:
        if not 1 <= self.alternatives <= MAX_ALTERNATIVES:
            raise RequestError(
                f"{self.alternatives} alternatives are asked for; there may be 1 to {MAX_ALTERNATIVES}", "n"
            )
