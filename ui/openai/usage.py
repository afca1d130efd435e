"""What the answers of both endpoints have in common: token counts, reasons to finish."""

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


def finish_reason(end: Completion) -> str:
    """The protocol knows no cancelled answer: who reads one did not cancel it."""
    return "length" if end.finish_reason == "length" else "stop"


def finite(logprob: float) -> float:
    """JSON has no infinity; OpenAI writes -9999 for what is impossible."""
    return max(logprob, -9999.0)
