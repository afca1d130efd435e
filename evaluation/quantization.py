"""What rounding the weights costs: perplexity of texts, against the same file in float32."""

from __future__ import annotations

import pydoc_data.topics
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

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


def default_texts() -> dict[str, list[str]]:
    """Code and English: of Duet, and of Python's library and manual, which models are likely to be trained on.

    None of them is in the text that the rounding is calibrated on.
    """
    core, handbook = files("core_model"), files("apps.support.shop") / "handbook" / "en"
    library = Path(sysconfig.get_path("stdlib"))
    sources = [core / name for name in OWN_MODULES] + [library / name for name in LIBRARY_MODULES]
    articles = [handbook / f"{name}.md" for name in OWN_ARTICLES]
    topics = [pydoc_data.topics.topics[topic] for topic in MANUAL_TOPICS]
    return {
        "code": [source.read_text(encoding="utf-8") for source in sources],
        "english": [article.read_text(encoding="utf-8") for article in articles] + topics,
    }


def read_texts(path: Path) -> dict[str, list[str]]:
    """A text file, or every .txt, .md and .py file of a folder, each under its name. Raises DataError."""
    files = [path] if path.is_file() else sorted(path.glob("*"))
    texts = {file.stem: file for file in files if path.is_file() or file.suffix in (".txt", ".md", ".py")}
    if not texts:
        raise DataError(f"{path} is no text file and no folder with .txt, .md or .py files")
    return {name: [file.read_text(encoding="utf-8")] for name, file in texts.items()}


def perplexity(decoder: Decoder, texts: Iterable[Sequence[int]]) -> float:
    """exp of the mean negative log-likelihood of every text's tokens[1:], each given all of its text before it."""
    losses = [_log_losses(decoder, tokens) for tokens in texts]
    return float(torch.cat(losses).mean().exp())


def _log_losses(decoder: Decoder, tokens: Sequence[int]) -> Tensor:
    """[tokens - 1] float64: the negative log-likelihood of each token but the first."""
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
    losses = [
        -decoder.logits(rows).log_softmax(-1).gather(1, wanted[:, None])[:, 0].double()
        for rows, wanted in zip(hidden.split(ROWS_AT_ONCE), targets.split(ROWS_AT_ONCE), strict=True)
    ]
    return torch.cat(losses)


def quantization_loss(
    checkpoint: Checkpoint,
    tokenizer: Tokenizer,
    texts: Mapping[str, Sequence[str]],
    home: Path,
    threads: int,
    limit: int = 1024,
    progress: Callable[[str], None] = lambda step: None,
) -> dict[str, float]:
    """Perplexity in float32, and by how many per cent int8 and int4 raise it; the first `limit` tokens of each text.

    `texts` are those of each kind, which are read one by one and counted together. Metrics: {kind}_tokens,
    {kind}_fp32_perplexity, {kind}_{int8,int4}_perplexity, {kind}_{int8,int4}_increase_percent.
    Raises DataError for a text of fewer than two tokens, KernelsUnavailableError without a compiler.
    """
    encoded = {kind: [tokenizer.encode(text)[:limit] for text in group] for kind, group in texts.items()}
    for kind, group in encoded.items():
        if min(map(len, group)) < 2:
            raise DataError(f"a text of '{kind}' has fewer than 2 tokens, which is what perplexity needs")
    metrics = {f"{kind}_tokens": float(sum(map(len, group))) for kind, group in encoded.items()}

    def measure(decoder: Decoder, weights: str) -> None:
        for kind, group in encoded.items():
            progress(f"{weights}: {kind}")
            value = perplexity(decoder, group)
            metrics[f"{kind}_{weights}_perplexity"] = value
            if weights != "fp32":
                exact = metrics[f"{kind}_fp32_perplexity"]
                metrics[f"{kind}_{weights}_increase_percent"] = 100 * (value / exact - 1)

    measure(TorchDecoder(checkpoint), "fp32")
    for weights in WEIGHTS:
        measure(FusedDecoder(checkpoint, weights, threads, home), weights)
    return metrics
