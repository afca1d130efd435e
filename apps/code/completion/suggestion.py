"""A suggestion on its way to whoever asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol

from core_model.generation import Generation
from core_model.requests import Completion, Piece


class Suggestion(Protocol):
    """What the iteration gives is certain, so it comes when the suggestion is finished, in one piece."""

    def __aiter__(self) -> AsyncIterator[Piece]:
        """All of the text; nothing where nothing is worth saying."""

    def drafted(self) -> Iterator[str]:
        """The text as it is written; what is suggested in the end may be less."""

    def result(self) -> Completion:
        """Wait for the end. Raises what went wrong in the engine."""

    def cancel(self) -> None:
        """Stop the work before the next step."""


class Known:
    """A suggestion that is there already."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion

    async def __aiter__(self) -> AsyncIterator[Piece]:
        yield Piece(self._completion.text, self._completion.tokens, [])

    def drafted(self) -> Iterator[str]:
        yield self._completion.text

    def result(self) -> Completion:
        return self._completion

    def cancel(self) -> None:
        """There is nothing to stop."""


class Written:
    """A suggestion that the engine writes; `begun` of its text stands in the file already."""

    def __init__(
        self, generation: Generation, begun: str, finish: Callable[[Completion], Completion]
    ) -> None:
        self._generation = generation
        self._begun = begun
        self._finish = finish
        self._completion: Completion | None = None

    async def __aiter__(self) -> AsyncIterator[Piece]:
        await self._generation.aresult()
        end = await asyncio.to_thread(self.result)
        if end.text:
            yield Piece(end.text, end.tokens, end.logprobs)

    def drafted(self) -> Iterator[str]:
        said, told = "", len(self._begun)
        for piece in self._generation:
            said += piece.text
            if len(said) > told:
                yield said[told:]
                told = len(said)

    def result(self) -> Completion:
        if self._completion is None:
            self._completion = self._finish(self._generation.result())
        return self._completion

    def cancel(self) -> None:
        self._generation.cancel()
