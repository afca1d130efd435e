"""Fine-tuning by PEFT's and transformers' own names, on a base model of ours; the engine serves what is saved.

from core_model import LLMForCausalLM, LoraConfig, Trainer, TrainingArguments, get_peft_model
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import transformers
from peft import LoraConfig, PeftModelForCausalLM
from torch import Tensor
from transformers import TrainingArguments

from core_model.causal_lm import LLMForCausalLM
from core_model.tokenizer import Tokenizer
from core_model.training import trainable
from core_model.training.errors import TrainingDataError
from core_model.training.losses import token_losses
from core_model.training.replies import Conversation, encode_reply

__all__ = ["AdaptedModel", "LoraConfig", "Trainer", "TrainingArguments", "get_peft_model"]

UNWANTED = -100
"""The label of a token that is not learnt: transformers' own."""


class AdaptedModel(PeftModelForCausalLM):
    """A base model of ours with low-rank pairs, which alone are trained."""

    tokenizer: Tokenizer

    def save_pretrained(self, save_directory: str, **options: Any) -> None:
        """Write the pairs as PEFT does. PEFT would ask a hub whether the vocabulary was resized; ours never is."""
        super().save_pretrained(save_directory, **{"save_embedding_layers": False, **options})


def get_peft_model(model: LLMForCausalLM, peft_config: LoraConfig) -> AdaptedModel:
    """The base that `model` serves with low-rank pairs in float32, as a model of transformers.

    The base is rounded to the bits in which it is served, so that the pairs make up for the rounding. The engine
    of `model` stays as it is. Raises RecipeError where the pairs are more than 3.7 % of the base.
    """
    base = trainable.base_model(model.checkpoint(), model.weights, None)
    base.name_or_path = model.name  # what adapter_config.json calls the base
    adapted = AdaptedModel(base, peft_config)
    trainable.refuse_too_many_pairs(adapted)
    adapted.tokenizer = model.engine.tokenizer
    return adapted


class Trainer(transformers.Trainer):
    """transformers' own, on conversations: the loss is on each one's last message, the assistant's."""

    def __init__(
        self,
        model: AdaptedModel,
        args: TrainingArguments | None = None,
        train_dataset: Sequence[Conversation] = (),
        **options: Any,
    ) -> None:
        """`options` are transformers.Trainer's. Raises TrainingDataError without conversations."""
        if not train_dataset:
            raise TrainingDataError("there is no conversation to train on: give train_dataset")
        rows = [_labelled(model.tokenizer, conversation) for conversation in train_dataset]
        options.setdefault("data_collator", _padded)
        super().__init__(model=model, args=args, train_dataset=rows, **options)

    def compute_loss(
        self,
        model: Any,
        inputs: Mapping[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """nats per learnt token; only learnt tokens go through the head.

        `num_items_in_batch` counts those of all batches whose gradients are added up.
        """
        labels = inputs["labels"]
        loss = token_losses(model, inputs["input_ids"], labels != UNWANTED).sum()
        loss = loss / (int((labels != UNWANTED).sum()) if num_items_in_batch is None else num_items_in_batch)
        return (loss, {"loss": loss}) if return_outputs else loss


def _labelled(tokenizer: Tokenizer, conversation: Conversation) -> dict[str, list[int]]:
    row = encode_reply(tokenizer, conversation)
    return {
        "input_ids": row.tokens,
        "labels": [UNWANTED] * row.target + row.tokens[row.target :],
    }


def _padded(rows: Sequence[Mapping[str, list[int]]]) -> dict[str, Tensor]:
    """Padding on the right needs no mask: causal attention never looks there."""
    longest = max(len(row["input_ids"]) for row in rows)

    def filled(name: str, filling: int) -> Tensor:
        return torch.tensor([row[name] + [filling] * (longest - len(row[name])) for row in rows])

    return {"input_ids": filled("input_ids", 0), "labels": filled("labels", UNWANTED)}
