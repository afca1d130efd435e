"""What the answers of both endpoints have in common: token counts, reasons to finish, verdicts on code."""

from __future__ import annotations

from typing import Any

from core_model.requests import Completion


def usage(ends: list[Completion], n: int) -> dict[str, Any]:
    """Token counts. The `n` answers to one prompt count it once, as at OpenAI."""
    prompts = ends[::n]
    prompt_tokens = sum(end.prompt_tokens for end in prompts)
    completion_tokens = sum(len(end.tokens) for end in ends)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": sum(end.cached_tokens for end in prompts)},
    }


def finish_reason(end: Completion, called: bool = False) -> str:
    """The protocol knows no limit of time, and no cancelled answer: who reads one did not cancel it."""
    if end.finish_reason in ("length", "deadline"):
        return "length"
    return "tool_calls" if called else "stop"


def verdict(language: str | None, end: Completion, streamed: int | None = None) -> dict[str, bool]:
    """With a language: whether a program begins with the prompt, and whether the whole text is one.

    `streamed` characters were sent: of an answer that was cut back in the end they were too many.
    """
    if language is None:
        return {}
    as_sent = streamed is None or streamed == len(end.text)
    return {"prefix_parses": end.complete is not None, "parses": bool(end.complete) and as_sent}


def finite(logprob: float) -> float:
    """JSON has no infinity; OpenAI writes -9999 for what is impossible."""
    return max(logprob, -9999.0)
