"""Which adapters the support assistant stands on: those of the base that is served, if there are any."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from apps.support.reading.intents import OUT_OF_SCOPE, ExampleIntents
from safetensors.torch import load_file, save_file

from apps.settings import Settings
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.replies.sentences import write
from apps.support.shop.database import Database
from core_model import DuetChatModel, Engine, load_engine
from core_model.errors import RequestError
from core_model.lora import module_shape
from core_model.training.adapter import Training, train_adapter
from tests.conftest import EDGE
from ui.metrics import Metrics
from ui.runtime import assemble
from ui.support_pipeline import adapters_in_service, support_pipeline

WORDS = ["rose", "blood", "ruby", "cherry", "brick", "tomato", "lava", "wine", "fire", "poppy"]
SIGNS = {"track_order": "!!!!", "check_invoices": "????", OUT_OF_SCOPE: "...."}
RECIPE = """
name = "support-intent"
kind = "classification"
model = {model}
weights = "bf16"
[[data]]
path = "rows.csv"
[training]
learning_rate = 0.01
tokens_per_batch = 64
held_out = 0.2
[lora]
rank = 1
"""


@pytest.fixture(scope="module")
def trained(random_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter whose classes are told apart by the last signs of a text."""
    folder = tmp_path_factory.mktemp("trained")
    rows = [f"{word}{sign},{label}" for label, sign in SIGNS.items() for word in WORDS]
    (folder / "rows.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE.format(model=json.dumps(str(random_model))), encoding="utf-8")
    training = Training(recipe, folder, folder / "home", threads=1)
    train_adapter(training, lambda progress: None, lambda text: None)
    return folder


@pytest.fixture
def settings(random_model: Path, tmp_path: Path) -> Settings:
    return served(random_model, tmp_path)


@pytest.fixture
def engine(random_model: Path, tmp_path: Path) -> Iterator[Engine]:
    engine = load_engine(random_model, weights="bf16", threads=1, home=tmp_path / "home")
    yield engine
    engine.close()


@pytest.fixture
def adapter(trained: Path, settings: Settings) -> Path:
    """The trained adapter, where the server looks for it."""
    return Path(shutil.copytree(trained, settings.adapters_dir / "support-intent"))


def served(model: Path | str, folder: Path) -> Settings:
    return Settings(
        home=folder / "home",
        model=str(model),
        adapters_dir=folder / "adapters",
        database_url=f"sqlite:///{folder}/shop.db",
        api_keys=(),
    )


def assistant(engine: Engine, settings: Settings) -> SupportPipeline:
    return support_pipeline(Database(settings.database_url), DuetChatModel(engine=engine), settings)


def test_intents_come_from_the_adapter_of_the_served_base(
    engine: Engine, settings: Settings, adapter: Path
) -> None:
    pipeline = assistant(engine, settings)
    guess = pipeline.intents.recognize("lilac!!!!")
    assert guess.name == "track_order"
    assert 1 / 3 < guess.confidence <= 1
    assert pipeline.intents.recognize("lilac????").name == "check_invoice"  # the data's name for it differs
    assert pipeline.intents.recognize("lilac....").name == OUT_OF_SCOPE
    assert adapters_in_service(pipeline) == {"support-intent"}


def test_without_an_adapter_the_assistant_uses_the_packaged_examples(
    engine: Engine, settings: Settings
) -> None:
    pipeline = assistant(engine, settings)
    assert isinstance(pipeline.intents, ExampleIntents)
    assert pipeline.replies.adapter is None
    assert not adapters_in_service(pipeline)


@pytest.mark.parametrize("wrong", ["another base", "other labels", "no head", "broken settings"])
def test_an_adapter_that_does_not_fit_is_left_out(
    engine: Engine, settings: Settings, adapter: Path, wrong: str
) -> None:
    file = adapter / "adapter_config.json"
    if wrong == "another base":
        change(file, base_model_name_or_path=EDGE)
    elif wrong == "other labels":
        change(adapter / "classifier.json", labels=["rouge", "bleu", "vert"])
    elif wrong == "no head":
        weights = load_file(adapter / "adapter_model.safetensors")
        pairs = {name: tensor for name, tensor in weights.items() if ".lora_" in name}
        save_file(pairs, adapter / "adapter_model.safetensors")
    else:
        file.write_text("{", encoding="utf-8")
    assert isinstance(assistant(engine, settings).intents, ExampleIntents)


def test_an_adapter_in_service_cannot_be_unloaded(engine: Engine, settings: Settings, adapter: Path) -> None:
    runtime = assemble(engine, "tiny", settings, Metrics())
    try:
        assert "duet-support-intent" in [model.id for model in runtime.models.all()]
        with pytest.raises(RequestError, match="stands on 'support-intent'"):
            runtime.models.unload_adapter("support-intent")
        assert runtime.support.intents.recognize("lilac!!!!").name == "track_order"
    finally:
        runtime.database.close()


def test_replies_are_spoken_by_the_reply_adapter_without_examples(tmp_path: Path) -> None:
    settings = served(EDGE, tmp_path)
    note = write("order_shipped", "en", must=("order",), order="#W1234567")
    engine = load_engine(EDGE, weights="int8")
    try:
        bare, spoken = assistant(engine, settings), []
        write_silent_adapter(settings.adapters_dir / "support-reply", engine)
        adapted = assistant(engine, settings)
        assert (bare.replies.adapter, adapted.replies.adapter) == (None, "support-reply")
        read = []
        for pipeline in (bare, adapted):
            before = engine.statistics.prompt_tokens
            spoken.append("".join(pipeline.replies.stream([note], "where is it?", "en", [])))
            read.append(engine.statistics.prompt_tokens - before)
        assert all("W1234567" in text for text in spoken)
        assert read[1] < read[0] / 3
    finally:
        engine.close()


def change(file: Path, **values: object) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content | values), encoding="utf-8")


def write_silent_adapter(folder: Path, engine: Engine) -> None:
    """An adapter that changes nothing."""
    folder.mkdir(parents=True)
    outputs, inputs = module_shape(engine.config, "q_proj")
    name = "base_model.model.model.layers.0.self_attn.q_proj"
    weights = {
        f"{name}.lora_A.weight": torch.ones(1, inputs),
        f"{name}.lora_B.weight": torch.zeros(outputs, 1),
    }
    save_file(weights, folder / "adapter_model.safetensors")
    content = {"peft_type": "LORA", "r": 1, "lora_alpha": 1, "base_model_name_or_path": EDGE}
    (folder / "adapter_config.json").write_text(json.dumps(content), encoding="utf-8")
