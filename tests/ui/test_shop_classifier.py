"""A shop's own words: from a CSV file to an adapter that is measured and then served."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from apps.settings import Settings
from core_model import Engine, load_engine
from core_model.training.adapter import Metrics as Figures
from core_model.training.adapter import Training, train_adapter
from core_model.training.errors import RecipeError
from core_model.training.recipe import read_recipe
from tests.ui.conftest import BorrowingRuntime, serving, wait_until_ready
from tests.ui.silent_adapters import write_silent_adapter
from ui.commands.csv_recipe import LEAST_OTHERS, OTHERS_FILE, ShopWords, write_recipe
from ui.metrics import Metrics
from ui.runtime import Runtime, assemble

SIGNS = {"DELIVERY": "!!!!", "SIZES": "####"}
WORDS = ["rose", "blood", "ruby", "cherry", "brick", "tomato", "lava", "wine", "fire", "poppy", "ash", "oak"]
NAME = "our-words"


def write_csv(path: Path, *more: str) -> Path:
    rows = [f"{word}{sign},{label}" for label, sign in SIGNS.items() for word in WORDS]
    path.write_text("\n".join(["said,means", *rows, *more]) + "\n", encoding="utf-8")
    return path


def words(csv_file: Path, model: Path | str) -> ShopWords:
    return ShopWords(csv_file, "said", "means", NAME, str(model))


def test_what_is_none_of_the_shops_business_is_learnt_along(tmp_path: Path) -> None:
    recipe = write_recipe(words(write_csv(tmp_path / "shop.csv"), "smollm2-135m-instruct"), tmp_path)
    sources = read_recipe(recipe).data
    assert [Path(source.path).name for source in sources] == ["shop.csv", OTHERS_FILE]
    assert sources[1].per_label == LEAST_OTHERS
    with (tmp_path / NAME / OTHERS_FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > LEAST_OTHERS
    assert {row["label"] for row in rows} == {"out_of_scope"}
    assert not any("{" in row["text"] for row in rows)


def test_a_file_with_rows_out_of_scope_of_its_own_is_taken_as_it_is(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "shop.csv", "nice weather,out_of_scope", "who won,out_of_scope")
    recipe = write_recipe(words(file, "smollm2-135m-instruct"), tmp_path)
    assert len(read_recipe(recipe).data) == 1
    assert not (tmp_path / NAME / OTHERS_FILE).exists()


def test_another_recipe_of_that_name_is_not_overwritten(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "shop.csv")
    first = write_recipe(words(file, "smollm2-135m-instruct"), tmp_path)
    assert write_recipe(words(file, "smollm2-135m-instruct"), tmp_path) == first
    with pytest.raises(RecipeError, match="another --name"):
        write_recipe(words(file, "qwen2.5-coder-0.5b-instruct"), tmp_path)


@pytest.fixture(scope="module")
def adapters(random_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DUET_ADAPTERS_DIR with an adapter from a CSV file, on a tiny random model."""
    folder = tmp_path_factory.mktemp("adapters")
    recipe = write_recipe(words(write_csv(folder / "shop.csv"), random_model), folder)
    schedule = "epochs = 6\nlearning_rate = 0.01\n[lora]\nrank = 1\n"
    recipe.write_text(recipe.read_text(encoding="utf-8") + schedule, encoding="utf-8")
    assert set(train(recipe)["held-out"]) >= {"in_scope_accuracy", "oos_recall"}
    return folder


def train(recipe: Path) -> Figures:
    training = Training(recipe, recipe.parent, recipe.parents[1] / "home", threads=1)
    return train_adapter(training, lambda progress: None, lambda text: None)


@pytest.fixture(scope="module")
def engine(random_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = load_engine(random_model, weights="int4", threads=1, home=tmp_path_factory.mktemp("home"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def url(
    engine: Engine, random_model: Path, adapters: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server with the adapter, and a reader that changes nothing."""
    write_silent_adapter(adapters / "support-reader", engine, random_model.name)
    never_measured = Path(shutil.copytree(adapters / NAME, adapters / "never-measured"))
    (never_measured / "metrics.json").unlink()
    folder = tmp_path_factory.mktemp("server")
    settings = Settings(
        home=folder, adapters_dir=adapters, database_url=f"sqlite:///{folder}/shop.db", api_keys=()
    )

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        return BorrowingRuntime(**vars(assemble(engine, random_model.name, settings, metrics)))

    with serving(settings, load) as url:
        wait_until_ready(url)
        yield url


def post(url: str, route: str, **body: object) -> httpx.Response:
    return httpx.post(f"{url}/{route}", json=body, timeout=60)


def test_the_adapter_classifies_over_http(url: str) -> None:
    answer = post(url, "v1/classify", model=f"duet-{NAME}", input=["lilac!!!!", "tower####"]).json()
    assert answer["object"] == "list"
    assert answer["usage"]["prompt_tokens"] > 0
    for number, row in enumerate(answer["data"]):
        assert row["index"] == number
        assert row["label"] in {"DELIVERY", "SIZES", "out_of_scope"}
        assert row["num_classes"] == len(row["probs"]) == 3
        assert sum(row["probs"]) == pytest.approx(1, abs=1e-4)
        assert 0 < row["confidence"] <= 1
        assert row["label"] not in {other["label"] for other in row["alternatives"]}
    one = post(url, "v1/classify", model=NAME, input="lilac!!!!").json()
    assert one["data"][0]["label"] == answer["data"][0]["label"]


def test_the_support_api_classifies_with_the_adapter_or_reads(url: str) -> None:
    text = "lilac!!!! order W1234567"
    answer = post(url, "api/support/classify", text=text, adapter=NAME).json()
    assert answer["intent"]["name"] in {"DELIVERY", "SIZES", "out_of_scope"}
    assert answer["intent"]["alternatives"]
    assert answer["entities"]["order_numbers"] == ["W1234567"]
    assert answer["commands"] == ""
    assert post(url, "api/support/classify", text=text).json()["commands"]


def test_a_classifier_does_not_chat_and_other_models_do_not_classify(url: str, random_model: Path) -> None:
    chat = post(url, "v1/chat/completions", model=NAME, messages=[{"role": "user", "content": "hi"}])
    assert (chat.status_code, "/v1/classify" in chat.text) == (400, True)
    base = post(url, "v1/classify", model=random_model.name, input="hi")
    assert (base.status_code, NAME in base.text) == (400, True)
    assert post(url, "v1/classify", model="nobody", input="hi").status_code == 404
    assert post(url, "api/support/classify", text="hi", adapter="nobody").status_code == 404
    assert post(url, "v1/classify", model=NAME, input=[]).status_code == 400


def test_what_was_never_measured_is_not_served(url: str, adapters: Path) -> None:
    models = [model["id"] for model in httpx.get(f"{url}/v1/models").json()["data"]]
    assert f"duet-{NAME}" in models
    assert "duet-never-measured" not in models
    folder = str(adapters / "never-measured")
    loaded = post(url, "v1/load_lora_adapter", lora_name="never-measured", lora_path=folder)
    assert (loaded.status_code, "never measured" in loaded.text) == (400, True)
