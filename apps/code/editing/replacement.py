"""What takes a selection's place, on its way to whoever asked for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from apps.code.editing.edit import Edit
from apps.code.grammar.placed import indented
from apps.code.prompts import END_OF_BLOCK
from core_model.generation import Generation
from core_model.requests import Completion, Piece

_MARKS = END_OF_BLOCK.strip()


class _Placing:
    """Puts text, as it comes from the margin, in its place."""

    def __init__(self, edit: Edit) -> None:
        self._edit = edit
        self._fresh = True
        self._held = ""  # white space that may be the end
        self._said = False

    def push(self, text: str) -> str:
        """What can be told of the text by now."""
        text = self._held + text
        if not self._said and _MARKS.startswith(text.lstrip()[: len(_MARKS)]):
            self._held = text  # maybe the end of a block with nothing in it
            return ""
        told = text.rstrip()
        self._held = text[len(told) :]
        self._said = self._said or bool(told)
        placed, self._fresh = indented(told, self._edit.indentation, self._fresh)
        return placed.replace("\n", self._edit.line_end)

    def finish(self) -> str:
        """The end of the last line, where the selection has it."""
        ends = self._said and self._edit.selection.endswith("\n")
        return self._edit.line_end if ends else ""


class Replacement:
    """The replacement of one selection, in its place: each line indented as the selection was."""

    def __init__(self, generation: Generation, edit: Edit) -> None:
        self.edit = edit
        self._generation = generation

    async def __aiter__(self) -> AsyncIterator[Piece]:
        placing = _Placing(self.edit)
        async for piece in self._generation:
            yield replace(piece, text=placing.push(piece.text))
        if end := placing.finish():
            yield Piece(end, [], [])

    def __iter__(self) -> Iterator[str]:
        placing = _Placing(self.edit)
        for piece in self._generation:
            if text := placing.push(piece.text):
                yield text
        if end := placing.finish():
            yield end

    def result(self) -> Completion:
        """Wait for the end. Raises what went wrong in the engine."""
        end = self._generation.result()
        placing = _Placing(self.edit)
        return replace(end, text=placing.push(end.text) + placing.finish())

    def cancel(self) -> None:
        """Stop the work before the next step."""
        self._generation.cancel()
