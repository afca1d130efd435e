"""What a checkpoint says about its tokenizer, in the one form that `Tokenizer` reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as BPETokenizer

from core_model.errors import CheckpointError

FIM_NAMES = {
    "prefix": ("<|fim_prefix|>", "<fim_prefix>"),
    "suffix": ("<|fim_suffix|>", "<fim_suffix>"),
    "middle": ("<|fim_middle|>", "<fim_middle>"),
}

_UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED = 2, 3, 4, 5  # token types of the GGUF specification

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_QWEN2, _LLAMA3 = _WORDS + r"\p{N}" + _REST, _WORDS + r"\p{N}{1,3}" + _REST
_UPPER, _LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_TEKKEN = (
    rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+|[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*|"
    r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPLITS = {
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen"), _QWEN2),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "smaug-bpe"), _LLAMA3),
    "tekken": _TEKKEN,
}
"""llama.cpp's names of pre-tokenizers (llama-vocab.cpp), and how each splits a text before BPE."""
_DIGITS = ("smollm", "starcoder")
_GPT2 = ("gpt-2", "default")
_WHOLE_WORDS = ("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "tekken")
"""Those whose vocabulary holds words that no merges lead to, and that begin a text with a token of their own."""


@dataclass(frozen=True)
class TokenizerSpec:
    """A tokenizer, ready to be stored as JSON."""

    bpe: str  # tokenizer.json without added tokens: no text can become a special token by accident
    vocab: int
    special: dict[str, int]  # tokens that stand outside of text
    end_ids: list[int]  # any of these ends a generation
    chat_template: str
    byteless: list[int] = field(default_factory=list)  # ids that stand for no text at all
    named: dict[str, str] = field(default_factory=dict)  # "bos_token", … as chat templates know them
    first: list[int] = field(default_factory=list)  # what a whole text begins with

    @property
    def inner_bpe(self) -> str:
        """`bpe` for text after a special token: without the space that only a beginning gets."""
        if '"Metaspace"' not in self.bpe:
            return self.bpe
        content = json.loads(self.bpe)
        before = content.get("pre_tokenizer") or {}
        for part in [before, *before.get("pretokenizers", [])]:
            if part.get("type") == "Metaspace" and part.get("prepend_scheme") == "first":
                part["prepend_scheme"] = "never"
        return json.dumps(content)

    @classmethod
    def from_gguf(cls, header: Callable[..., Any]) -> TokenizerSpec:
        """From the vocabulary in a GGUF header; `header(key, default)` reads a field of it.

        No Unicode normalisation, as in llama.cpp and transformers' own reading of GGUF: what is encoded
        decodes to itself. Raises CheckpointError for a kind of tokenizer or a pre-tokenizer that is unknown.
        """
        model = header("tokenizer.ggml.model")
        if model not in ("gpt2", "llama"):
            raise CheckpointError(
                f"unknown tokenizer '{model}' in the GGUF header; known: 'gpt2' (byte-level BPE) and 'llama' "
                "(SentencePiece). The model's safetensors folder with tokenizer.json may be read"
            )
        tokens: list[str] = header("tokenizer.ggml.tokens")
        kinds: list[int] = header("tokenizer.ggml.token_type")
        whole_words = False
        if model == "gpt2":
            pre_tokenizer = header("tokenizer.ggml.pre", "default")
            whole_words = pre_tokenizer in _WHOLE_WORDS
            bpe = _byte_level(tokens, header("tokenizer.ggml.merges"), pre_tokenizer)
        else:
            space = header("tokenizer.ggml.add_space_prefix", True)
            bpe = _sentencepiece(tokens, header("tokenizer.ggml.scores"), kinds, space)
        controls = (_CONTROL, _UNKNOWN) if model == "llama" else (_CONTROL,)
        control = [index for index, kind in enumerate(kinds) if kind in controls]
        others = [index for index, kind in enumerate(kinds) if kind == _USER_DEFINED]
        named = {}
        for name, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
            index = header(f"tokenizer.ggml.{key}_token_id", -1)
            if 0 <= index < len(tokens):
                named[f"{name}_token"] = tokens[index]
        begins = header("tokenizer.ggml.add_bos_token", model == "llama" or whole_words)
        bos = header("tokenizer.ggml.bos_token_id", -1)
        return cls(
            bpe=bpe,
            vocab=len(tokens),
            special={tokens[index]: index for index in [*control, *others]},
            end_ids=sorted({header("tokenizer.ggml.eos_token_id"), *control}),
            chat_template=header("tokenizer.chat_template", ""),
            byteless=sorted({*control, *(index for index, kind in enumerate(kinds) if kind == _UNUSED)}),
            named=named,
            first=[bos] if begins and bos >= 0 else [],
        )

    @classmethod
    def from_tokenizer_json(
        cls, tokenizer: dict[str, Any], config: dict[str, Any], chat_template: str
    ) -> TokenizerSpec:
        """From a Hugging Face folder's tokenizer.json and tokenizer_config.json. Raises CheckpointError."""
        model = tokenizer.get("model") or {}
        kind = model.get("type") or ("BPE" if "merges" in model else "unnamed")  # old files do not name it
        if kind != "BPE":
            raise CheckpointError(f"tokenizer.json has a tokenizer of the kind {kind}; only BPE is served")
        first = _first_ids(tokenizer, config)
        added = tokenizer.pop("added_tokens", None) or []
        tokenizer["added_tokens"], tokenizer["post_processor"] = [], None
        special = {token["content"]: token["id"] for token in added}
        control = {token["id"] for token in added if token.get("special")}
        named = {
            name: text
            for name in (
                "bos_token",
                "eos_token",
                "unk_token",
                "sep_token",
                "pad_token",
                "cls_token",
                "mask_token",
            )
            if (text := _content(config.get(name))) is not None
        }
        eos = named.get("eos_token")
        if eos not in special:
            raise CheckpointError(f"the end token {eos!r} of tokenizer_config.json is no added token")
        ends = {index for text, index in special.items() if index in control or _is_fim(text)}
        vocab = max([*tokenizer["model"]["vocab"].values(), *special.values()]) + 1
        return cls(
            bpe=json.dumps(tokenizer),
            vocab=vocab,
            special=special,
            end_ids=sorted({special[eos], *ends}),
            chat_template=chat_template,
            byteless=sorted(control),
            named=named,
            first=first,
        )


def _content(token: Any) -> str | None:
    """Older tokenizer_config.json files have special tokens as objects."""
    content = token["content"] if isinstance(token, dict) else token
    return content if isinstance(content, str) else None


def _first_ids(tokenizer: dict[str, Any], config: dict[str, Any]) -> list[int]:
    """What transformers puts before a text: add_bos_token decides where it is set, else the post-processor."""
    ids = {token["content"]: token["id"] for token in tokenizer.get("added_tokens") or []}
    if config.get("add_bos_token") is not None:
        bos = _content(config.get("bos_token"))
        return [ids[bos]] if config["add_bos_token"] and bos in ids else []
    try:
        first: list[int] = BPETokenizer.from_str(json.dumps(tokenizer)).encode("").ids[:1]
    except Exception as error:  # the tokenizers library raises nothing narrower
        raise CheckpointError(f"tokenizer.json cannot be read: {error}") from error
    return [] if first == [ids.get(_content(config.get("eos_token")))] else first


def _is_fim(text: str) -> bool:
    return any(text in names for names in FIM_NAMES.values())


def _byte_level(tokens: Sequence[str], merges: Sequence[str], pre_tokenizer: str) -> str:
    """A byte-level BPE's tokenizer.json."""
    bpe = BPETokenizer(
        _bpe(
            vocab={token: index for index, token in enumerate(tokens)},
            merges=[(left, right) for left, _, right in (merge.partition(" ") for merge in merges)],
            ignore_merges=pre_tokenizer in _WHOLE_WORDS,
        )
    )
    if pre_tokenizer in _SPLITS:
        split = pre_tokenizers.Split(Regex(_SPLITS[pre_tokenizer]), behavior="isolated")
        byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        bpe.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    elif pre_tokenizer in _DIGITS:
        digits = pre_tokenizers.Digits(individual_digits=True)
        bpe.pre_tokenizer = pre_tokenizers.Sequence(
            [digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    elif pre_tokenizer in _GPT2:
        bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        known = ", ".join([*_SPLITS, *_DIGITS, *_GPT2])
        raise CheckpointError(
            f"unknown pre-tokenizer '{pre_tokenizer}' in the GGUF header; known: {known}. "
            "The model's safetensors folder, with tokenizer.json, can be read whatever it is"
        )
    bpe.decoder = decoders.ByteLevel()
    return bpe.to_str()


def _sentencepiece(
    tokens: Sequence[str], scores: Sequence[float], kinds: Sequence[int], space_first: bool
) -> str:
    """Llama 2's SentencePiece vocabulary as a tokenizer.json, as transformers converts it.

    The likeliest pair of neighbours is joined first, so that each token's ways to arise are merges in the order
    of its score.
    """
    vocab = {token: index for index, token in enumerate(tokens)}
    outside = {token for token, kind in zip(tokens, kinds, strict=True) if kind in (_UNKNOWN, _CONTROL)}
    merges = []
    for token, score in zip(tokens, scores, strict=True):
        if token in outside:
            continue
        ways = [(token[:cut], token[cut:]) for cut in range(1, len(token))]
        ways = [(left, right) for left, right in ways if left in vocab and right in vocab]
        merges += [
            (score, left, right) for left, right in sorted(ways, key=lambda way: tuple(map(vocab.get, way)))
        ]
    merges.sort(key=lambda merge: (merge[0], len(merge[1]), len(merge[2])), reverse=True)
    bpe = BPETokenizer(
        _bpe(
            vocab=vocab,
            merges=[(left, right) for _, left, right in merges],
            byte_fallback=True,
            fuse_unk=True,
            unk_token=next(
                (token for token, kind in zip(tokens, kinds, strict=True) if kind == _UNKNOWN), None
            ),
        )
    )
    spaces = normalizers.Replace(" ", "\u2581")
    bpe.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), spaces] if space_first else [spaces]
    )
    bpe.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return bpe.to_str()


def _bpe(vocab: Mapping[str, int], merges: list[tuple[str, str]], **options: Any) -> models.BPE:
    """Raises CheckpointError for merges of tokens that the vocabulary lacks."""
    unknown = next((part for pair in merges for part in pair if part not in vocab), None)
    if unknown is not None:
        raise CheckpointError(f"the GGUF header's merges name {unknown!r}, which is no token")
    joined = next((pair for pair in merges if "".join(pair) not in vocab), None)
    if joined is not None:
        raise CheckpointError(f"the GGUF header's merges join {joined} to what is no token")
    return models.BPE(vocab=dict(vocab), merges=merges, **options)
