"""The model: tokens in, tokens out.

from core_model import LLMForCausalLM
model = LLMForCausalLM.from_pretrained("qwen2.5-coder-0.5b-instruct")
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Constraint": "constraint",
    "DuetChatModel": "chat_model",
    "Engine": "engine",
    "GenerationRequest": "requests",
    "LLMForCausalLM": "causal_lm",
    "LoraConfig": "training.finetuning",
    "SamplingParams": "requests",
    "Trainer": "training.finetuning",
    "TrainingArguments": "training.finetuning",
    "get_peft_model": "training.finetuning",
    "load_engine": "causal_lm",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    # torch takes seconds to import; a command that only lists models need not wait for it.
    if name not in _HOME:
        raise AttributeError(f"module 'core_model' has no attribute '{name}'")
    return getattr(importlib.import_module(f"core_model.{_HOME[name]}"), name)
