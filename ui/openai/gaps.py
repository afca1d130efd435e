"""Plain completions that are about a gap: with a suffix, or in the model's own fill-in-the-middle tokens."""

from __future__ import annotations

from dataclasses import replace

from apps.code.completion import AUTOMATIC_FLOOR, GREEDY, Gap, OtherFile
from core_model.errors import RequestError
from core_model.tokenizer import Tokenizer
from ui.openai.schemas import CompletionRequest


def gap_of(request: CompletionRequest, prompt: str | list[int], tokenizer: Tokenizer) -> Gap | None:
    """The gap that a prompt describes, None for a text that is to be continued. Raises RequestError."""
    if not isinstance(prompt, str):
        if request.suffix:
            raise RequestError("a prompt of tokens cannot have a suffix; send text", "suffix")
        return None
    if (found := tokenizer.split_fim(prompt)) is not None:
        prefix, suffix, files = (
            found  # the gap is told already: some clients send `suffix` with every request
        )
    elif request.suffix or (request.suffix == "" and tokenizer.fim_marks is not None):
        prefix, suffix, files = prompt, request.suffix, list[tuple[str, str]]()
    else:
        return None
    # After the other files may stand the name of the file with the gap.
    filename = files.pop()[0] if files and not files[-1][1] else None
    sampling = replace(
        request.sampling_of(0),
        max_tokens=GREEDY.max_tokens if request.token_limit is None else request.token_limit,
        temperature=GREEDY.temperature if request.temperature is None else request.temperature,
    )
    return Gap(
        prefix,
        suffix,
        tuple(OtherFile(name, text) for name, text in files),
        filename=filename,
        language=request.language,
        sampling=sampling,
        alternatives=request.n,
        floor=AUTOMATIC_FLOOR,
        window=request.window,
    )
