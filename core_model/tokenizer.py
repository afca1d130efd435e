"""Text ↔ tokens: byte-level BPE, the model's chat template, fill-in-the-middle, incremental UTF-8."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Regex, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as BPETokenizer

from core_model.errors import CheckpointError, RequestError

Message = dict[str, Any]  # {"role": …, "content": …}, as OpenAI and the chat templates have it

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_SPLITS = {"qwen2": _WORDS + r"\p{N}" + _REST, "llama-bpe": _WORDS + r"\p{N}{1,3}" + _REST}

# Stands inside special tokens that a message merely mentions, so that they are read as text; a Unicode
# noncharacter, which no text may contain.
_GUARD = "\ufdd0"

_CONTROL, _USER_DEFINED, _UNUSED = 3, 4, 5  # token types of the GGUF specification
_FIM_NAMES = {
    "prefix": ("<|fim_prefix|>", "<fim_prefix>"),
    "suffix": ("<|fim_suffix|>", "<fim_suffix>"),
    "middle": ("<|fim_middle|>", "<fim_middle>"),
}
_FILE_NAMES = ("<|file_sep|>", "<file_sep>")


@dataclass(frozen=True)
class TokenizerSpec:
    """What a checkpoint says about its tokenizer, ready to be stored as JSON."""

    bpe: str  # tokenizer.json without added tokens: no text can become a special token by accident
    vocab: int
    special: dict[str, int]  # tokens that stand outside of text
    end_ids: list[int]  # any of these ends a generation
    chat_template: str
    byteless: list[int] = field(default_factory=list)  # ids that stand for no text at all

    @classmethod
    def from_bpe(
        cls,
        tokens: list[str],
        token_types: list[int],
        merges: list[str],
        pre_tokenizer: str,
        eos_id: int,
        chat_template: str,
    ) -> TokenizerSpec:
        """From the vocabulary in a GGUF header. Raises CheckpointError for an unknown `pre_tokenizer`.

        No Unicode normalisation, as in llama.cpp and transformers' own reading of GGUF: what is encoded
        decodes to itself.
        """
        bpe = BPETokenizer(
            models.BPE(
                vocab={token: index for index, token in enumerate(tokens)},
                merges=[(left, right) for left, _, right in (merge.partition(" ") for merge in merges)],
                fuse_unk=False,
                byte_fallback=False,
            )
        )
        if pre_tokenizer in _SPLITS:
            split = pre_tokenizers.Split(Regex(_SPLITS[pre_tokenizer]), behavior="isolated")
            byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
            bpe.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
        elif pre_tokenizer == "smollm":
            digits = pre_tokenizers.Digits(individual_digits=True)
            bpe.pre_tokenizer = pre_tokenizers.Sequence(
                [digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]
            )
        elif pre_tokenizer in ("default", "gpt-2"):
            bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        else:
            known = ", ".join([*_SPLITS, "smollm", "gpt-2"])
            raise CheckpointError(
                f"unknown pre-tokenizer '{pre_tokenizer}' in the GGUF header; known: {known}"
            )
        bpe.decoder = decoders.ByteLevel()
        kinds = list(enumerate(token_types))
        control = [index for index, kind in kinds if kind == _CONTROL]
        named = control + [index for index, kind in kinds if kind == _USER_DEFINED]
        return cls(
            bpe=bpe.to_str(),
            vocab=len(tokens),
            special={tokens[index]: index for index in named},
            end_ids=sorted({eos_id, *control}),
            chat_template=chat_template,
            byteless=sorted({*control, *(index for index, kind in kinds if kind == _UNUSED)}),
        )

    @classmethod
    def from_tokenizer_json(
        cls, tokenizer: dict[str, Any], config: dict[str, Any], chat_template: str
    ) -> TokenizerSpec:
        """From a Hugging Face folder's tokenizer.json and tokenizer_config.json."""
        added = tokenizer.pop("added_tokens", None) or []
        tokenizer["added_tokens"], tokenizer["post_processor"] = [], None
        special = {token["content"]: token["id"] for token in added}
        control = {token["id"] for token in added if token.get("special")}
        eos = config.get("eos_token")
        eos_text = eos["content"] if isinstance(eos, dict) else eos
        if eos_text not in special:
            raise CheckpointError(f"the end token {eos_text!r} of tokenizer_config.json is no added token")
        ends = {index for text, index in special.items() if index in control or _is_fim(text)}
        vocab = max([*tokenizer["model"]["vocab"].values(), *special.values()]) + 1
        return cls(
            bpe=json.dumps(tokenizer),
            vocab=vocab,
            special=special,
            end_ids=sorted({special[eos_text], *ends}),
            chat_template=chat_template,
            byteless=sorted(control),
        )


