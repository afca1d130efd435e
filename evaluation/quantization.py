"""What rounding the weights costs: perplexity of texts, against the same file in float32."""

from __future__ import annotations

import math
import pydoc_data.topics
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal

import torch

from core_model.batch import Batch
from core_model.checkpoint import Checkpoint
from core_model.decoder import Decoder, TorchDecoder
from core_model.fused_decoder import FusedDecoder
from core_model.kv_cache import BLOCK, KVCache
from core_model.tokenizer import Tokenizer
from evaluation.errors import DataError

WEIGHTS: tuple[Literal["int8", "int4"], ...] = ("int8", "int4")
OWN_MODULES = ("engine.py", "sequence.py")
OWN_ARTICLES = (
    "returns",
    "refunds",
    "cancellations",
    "warranty",
    "contact",
    "order-changes",
    "legal",
    "privacy",
)
LIBRARY_MODULES = ("textwrap.py", "csv.py", "fractions.py", "shelve.py")
MANUAL_TOPICS = ("objects", "exceptions", "context-managers", "naming", "debugger")
ROWS_AT_ONCE = 128
"""Rows whose logits are computed together: 128 x 152k float32 are 78 MB."""


def default_texts() -> dict[str, str]:
    """Source and policies of Duet, and of Python's library and manual, which models are likely to be trained on.

    None of them is in the text that the rounding is calibrated on.
    """
    core, handbook = files("core_model"), files("apps.support") / "handbook" / "en"
    library = Path(sysconfig.get_path("stdlib"))
    return {
        "code": "\n\n".join((core / module).read_text(encoding="utf-8") for module in OWN_MODULES),
        "english": "\n\n".join(
            (handbook / f"{name}.md").read_text(encoding="utf-8") for name in OWN_ARTICLES
        ),
        "library": "\n\n".join((library / module).read_text(encoding="utf-8") for module in LIBRARY_MODULES),
        "manual": "\n\n".join(pydoc_data.topics.topics[topic] for topic in MANUAL_TOPICS),
    }


def read_texts(path: Path) -> dict[str, str]:
    """A text file, or every .txt, .md and .py file of a folder, by file name. Raises DataError."""
    files = [path] if path.is_file() else sorted(path.glob("*"))
    texts = {file.stem: file for file in files if path.is_file() or file.suffix in (".txt", ".md", ".py")}
    if not texts:
        raise DataError(f"{path} is no text file and no folder with .txt, .md or .py files")
    return {name: file.read_text(encoding="utf-8") for name, file in texts.items()}


def perplexity(decoder: Decoder, tokens: Sequence[int]) -> float:
    """exp of the mean negative log-likelihood of tokens[1:], each given all tokens before it."""
    count = len(tokens)
    blocks = (count + BLOCK - 1) // BLOCK
    positions = torch.arange(count, dtype=torch.int32)
    batch = Batch(
        tokens=torch.tensor(tokens, dtype=torch.int32),
        positions=positions,
        sequences=torch.zeros(count, dtype=torch.int32),
        slots=positions,
        block_tables=torch.arange(blocks, dtype=torch.int32)[None],
        windows=torch.zeros(1, dtype=torch.int32),
        adapters=[None],
        outputs=torch.arange(count - 1),
    )
    hidden = decoder.hidden(batch, KVCache(decoder.config, blocks, decoder.cache_dtype))
    targets = torch.tensor(tokens[1:])
    total = 0.0
    for rows, wanted in zip(hidden.split(ROWS_AT_ONCE), targets.split(ROWS_AT_ONCE), strict=True):
        logprobs = decoder.logits(rows).log_softmax(-1)
        total -= float(logprobs.gather(1, wanted[:, None]).double().sum())
    return math.exp(total / (count - 1))


def quantization_loss(
    checkpoint: Checkpoint,
    tokenizer: Tokenizer,
    texts: Mapping[str, str],
    home: Path,
    threads: int,
    limit: int = 1024,
    progress: Callable[[str], None] = lambda step: None,
) -> dict[str, float]:
    """Perplexity in float32, and by how many per cent int8 and int4 raise it; `limit` tokens of each text.

    Metrics: {text}_fp32_perplexity, {text}_{int8,int4}_perplexity, {text}_{int8,int4}_increase_percent.
    Raises DataError for a text of fewer than two tokens, KernelsUnavailableError without a compiler.
    """
    encoded = {name: tokenizer.encode(text)[:limit] for name, text in texts.items()}
    for name, tokens in encoded.items():
        if len(tokens) < 2:
            raise DataError(f"text '{name}' has {len(tokens)} tokens; perplexity needs at least 2")
    metrics: dict[str, float] = {}

    def measure(decoder: Decoder, kind: str) -> None:
        for name, tokens in encoded.items():
            progress(f"{kind}: {name}")
            value = perplexity(decoder, tokens)
            metrics[f"{name}_{kind}_perplexity"] = value
            if kind != "fp32":
                exact = metrics[f"{name}_fp32_perplexity"]
                metrics[f"{name}_{kind}_increase_percent"] = 100 * (value / exact - 1)

    measure(TorchDecoder(checkpoint), "fp32")
    for weights in WEIGHTS:
        measure(FusedDecoder(checkpoint, weights, threads, home), weights)
    return metrics
