"""A base model by name, ready to generate."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

import structlog
import torch

from core_model import catalog
from core_model.checkpoint import Checkpoint, load_checkpoint
from core_model.decoder import Decoder, TorchDecoder
from core_model.download import Progress, silent
from core_model.engine import Engine
from core_model.lora import load_adapter
from core_model.requests import GenerationRequest, Precision, SamplingParams
from core_model.sparse_attention import NEVER, SPARSE_BEYOND
from core_model.tokenizer import Message, Tokenizer

log = structlog.get_logger(__name__)

Weights = Literal["int4", "int8", "bf16", "fp32"]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def prepare(
    model: str | Path,
    weights: Weights,
    home: Path,
    sources: catalog.Sources | None = None,
    progress: Progress = silent,
) -> Path:
    """Fetch the model and quantise it, unless that was done before: what takes long at a first start.

    Returns its path. Raises what `catalog.resolve` raises, and CheckpointError.
    """
    path = catalog.resolve(model, home, sources, progress)
    if weights in ("int4", "int8"):
        from core_model.kernels.build import KernelsUnavailableError
        from core_model.kernels.pack import pack_apart

        # Loading says why, and serves without the kernels.
        with suppress(KernelsUnavailableError):
            checkpoint = load_checkpoint(path, home / "packed")
            pack_apart(path, checkpoint, weights, home, partial(progress, "quantising"))
    return path


def load_engine(
    model: str | Path = catalog.DEFAULT_MODEL,
    *,
    weights: Weights = "int4",
    threads: int | None = None,
    cache_tokens: int = 16_384,
    max_sequences: int = 8,
    kv_cache: Precision = "bf16",
    sparse_beyond: int = SPARSE_BEYOND,
    home: Path | None = None,
    progress: Progress = silent,
) -> Engine:
    """An engine on a catalogue model or a path. `weights` is int4, int8, bf16 or fp32.

    Keys and values are kept in `kv_cache`: bf16 (with weights of fp32: fp32), int8, or int4 for keys in 8 and
    values in 4 bits. Positions from `sparse_beyond` on attend sparsely; 0: none.

    Raises what `catalog.resolve` raises, and CheckpointError.
    """
    home = home or catalog.home()
    threads = threads or os.cpu_count() or 1
    path = prepare(model, weights, home, progress=progress)
    checkpoint = load_checkpoint(path, home / "packed")
    decoder = _decoder(checkpoint, weights, threads, home)
    tokenizer = Tokenizer(checkpoint.tokenizer)
    return Engine(decoder, tokenizer, cache_tokens, max_sequences, kv_cache, sparse_beyond or NEVER)


def _decoder(checkpoint: Checkpoint, weights: Weights, threads: int, home: Path) -> Decoder:
    if weights == "bf16" or weights == "fp32":
        torch.set_num_threads(threads)
        return TorchDecoder(checkpoint, DTYPES[weights])
    from core_model.fused_decoder import FusedDecoder
    from core_model.kernels.build import KernelsUnavailableError

    try:
        return FusedDecoder(checkpoint, weights, threads, home)
    except KernelsUnavailableError as error:
        log.warning("serving without kernels, several times slower", reason=str(error))
        torch.set_num_threads(threads)
        return TorchDecoder(checkpoint, torch.bfloat16)


class LLMForCausalLM:
    """The short way to text: `LLMForCausalLM.from_pretrained("smollm2-135m-instruct").generate("Hello")`."""

    def __init__(
        self, engine: Engine, base: str | Path, weights: Weights = "int4", home: Path | None = None
    ) -> None:
        """`base`, `weights` and `home` say what `engine` was loaded from, as in `load_engine`."""
        self.engine = engine
        self.weights = weights
        self._base = base
        self._home = home or catalog.home()

    @classmethod
    def from_pretrained(cls, model: str | Path = catalog.DEFAULT_MODEL, **options: Any) -> LLMForCausalLM:
        """Load a catalogue model, a GGUF file or a safetensors folder; options as in `load_engine`."""
        kept = {name: options[name] for name in ("weights", "home") if name in options}
        return cls(load_engine(model, **options), model, **kept)

    @property
    def name(self) -> str:
        """The base model's name in the catalogue, or its file's."""
        return catalog.name_of(str(self._base))

    def checkpoint(self) -> Checkpoint:
        """The weights that the engine was loaded from, as they are stored: for training."""
        return load_checkpoint(catalog.resolve(self._base, self._home), self._home / "packed")

    def load_adapter(self, path: str | Path, name: str | None = None) -> str:
        """Make a PEFT folder available under its name, which is returned. Raises AdapterError."""
        adapter = load_adapter(Path(path), self.engine.config, name)
        self.engine.add_adapter(adapter)
        return adapter.name

    def generate(self, prompt: str | list[Message], **options: Any) -> str:
        """The answer to a conversation, or the continuation of a plain text.

        `options` are fields of GenerationRequest (window, adapter, constraint, attention) and SamplingParams.
        """
        return self.engine.submit(self._request(prompt, options)).result().text

    def stream(self, prompt: str | list[Message], **options: Any) -> Iterator[str]:
        """The same, piece by piece; leaving the loop stops the work."""
        generation = self.engine.submit(self._request(prompt, options))
        try:
            for piece in generation:
                yield piece.text
        finally:
            generation.cancel()

    def close(self) -> None:
        """Stop the engine's thread."""
        self.engine.close()

    def _request(self, prompt: str | list[Message], options: dict[str, Any]) -> GenerationRequest:
        tokenizer = self.engine.tokenizer
        if isinstance(prompt, str):
            tokens = [*tokenizer.first, *tokenizer.encode(prompt)]
        else:
            tokens = tokenizer.encode_chat(prompt)
        own = ("window", "adapter", "constraint", "attention")
        rest = {name: options.pop(name) for name in own if name in options}
        return GenerationRequest(tokens, SamplingParams(**options), **rest)