def _is_fim(text: str) -> bool:
    return any(text in names for names in _FIM_NAMES.values())


class Tokenizer:
    """Encodes text, conversations and gaps in code; tells every token's bytes."""

    def __init__(self, spec: TokenizerSpec) -> None:
        self._bpe = BPETokenizer.from_str(spec.bpe)
        self._spec = spec
        self.vocab = spec.vocab
        self.end_ids = frozenset(spec.end_ids)
        self.special = dict(spec.special)
        escaped = sorted(map(re.escape, spec.special), key=len, reverse=True)
        self._special_pattern = re.compile("(" + "|".join(escaped) + ")") if escaped else None
        self._template = _compile_template(spec.chat_template) if spec.chat_template else None

    def encode(self, text: str) -> list[int]:
        """Tokens of plain text; what looks like a special token is text."""
        ids: list[int] = self._bpe.encode(_valid(text), add_special_tokens=False).ids
        return ids

    def encode_chat(self, messages: list[Message], add_generation_prompt: bool = True) -> list[int]:
        """Tokens of a conversation in the model's own chat template.

        Special tokens inside a message's content are read as text, so nobody can write another's part.
        Raises RequestError where the template refuses the conversation.
        """
        if self._template is None:
            raise RequestError("this model has no chat template; use plain completions", "messages")
        guarded = [{**message, "content": self._guard(message.get("content") or "")} for message in messages]
        try:
            text = self._template.render(messages=guarded, add_generation_prompt=add_generation_prompt)
        except jinja2.TemplateError as error:
            raise RequestError(
                f"the model's chat template refuses these messages: {error}", "messages"
            ) from error
        return self.encode_with_special(text)

    def encode_with_special(self, text: str) -> list[int]:
        """Tokens of trusted text in which special tokens are meant as such."""
        pieces = self._special_pattern.split(_valid(text)) if self._special_pattern else [text]
        ids: list[int] = []
        for piece in pieces:
            if piece in self.special:
                ids.append(self.special[piece])
            elif piece:
                ids.extend(self.encode(piece.replace(_GUARD, "")))
        return ids

    def encode_fim(self, prefix: str, suffix: str, others: Sequence[tuple[str, str]] = ()) -> list[int]:
        """Tokens that ask for what stands between `prefix` and `suffix` (arXiv 2207.14255, PSM order).

        `others` are (name, text) of other files of the project, written before it as in Qwen2.5-Coder's technical
        report (arXiv 2409.12186); their names stand in comments where the model has no token for a new file.
        Raises RequestError if the model was not trained for gaps.
        """
        marks = {}
        for part, names in _FIM_NAMES.items():
            marks[part] = next((self.special[name] for name in names if name in self.special), None)
        if None in marks.values():
            raise RequestError("this model cannot fill in the middle; use a code model", "suffix")
        ids = [marks["prefix"], *self.encode(prefix), marks["suffix"], *self.encode(suffix), marks["middle"]]
        return [*self._encode_files(others), *(index for index in ids if index is not None)]

    def _encode_files(self, files: Sequence[tuple[str, str]]) -> list[int]:
        """Each file with its name; after the last a header without one, for the file with the gap."""
        mark = next((self.special[name] for name in _FILE_NAMES if name in self.special), None)
        if mark is None:
            return [token for name, text in files for token in self.encode(f"# {name}\n{text}\n")]
        ids = [token for name, text in files for token in (mark, *self.encode(f"{name}\n{text}\n"))]
        return [*ids, mark] if files else []

    def split_fim(self, tokens: list[int]) -> tuple[str, str] | None:
        """Prefix and suffix of what `encode_fim` makes, which editors also write themselves; None for other text."""
        kinds = {
            self.special[name]: part
            for part, names in _FIM_NAMES.items()
            for name in names
            if name in self.special
        }
        marks = [at for at, token in enumerate(tokens) if token in kinds]
        if [kinds[tokens[at]] for at in marks] != ["prefix", "suffix", "middle"]:
            return None
        first, second, last = marks
        if last != len(tokens) - 1:
            return None
        return self.decode(tokens[first + 1 : second]), self.decode(tokens[second + 1 : last])

    @property
    def can_fill_in(self) -> bool:
        """Whether the model knows fill-in-the-middle tokens."""
        return all(any(name in self.special for name in names) for names in _FIM_NAMES.values())

    def token_bytes(self, token: int) -> bytes:
        """The bytes that the token stands for; empty for control, unused and padding ids."""
        return self._bytes[token] if token < self.vocab else b""

    def decode(self, tokens: list[int]) -> str:
        """The text of whole tokens; bytes that are no UTF-8 become U+FFFD."""
        return b"".join(map(self.token_bytes, tokens)).decode("utf-8", "replace")

    def stream_decoder(self) -> StreamDecoder:
        """A decoder for tokens that arrive one at a time."""
        return StreamDecoder(self)

    @cached_property
    def _bytes(self) -> list[bytes]:
        table = [b""] * self.vocab
        sentencepiece = '"ByteFallback"' in self._spec.bpe
        for token, index in self._bpe.get_vocab(with_added_tokens=False).items():
            table[index] = _sentencepiece_bytes(token) if sentencepiece else _byte_level_bytes(token)
        for text, index in self.special.items():
            table[index] = text.encode()
        for index in self._spec.byteless:
            table[index] = b""
        return table

    def _guard(self, content: str) -> str:
        if self._special_pattern is None:
            return content
        return self._special_pattern.sub(lambda match: match[0][0] + _GUARD + match[0][1:], content)


