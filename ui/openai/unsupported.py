"""Fields of other servers' protocols that would change an answer and that nothing here honours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ui.openai.errors import APIError

# Each with the value that says the same as leaving it out; so do nothing, 0, false and what is empty.
OPENAI: Mapping[str, Any] = {
    "functions": None,
    "function_call": None,
    "modalities": ["text"],
    "audio": None,
    "web_search_options": None,
    "echo": None,
    "best_of": 1,
    # of the newer /v1/responses
    "instructions": None,
    "input": None,
    "max_output_tokens": None,
    "previous_response_id": None,
    "reasoning": None,
}
ANTHROPIC: Mapping[str, Any] = {"system": None, "stop_sequences": None, "thinking": {"type": "disabled"}}
VLLM: Mapping[str, Any] = {
    "guided_json": None,
    "guided_regex": None,
    "guided_choice": None,
    "guided_grammar": None,
    "structured_outputs": None,
    "min_tokens": None,
    "ignore_eos": None,
    "stop_token_ids": None,
    "include_stop_str_in_output": None,
    "bad_words": None,
    "allowed_token_ids": None,
    "logits_processors": None,
    "use_beam_search": None,
    "length_penalty": 1.0,
    "prompt_logprobs": None,
    "truncate_prompt_tokens": None,
    "skip_special_tokens": True,
    "add_generation_prompt": True,
    "continue_final_message": None,
    "chat_template": None,
    "chat_template_kwargs": {"enable_thinking": False},
    "enable_thinking": None,
    "thinking_token_budget": None,
    "repetition_detection": None,
    "vllm_xargs": None,
    "detokenize": True,
    "add_bos_token": True,
    "documents": None,
    "return_token_ids": None,
    "return_tokens_as_token_ids": None,
}
SGLANG: Mapping[str, Any] = {
    "regex": None,
    "ebnf": None,
    "structural_tag": None,
    "min_new_tokens": None,
    "no_stop_trim": None,
    "stop_regex": None,
    "custom_logit_processor": None,
    "lora_path": None,
    "return_hidden_states": None,
    "custom_params": None,
}
TGI: Mapping[str, Any] = {  # Text Generation Inference and LoRAX
    "adapter_id": None,
    "adapter": None,
    "typical": 1.0,
    "watermark": None,
    "top_n_tokens": None,
    "details": None,
    "decoder_input_details": None,
    "return_full_text": None,
    "truncate": None,
}
TRANSFORMERS: Mapping[str, Any] = {
    "max_new_tokens": None,
    "max_length": None,
    "min_length": None,
    "do_sample": True,
    "num_beams": 1,
    "beam_width": 1,
    "early_stopping": None,
    "no_repeat_ngram_size": None,
    "epsilon_cutoff": None,
    "eta_cutoff": None,
    "penalty_alpha": None,
    "guidance_scale": 1.0,
    "negative_prompt": None,
    "encoder_repetition_penalty": 1.0,
    "bad_words_ids": None,
    "force_words_ids": None,
}
COMMUNITY: Mapping[str, Any] = {  # text-generation-webui, KoboldCpp, Aphrodite
    "continue_": None,
    "top_a": None,
    "tfs": 1.0,
    "tfs_z": 1.0,
    "nsigma": None,
    "smoothing_factor": None,
    "dynamic_temperature": None,
    "mirostat_mode": None,
    "rep_pen": 1.0,
    "ban_eos_token": None,
    "banned_tokens": None,
    "banned_strings": None,
    "custom_token_bans": None,
    "grammar_string": None,
    "sampler_order": None,
    "sampler_seed": -1,
}
MISTRAL: Mapping[str, Any] = {"random_seed": None, "safe_prompt": None}
# Other servers' boxes of settings: here settings stand at the top of the body.
BOXES: Mapping[str, Any] = {
    "extra_body": None,
    "options": None,
    "parameters": None,
    "sampling_params": None,
    "format": None,
    "num_predict": -1,
}
LLAMA_CPP: Mapping[str, Any] = {
    "grammar": None,
    "json_schema": None,
    "repeat_penalty": 1.0,
    "typical_p": 1.0,
    "mirostat": None,
    "dry_multiplier": None,
    "xtc_probability": None,
    "dynatemp_range": None,
    "top_n_sigma": -1.0,
    "n_probs": None,
    "post_sampling_probs": None,
    "return_tokens": None,
    "lora": None,
    "image_data": None,
}
OF_COMPLETIONS: Mapping[str, Any] = {"prompt": None, "suffix": None}
"""What a chat cannot honour."""
OF_CHATS: Mapping[str, Any] = {"messages": None, "tools": None, "response_format": {"type": "text"}}
"""What a completion cannot honour."""
UNSUPPORTED: Mapping[str, Any] = {
    "n_cmpl": 1,  # here `n`, at /infill its own name
    **OPENAI,
    **ANTHROPIC,
    **VLLM,
    **SGLANG,
    **TGI,
    **TRANSFORMERS,
    **COMMUNITY,
    **MISTRAL,
    **BOXES,
    **LLAMA_CPP,
}
OF_INFILL: Mapping[str, Any] = {
    **{name: neutral for name, neutral in UNSUPPORTED.items() if name != "n_cmpl"},
    **OF_CHATS,
    "n": 1,
    "suffix": None,
    "system_prompt": None,
    "frequency_penalty": None,
    "presence_penalty": None,
    "logit_bias": None,
}
"""What /infill, whose own names are others, cannot honour."""


def refuse_unsupported(
    body: Mapping[str, Any], fields: Mapping[str, Any] = UNSUPPORTED, beside: str = ""
) -> None:
    """Raise APIError, which names the field, where a body asks for one of `fields`; `beside` says beside what."""
    for name, neutral in fields.items():
        asked = body.get(name)
        if (asked and asked != neutral) or (asked is False and neutral is True):
            raise APIError(
                400,
                f"{name} is not supported{beside and f' {beside}'}; leave it out",
                param=name,
                code="unsupported_parameter",
            )
