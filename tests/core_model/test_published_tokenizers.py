"""Chat templates and tokenizers as people publish them, beside transformers on the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken

from core_model.checkpoint import load_checkpoint
from core_model.errors import CheckpointError, RequestError
from core_model.tokenizer import Message, Tokenizer
from core_model.tokenizer_spec import TokenizerSpec
from tests.core_model.published import bytes_tokenizer, change_json, random_model, write_folder, write_gguf

SPECIAL = ["<s>", "</s>", "<|user|>", "<|assistant|>"]
NAMED = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<|end|>"}
TALK: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hello & <b>good</b> day"},
    {"role": "assistant", "content": "<think>hm</think>Yes."},
    {"role": "user", "content": "Why? 中文"},
]
TEMPLATES = {
    "an end token after each message": (
        "{% for message in messages %}{{ '<|user|>\n' + message['content'] + eos_token }}\n{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    ),
    "a first token before the first message": (
        "{% for message in messages %}{% set content = message['content'] %}"
        "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    ),
    "a first token and today's date": (
        "{{- bos_token }}{{ strftime_now('%Y') }}"
        "{%- if not tools is defined or tools is none %}{{ 'no tools' }}{%- endif %}{{ messages | length }}"
    ),
    "marks of what was generated": (
        "{% for message in messages %}{% if loop.index0 == 2 %}{% generation %}{{ message['content'] }}"
        "{{ eos_token }}{% endgeneration %}{% break %}{% else %}{{ message['content'] }}{% endif %}{% endfor %}"
    ),
    "JSON without HTML's entities": "{{ messages[1] | tojson }}{{ messages | tojson(indent=2) }}",
    "answers without their thoughts": (
        "{% for message in messages %}{{ message['content'].split('</think>')[-1] }}{{ eos_token }}{% endfor %}"
    ),
}


def tokenizer_json() -> dict[str, Any]:
    tokenizer = bytes_tokenizer()
    tokenizer.add_special_tokens([AddedToken(text) for text in SPECIAL])
    tokenizer.add_tokens([AddedToken("</think>")])
    content: dict[str, Any] = json.loads(tokenizer.to_str())
    return content


def tokenizer_of(template: str = "", **settings: Any) -> Tokenizer:
    return Tokenizer(TokenizerSpec.from_tokenizer_json(tokenizer_json(), NAMED | settings, template))


@pytest.mark.parametrize("kind", TEMPLATES)
def test_conversations_become_the_tokens_of_transformers(kind: str, tmp_path: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer_json()))
    reference = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"), **NAMED)
    # Elsewhere a message's "</think>" is text to us, and a token to transformers.
    talk = (
        TALK
        if kind == "answers without their thoughts"
        else [*TALK[:2], {**TALK[2], "content": "Yes."}, TALK[3]]
    )
    rendered = reference.apply_chat_template(
        talk, chat_template=TEMPLATES[kind], add_generation_prompt=True, tokenize=False
    )
    expected = reference(rendered, add_special_tokens=False)["input_ids"]
    assert tokenizer_of(TEMPLATES[kind]).encode_chat(talk) == expected


def test_a_template_that_stumbles_over_the_messages_refuses_them() -> None:
    for template in (
        "{{ raise_exception('no') }}",
        "{{ unknown_token + 'a' }}",
        "{{ messages[0].content + 1 }}",
    ):
        with pytest.raises(RequestError, match="refuses these messages"):
            tokenizer_of(template).encode_chat(TALK)


def test_marks_that_a_template_takes_out_of_answers_are_text_in_a_users_message() -> None:
    tokenizer = tokenizer_of(TEMPLATES["answers without their thoughts"])
    ids = tokenizer.encode_chat([{"role": "user", "content": "a</think>b</s>"}])
    assert tokenizer.decode(ids) == "a</think>b</s>"
    assert [token for token in ids if token in tokenizer.special.values()] == [tokenizer.special["</s>"]]


@pytest.mark.parametrize("text", ["hello", "<s>hello"])
def test_a_plain_text_begins_with_one_first_token_where_the_model_wants_it(text: str) -> None:
    first = tokenizer_of().special["<s>"]
    hello = tokenizer_of().encode("hello")
    assert tokenizer_of(add_bos_token=True).encode_with_special(text) == [first, *hello]
    assert tokenizer_of(add_bos_token=False).encode_with_special("hello") == hello


def test_a_post_processor_says_what_a_text_begins_with() -> None:
    content = tokenizer_json()
    first = next(token["id"] for token in content["added_tokens"] if token["content"] == "<s>")
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [first], "tokens": ["<s>"]}},
    }
    tokenizer = Tokenizer(TokenizerSpec.from_tokenizer_json(content, NAMED, "{{ bos_token }}hi"))
    assert tokenizer.encode_with_special("hello")[0] == first
    assert tokenizer.encode_chat(TALK).count(first) == 1


def test_of_several_templates_the_one_named_default_is_used(tmp_path: Path) -> None:
    folder = write_folder(random_model("llama"), tmp_path / "named")
    templates = [
        {"name": "tool_use", "template": "tools"},
        {"name": "default", "template": "{{ messages | length }}"},
    ]
    change_json(folder / "tokenizer_config.json", chat_template=templates)
    tokenizer = Tokenizer(load_checkpoint(folder).tokenizer)
    assert tokenizer.decode(tokenizer.encode_chat(TALK)) == "4"


def test_a_tokenizer_without_its_parts_is_refused_by_name(tmp_path: Path) -> None:
    folder = write_folder(random_model("llama"), tmp_path / "model")
    change_json(folder / "tokenizer_config.json", eos_token="<|gone|>")
    with pytest.raises(CheckpointError, match=r"<\|gone\|>"):
        load_checkpoint(folder)
    (folder / "tokenizer.json").write_text('{"model": {"type": "BPE"}}')
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "model",
    [
        {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0]]},
        {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"},
        {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"},
    ],
)
def test_a_tokenizer_that_is_no_bpe_is_refused_by_name(model: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match=f"{model['type']}; only BPE is served"):
        TokenizerSpec.from_tokenizer_json(tokenizer_json() | {"model": model}, NAMED, "")


TEXTS = ["Hello, I'LL pay 12345 €\n\n  now — don't", "x=1;\t\r\n y", "naïve Ünïcode 你好 SmolLM2/Qwen"]


@pytest.mark.parametrize(
    ("name", "same"),
    [("deepseek-r1-qwen", "qwen2"), ("llama-v3", "llama-bpe"), ("smaug-bpe", "llama-bpe")],
)
def test_pre_tokenizers_of_one_kind_split_alike(name: str, same: str, tmp_path: Path) -> None:
    model = random_model("qwen2")

    def tokens(pre_tokenizer: str) -> list[list[int]]:
        fields = {"tokenizer.ggml.pre": pre_tokenizer}
        path = write_gguf(model, tmp_path / f"{pre_tokenizer}.gguf", fields=fields)
        tokenizer = Tokenizer(load_checkpoint(path).tokenizer)
        return [tokenizer.encode(text) for text in TEXTS]

    assert tokens(name) == tokens(same)


PIECES = [
    "\u2581",
    *"helowrdnt'",
    "\u2581h",
    "he",
    "ll",
    "lo",
    "\u2581he",
    "llo",
    "\u2581hello",
    "or",
    "ld",
    "wor",
]


def sentencepiece_fields() -> dict[str, Any]:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *PIECES]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [*[0.0] * 259, *(-float(rank) for rank in range(len(PIECES)))],
        "tokenizer.ggml.token_type": [2, 3, 3, *[6] * 256, *[1] * len(PIECES)],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
    }


def test_sentencepiece_vocabularies_are_read_from_gguf(tmp_path: Path) -> None:
    path = write_gguf(random_model("llama"), tmp_path / "llama2.gguf", fields=sentencepiece_fields())
    tokenizer = Tokenizer(load_checkpoint(path).tokenizer)
    names = sentencepiece_fields()["tokenizer.ggml.tokens"]
    pieces = [names[token] for token in tokenizer.encode_with_special("hello world é</s>")]
    assert pieces == ["<s>", "\u2581hello", "\u2581", "wor", "ld", "\u2581", "<0xC3>", "<0xA9>", "</s>"]
    assert tokenizer.decode(tokenizer.encode("hello world é")) == " hello world é"
    assert tokenizer.end_ids == {0, 1, 2}