class StreamDecoder:
    """Bytes of tokens → text, holding back what may be the first part of a character."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        """The text that is certain after `token`."""
        return self._utf8.decode(self._tokenizer.token_bytes(token))

    @property
    def pending(self) -> bool:
        """Whether part of a character is held back."""
        return bool(self._utf8.getstate()[0])

    def finish(self) -> str:
        """What is left at the end: an unfinished character becomes U+FFFD."""
        return self._utf8.decode(b"", final=True)


def _valid(text: str) -> str:
    """Lone surrogates, which JSON can carry and UTF-8 cannot, become U+FFFD."""
    return text.encode("utf-8", "replace").decode() if any("\ud800" <= c <= "\udfff" for c in text) else text


def _compile_template(source: str) -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    environment.globals["raise_exception"] = raise_exception
    try:
        return environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise CheckpointError(f"the model's chat template is broken: {error}") from error


def _unicode_to_byte() -> dict[str, int]:
    """GPT-2's printable stand-ins for bytes (github.com/openai/gpt-2, encoder.py)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


_BYTE_OF = _unicode_to_byte()


def _byte_level_bytes(token: str) -> bytes:
    if all(character in _BYTE_OF for character in token):
        return bytes(_BYTE_OF[character] for character in token)
    return token.encode()


def _sentencepiece_bytes(token: str) -> bytes:
    if re.fullmatch(r"<0x[0-9A-F]{2}>", token):
        return bytes([int(token[3:5], 16)])
    return token.replace("\u2581", " ").encode()
