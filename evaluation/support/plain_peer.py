"""The same conversation through a plain transformers pipeline: the full history is read again at every turn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core_model.checkpoint import load_checkpoint
from core_model.tokenizer import Message, Tokenizer
from evaluation.errors import DataError
from evaluation.support.conversation import Answered

RULES = (
    "You are the support assistant of an online shop. Tell the customer the facts in short, friendly sentences. "
    "Repeat numbers, dates and names exactly. Add nothing that is not in the facts."
)


@dataclass(frozen=True)
class PlainTurn:
    first_token_s: float
    seconds: float
    cpu_s: float
    prompt_tokens: int
    generated_tokens: int


class PlainPipeline:
    """A base model in transformers' own classes, bfloat16, greedy, its cache used within a reply only."""

    def __init__(self, model: Path, home: Path, threads: int) -> None:
        """Raises DataError where transformers is not installed."""
        try:
            import torch

            from core_model.training.trainable import base_model

            torch.set_num_threads(threads)
            checkpoint = load_checkpoint(model, home / "packed")
            self._model = base_model(checkpoint, "bf16", None)
        except ImportError as error:
            raise DataError("transformers is not installed: pip install 'duet-assistant[train]'") from error
        self._model.set_attn_implementation("sdpa")
        self._model.config.use_cache = True
        self._model.eval()
        self._tokenizer = Tokenizer(checkpoint.tokenizer)

    def converse(self, turns: Sequence[Answered]) -> list[PlainTurn]:
        """Answer the same messages with replies as long as those given; the history holds the given replies."""
        history: list[Message] = [{"role": "system", "content": RULES}]
        measured = []
        for turn in turns:
            history.append({"role": "user", "content": turn.prompt})
            measured.append(self._answer(history, len(self._tokenizer.encode(turn.reply))))
            history.append({"role": "assistant", "content": turn.reply})
        return measured

    def _answer(self, history: list[Message], tokens: int) -> PlainTurn:
        import torch

        cpu, started = time.process_time(), time.perf_counter()
        prompt = torch.tensor([self._tokenizer.encode_chat(history)])  # [1, tokens]
        with torch.inference_mode():
            computed = self._model(prompt, use_cache=True, logits_to_keep=1)
            token = computed.logits[:, -1].argmax(-1, keepdim=True)
            first = time.perf_counter() - started
            cache = computed.past_key_values
            for _ in range(tokens - 1):
                computed = self._model(token, past_key_values=cache, use_cache=True)
                token = computed.logits[:, -1].argmax(-1, keepdim=True)
        return PlainTurn(
            first, time.perf_counter() - started, time.process_time() - cpu, prompt.shape[1], max(tokens, 1)
        )
