"""Text ↔ tokens: BPE, the model's chat template, fill-in-the-middle, incremental UTF-8."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from tokenizers import Tokenizer as BPETokenizer

from core_model.chat_template import ChatTemplate
from core_model.errors import RequestError
from core_model.tokenizer_spec import FIM_NAMES, TokenizerSpec

Message = dict[str, Any]  # {"role": …, "content": …}, as OpenAI and the chat templates have it

# Stands inside special tokens that a message merely mentions, so that they are read as text; a Unicode
# noncharacter, which no text may contain.
_GUARD = "\ufdd0"

_FILE_NAMES = ("<|file_sep|>", "<file_sep>")


class Tokenizer:
    """Encodes text, conversations and gaps in code; tells every token's bytes."""

    def __init__(self, spec: TokenizerSpec) -> None:
        self._bpe = BPETokenizer.from_str(spec.bpe)
        inner = spec.inner_bpe
        self._inner_bpe = self._bpe if inner == spec.bpe else BPETokenizer.from_str(inner)
        self._spec = spec
        self.vocab = spec.vocab
        self.end_ids = frozenset(spec.end_ids)
        self.special = dict(spec.special)
        self.first = list(spec.first)
        """What a whole text begins with: the beginning's token (BOS) of models that want one, else nothing."""
        self._special_pattern = _any_of(spec.special)
        self._template = ChatTemplate(spec.chat_template, spec.named) if spec.chat_template else None
        # Marks such as </think> that no control tokens are, and that the template itself takes out of answers.
        own = {text for text, index in spec.special.items() if index not in set(spec.byteless)}
        foreign = [text for text in spec.special if text not in own or text not in spec.chat_template]
        self._foreign_pattern = _any_of(foreign)

    def encode(self, text: str) -> list[int]:
        """Tokens of plain text; what looks like a special token is text."""
        ids: list[int] = self._bpe.encode(_valid(text), add_special_tokens=False).ids
        return ids

    def encode_chat(
        self,
        messages: list[Message],
        add_generation_prompt: bool = True,
        tools: list[dict[str, Any]] | None = None,
    ) -> list[int]:
        """Tokens of a conversation in the model's own chat template, with `tools` for a model that `knows_tools`.

        Special tokens inside a message or a tool are read as text, so nobody can write another's part.
        Raises RequestError where the template refuses the conversation.
        """
        return self._encode_trusted(self._render(messages, add_generation_prompt, tools))

    @property
    def knows_tools(self) -> bool:
        """Whether the chat template has tools, in the form that `core_model.answer_shape` reads."""
        return "tools" in self.chat_template and "<tool_call>" in self.chat_template

    def chat_text(self, messages: list[Message], tools: list[dict[str, Any]] | None = None) -> str:
        """A conversation in the model's own chat template, as text. Raises as `encode_chat` does."""
        return self._render(messages, True, tools).replace(_GUARD, "")

    @property
    def chat_template(self) -> str:
        """The source of the model's chat template; empty for a model without one."""
        return self._spec.chat_template

    def encode_with_special(self, text: str) -> list[int]:
        """Tokens of a whole trusted text, in which special tokens are meant as such.

        It begins with the model's token for a beginning, once, where the model wants one (add_bos_token).
        """
        ids = self._encode_trusted(text)
        return ids if ids[: len(self.first)] == self.first else [*self.first, *ids]

    def encode_marked(self, text: str) -> list[int]:
        """Tokens of a part of a trusted text, in which special tokens are meant as such."""
        return self._encode_trusted(text)

    def _render(
        self,
        messages: list[Message],
        add_generation_prompt: bool,
        tools: list[dict[str, Any]] | None = None,
    ) -> str:
        if self._template is None:
            raise RequestError("this model has no chat template; use plain completions", "messages")
        guarded = [self._guard(message) for message in messages]
        return self._template.render(guarded, add_generation_prompt, _guarded(tools, self._special_pattern))

    def _encode_trusted(self, text: str) -> list[int]:
        pieces = self._special_pattern.split(_valid(text)) if self._special_pattern else [text]
        ids: list[int] = []
        for place, piece in enumerate(pieces):
            if piece in self.special:
                ids.append(self.special[piece])
            elif piece:
                bpe = self._inner_bpe if place else self._bpe
                ids.extend(bpe.encode(_valid(piece.replace(_GUARD, "")), add_special_tokens=False).ids)
        return ids

    def encode_fim(self, prefix: str, suffix: str, others: Sequence[tuple[str, str]] = ()) -> list[int]:
        """Tokens that ask for what stands between `prefix` and `suffix` (arXiv 2207.14255, PSM order).

        `others` are (name, text) of other files of the project, written before it as in Qwen2.5-Coder's technical
        report (arXiv 2409.12186); their names stand in comments where the model has no token for a new file.
        Raises RequestError if the model was not trained for gaps.
        """
        if self.fim_marks is None:
            raise RequestError("this model cannot fill in the middle; use a code model", "suffix")
        begin, between, end = (self.special[self.fim_marks[part]] for part in ("prefix", "suffix", "middle"))
        gap = [begin, *self.encode(prefix), between, *self.encode(suffix), end]
        return [*self.first, *self._encode_files(others), *gap]

    def _encode_files(self, files: Sequence[tuple[str, str]]) -> list[int]:
        """Each file with its name; after the last a header without one, for the file with the gap."""
        mark = next((self.special[name] for name in _FILE_NAMES if name in self.special), None)
        if mark is None:
            return [token for name, text in files for token in self.encode(f"# {name}\n{text}\n")]
        ids = [token for name, text in files for token in (mark, *self.encode(f"{name}\n{text}\n"))]
        return [*ids, mark] if files else []

    def split_fim(self, text: str) -> tuple[str, str, list[tuple[str, str]]] | None:
        """Prefix, suffix and (name, text) of the files before them, of a prompt in the form of `encode_fim`.

        Editors write it themselves, in the model's own marks. None for any other text.
        """
        marks = [name for names in FIM_NAMES.values() for name in names if name in self.special]
        if len(marks) != len(FIM_NAMES):
            return None
        parts = re.split(f"({'|'.join(map(re.escape, marks))})", text)
        if parts[1::2] != marks or parts[-1]:
            return None
        before, prefix, suffix = parts[0], parts[2], parts[4]
        files = re.split("|".join(map(re.escape, _FILE_NAMES)), before)[1:]
        headed = (file.partition("\n") for file in files if file.strip())
        return prefix, suffix, [(name.strip(), rest.removesuffix("\n")) for name, _, rest in headed]

    @cached_property
    def fim_marks(self) -> dict[str, str] | None:
        """The model's fill-in-the-middle tokens: prefix, suffix, middle; None where it has not all of them."""
        known = {part: [name for name in names if name in self.special] for part, names in FIM_NAMES.items()}
        return {part: names[0] for part, names in known.items()} if all(known.values()) else None

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

    def _guard(self, message: Message) -> Message:
        """The message, in whose text special tokens are broken up."""
        pattern = self._foreign_pattern if message.get("role") == "assistant" else self._special_pattern
        rest = {name: value for name, value in message.items() if name not in ("role", "content")}
        guarded: Message = _guarded(rest, self._special_pattern)
        content = _guarded(message.get("content") or "", pattern)
        return {**guarded, "role": message.get("role"), "content": content}


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


def _guarded(value: Any, pattern: re.Pattern[str] | None) -> Any:
    """The value, in all of whose texts special tokens are broken up."""
    if pattern is None:
        return value
    if isinstance(value, str):
        return pattern.sub(lambda match: match[0][0] + _GUARD + match[0][1:], value)
    if isinstance(value, list):
        return [_guarded(item, pattern) for item in value]
    if isinstance(value, dict):
        return {_guarded(name, pattern): _guarded(item, pattern) for name, item in value.items()}
    return value


def _any_of(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Matches any of `texts`, the longest first; None for none."""
    escaped = sorted(map(re.escape, texts), key=len, reverse=True)
    return re.compile("(" + "|".join(escaped) + ")") if escaped else None


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
