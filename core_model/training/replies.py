"""Adapters that write: conversations in the model's chat template with the loss on the last reply only, bare
prompts with the loss on their completion only, and plain texts with the loss on every token."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from core_model.tokenizer import Message, Tokenizer
from core_model.training.batches import Batch, Row, make_batches
from core_model.training.errors import TrainingDataError
from core_model.training.examples import Examples, read_examples
from core_model.training.lora_training import Validation
from core_model.training.losses import ROWS_AT_ONCE, predictions, token_losses
from core_model.training.recipe import Recipe

Conversation = list[Message]


def read_reply_data(
    recipe: Recipe, folder: Path, data_dir: Path | None, tokenizer: Tokenizer
) -> Examples[Row]:
    """Token rows whose target is where the reply begins. Raises RecipeError and TrainingDataError."""
    return read_examples(
        recipe,
        folder,
        data_dir,
        read=lambda path: read_rows(path, recipe.kind, tokenizer, recipe.training.max_tokens),
        key=lambda row: tuple(row.tokens),
        length=lambda row: len(row.tokens),
    )


def read_rows(path: Path, kind: str, tokenizer: Tokenizer, max_tokens: int) -> list[Row]:
    """The rows of a file, as the recipe's kind has them. Raises TrainingDataError naming the line."""
    if kind == "pretrain":
        return encode_text(tokenizer, read_text(path), max_tokens)
    if kind == "completion":
        return [encode_completion(tokenizer, *pair) for pair in read_completions(path)]
    return [encode_reply(tokenizer, conversation) for conversation in read_conversations(path)]


def read_completions(path: Path) -> list[tuple[str, str]]:
    """(prompt, completion) of a JSONL file. Raises TrainingDataError naming the line."""
    pairs = []
    for number, line in numbered_lines(path):
        try:
            row = json.loads(line)
            prompt, completion = row["prompt"], row["completion"]
            valid = isinstance(prompt, str) and isinstance(completion, str) and prompt and completion
        except (ValueError, TypeError, KeyError) as error:
            raise TrainingDataError(
                f'{path}, line {number}: not {{"prompt": "...", "completion": "..."}}'
            ) from error
        if not valid:
            raise TrainingDataError(f"{path}, line {number}: prompt and completion must be texts, not empty")
        pairs.append((prompt, completion))
    return pairs


def encode_completion(tokenizer: Tokenizer, prompt: str, completion: str) -> Row:
    """Prompt, completion and an end token, without any template; the target is the completion's beginning."""
    begun = tokenizer.encode(prompt)
    return Row([*begun, *tokenizer.encode(completion), min(tokenizer.end_ids)], len(begun))


def encode_text(tokenizer: Tokenizer, text: str, max_tokens: int) -> list[Row]:
    """A text cut into rows of equal length, an end token behind it; every token but a row's first is learnt."""
    tokens = [*tokenizer.encode(text), min(tokenizer.end_ids)]
    rows = [tokens[start : start + max_tokens] for start in range(0, len(tokens), max_tokens)]
    return [Row(row, 1) for row in rows if len(row) > 1]


def read_text(path: Path) -> str:
    """A file of plain text or code. Raises TrainingDataError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingDataError(f"{path} cannot be read as UTF-8: {error}") from error


def numbered_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a file that are not empty, with their numbers. Raises TrainingDataError."""
    lines = enumerate(read_text(path).split("\n"), start=1)
    return [(number, line) for number, line in lines if line.strip()]


def read_conversations(path: Path) -> list[Conversation]:
    """The conversations of a JSONL file. Raises TrainingDataError naming the line."""
    conversations = []
    for number, line in numbered_lines(path):
        try:
            messages = json.loads(line)["messages"]
            last = messages[-1]
            valid = len(messages) > 1 and last["role"] == "assistant" and last["content"].strip()
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise TrainingDataError(f'{path}, line {number}: not {{"messages": [...]}}') from error
        if not valid:
            raise TrainingDataError(f"{path}, line {number}: the last message must be the assistant's reply")
        conversations.append(messages)
    return conversations


def encode_reply(tokenizer: Tokenizer, conversation: Conversation) -> Row:
    """The conversation up to the end token of its reply; the target is the reply's first position."""
    prompt = tokenizer.encode_chat(conversation[:-1])
    whole = tokenizer.encode_chat(conversation, add_generation_prompt=False)
    if whole[: len(prompt)] != prompt:
        raise TrainingDataError(
            "the model's chat template writes a finished reply differently from one that is asked for; "
            "replies cannot be trained on this base"
        )
    end = next(
        (at for at in range(len(prompt), len(whole)) if whole[at] in tokenizer.end_ids), len(whole) - 1
    )
    return Row(whole[: end + 1], len(prompt))


class ReplyObjective:
    """Cross-entropy of the replies' tokens, every token weighing the same."""

    def __init__(self, training: Sequence[Row], held_out: Sequence[Row], tokens_per_batch: int) -> None:
        self._training, self._tokens_per_batch = training, tokens_per_batch
        self._held_out = make_batches(held_out, tokens_per_batch)

    def prepare(self, model: Any) -> None:
        """The base can talk already, and the pairs begin as nothing."""

    def batches(self, rng: random.Random) -> list[Batch]:
        return make_batches(self._training, self._tokens_per_batch, rng)

    def loss(self, model: Any, batch: Batch) -> Tensor:
        return token_losses(model, batch.tokens, reply_tokens(batch)).mean()

    def validate(self, model: Any) -> Validation:
        figures = reply_scores(model, self._held_out)
        return Validation(
            figures["loss"],
            (-figures["loss"],),
            {f"held_out_{name}": value for name, value in figures.items()},
        )


def reply_tokens(batch: Batch) -> Tensor:
    """Which tokens of the batch are of a reply: [rows, longest] bool."""
    positions = torch.arange(batch.tokens.shape[1])
    return (positions >= batch.targets[:, None]) & (positions < batch.lengths[:, None])


def reply_scores(model: Any, batches: Sequence[Batch]) -> dict[str, float]:
    """loss (nats per reply token), perplexity, and the share of reply tokens that are the likeliest."""
    total, right, count = 0.0, 0, 0
    for batch in batches:
        hidden, targets = predictions(model, batch.tokens, reply_tokens(batch))
        head = model.get_output_embeddings()
        for part, wanted in zip(hidden.split(ROWS_AT_ONCE), targets.split(ROWS_AT_ONCE), strict=True):
            logits = head(part).float()
            total += F.cross_entropy(logits, wanted, reduction="sum").item()
            right += int((logits.argmax(-1) == wanted).sum())
        count += len(targets)
    loss = total / count
    return {"loss": loss, "perplexity": math.exp(loss), "token_accuracy": right / count}
