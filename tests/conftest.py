"""The real small models that many tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from apps.code.sandbox import Sandbox, SandboxUnavailableError
from core_model import Engine, catalog
from core_model.checkpoint import Checkpoint, load_checkpoint
from core_model.decoder import TorchDecoder
from core_model.tokenizer import Tokenizer
from tests.core_model.published import bytes_tokenizer
from tests.data import DATA_DIR
from tests.postgresql import postgresql_server

EDGE, DEFAULT = "smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct"


def open_checkpoint(name: str) -> Checkpoint:
    return load_checkpoint(catalog.resolve(name, catalog.home()), catalog.home() / "packed")


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """With TEST_NO_SKIPS=1 a skipped test fails the run: where everything is installed, nothing may be left out.

    Only data that cannot be fetched may lack (`tests.data`).
    """
    skipped = terminalreporter.stats.get("skipped", [])
    unexpected = [report for report in skipped if DATA_DIR not in str(report.longrepr)]
    if os.environ.get("TEST_NO_SKIPS") and unexpected:
        terminalreporter.section("skipped, and TEST_NO_SKIPS is set")
        for report in unexpected:
            terminalreporter.write_line(f"{report.nodeid}: {report.longrepr[2]}")
        terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    try:
        return Sandbox()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


@pytest.fixture(scope="session")
def edge_checkpoint() -> Checkpoint:
    return open_checkpoint(EDGE)


@pytest.fixture(scope="session")
def edge_tokenizer(edge_checkpoint: Checkpoint) -> Tokenizer:
    return Tokenizer(edge_checkpoint.tokenizer)


@pytest.fixture(scope="session")
def qwen_tokenizer() -> Tokenizer:
    return Tokenizer(open_checkpoint(DEFAULT).tokenizer)


@pytest.fixture(scope="session")
def edge_decoder(edge_checkpoint: Checkpoint) -> TorchDecoder:
    return TorchDecoder(edge_checkpoint, torch.float32)


@pytest.fixture(scope="session")
def edge_engine(edge_decoder: TorchDecoder, edge_tokenizer: Tokenizer) -> Iterator[Engine]:
    """The small model in exact arithmetic."""
    engine = Engine(edge_decoder, edge_tokenizer, cache_tokens=8192, max_sequences=20)
    yield engine
    engine.close()


@pytest.fixture(scope="session", params=["llama", "qwen2"])
def random_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as transformers writes it: a tiny model of each family with random weights."""
    import transformers

    family = request.param
    config_class = {"llama": transformers.LlamaConfig, "qwen2": transformers.Qwen2Config}[family]
    model_class = {"llama": transformers.LlamaForCausalLM, "qwen2": transformers.Qwen2ForCausalLM}[family]
    torch.manual_seed(7)
    config = config_class(
        vocab_size=320,
        hidden_size=128,
        intermediate_size=192,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=family == "llama",
    )
    model = model_class(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.08) if parameter.dim() > 1 else parameter.uniform_(0.5, 1.5)
    folder = tmp_path_factory.mktemp(family)
    model.save_pretrained(folder)
    bytes_tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"eos_token": "<|end|>"}')
    return folder
