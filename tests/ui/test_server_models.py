"""Which models there are, and adapters that come and go while the server serves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import torch
from openai import NotFoundError, OpenAI
from safetensors.torch import save_file

from core_model import Engine
from core_model.lora import module_shape
from tests.ui.conftest import MODEL, Server

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def adapter_folder(edge_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter as PEFT writes it: random weights, strong enough to be noticed."""
    folder = tmp_path_factory.mktemp("adapters") / "loud"
    folder.mkdir()
    config = edge_engine.config
    random = torch.Generator().manual_seed(5)
    weights = {}
    for layer in range(config.layers):
        outputs, inputs = module_shape(config, "q_proj")
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        weights[f"{name}.lora_A.weight"] = torch.randn(4, inputs, generator=random) * 0.2
        weights[f"{name}.lora_B.weight"] = torch.randn(outputs, 4, generator=random) * 0.2
    save_file(weights, folder / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture
def loud(server: Server, adapter_folder: Path) -> Iterator[str]:
    """The adapter, loaded for one test."""
    answer = post(server, "load_lora_adapter", lora_name="loud", lora_path=str(adapter_folder))
    assert answer.status_code == 200, answer.text
    yield "duet-loud"
    server.wait_until_idle()
    post(server, "unload_lora_adapter", lora_name="loud")


def post(server: Server, route: str, **body: str) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/{route}", json=body, timeout=60)


def answer_of(client: OpenAI, model: str) -> str | None:
    answer = client.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=16)
    return answer.choices[0].message.content


def test_the_base_model_is_listed_under_its_own_name(client: OpenAI) -> None:
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).id == MODEL


def test_a_model_that_is_not_there_is_not_found(client: OpenAI) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.models.retrieve("gpt-5")
    assert caught.value.code == "model_not_found"


def test_a_loaded_adapter_is_a_model_until_it_is_unloaded(
    client: OpenAI, server: Server, adapter_folder: Path
) -> None:
    plain = answer_of(client, MODEL)
    loaded = post(server, "load_lora_adapter", lora_name="loud", lora_path=str(adapter_folder))
    assert loaded.text == "Success: LoRA adapter 'loud' added successfully."
    card = client.models.retrieve("duet-loud")
    assert card.model_extra["parent"] == MODEL
    assert answer_of(client, "duet-loud") != plain
    assert answer_of(client, MODEL) == plain
    removed = post(server, "unload_lora_adapter", lora_name="loud")
    assert removed.text == "Success: LoRA adapter 'loud' removed successfully."
    with pytest.raises(NotFoundError):
        answer_of(client, "duet-loud")


def test_an_adapter_answers_to_its_bare_name_too_as_in_vllm(client: OpenAI, loud: str) -> None:
    assert answer_of(client, "loud") == answer_of(client, loud)


def test_base_and_adapter_are_served_in_the_same_moment(client: OpenAI, loud: str) -> None:
    alone = {model: answer_of(client, model) for model in (MODEL, loud)}
    together: dict[str, str | None] = {}

    def ask(model: str) -> None:
        together[model] = answer_of(client, model)

    threads = [threading.Thread(target=ask, args=(model,)) for model in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_an_adapter_is_not_loaded_twice_under_one_name(
    server: Server, loud: str, adapter_folder: Path
) -> None:
    again = post(server, "load_lora_adapter", lora_name="loud", lora_path=str(adapter_folder))
    assert again.status_code == 400
    assert "already been loaded" in again.json()["error"]["message"]


@pytest.mark.parametrize(
    ("route", "body", "status", "says"),
    [
        ("load_lora_adapter", {"lora_name": "x", "lora_path": "/no/such/folder"}, 400, "adapter_config.json"),
        ("load_lora_adapter", {"lora_name": "../x", "lora_path": "/tmp"}, 400, "lora_name"),
        ("load_lora_adapter", {"lora_name": MODEL, "lora_path": "/tmp"}, 400, "another model"),
        ("load_lora_adapter", {"lora_name": "x"}, 400, "lora_path"),
        ("unload_lora_adapter", {"lora_name": "never-loaded"}, 404, "never-loaded"),
    ],
)
def test_an_adapter_that_cannot_be_loaded_is_an_error_that_says_why(
    server: Server, route: str, body: dict[str, str], status: int, says: str
) -> None:
    answer = post(server, route, **body)
    assert answer.status_code == status
    assert says in answer.json()["error"]["message"]
