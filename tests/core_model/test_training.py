from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core_model.causal_lm import load_engine
from core_model.checkpoint import load_checkpoint
from core_model.classifier import Classifier, ClassifierSettings
from core_model.errors import AdapterError
from core_model.training import trainable
from core_model.training.adapter import Metrics, Training, train_adapter
from core_model.training.batches import Row, make_batches
from core_model.training.classification import IN_SCOPE_COST, calibrate
from core_model.training.data import Example
from core_model.training.errors import RecipeError, TrainingDataError, TrainingError
from core_model.training.lora_training import TrainingProgress
from core_model.training.recipe import LoraShape, read_recipe
from tests.core_model.published import random_model as random_transformer
from tests.core_model.published import write_folder

COLOURS = {
    "red": ["rose", "blood", "ruby", "cherry", "brick", "tomato", "lava", "wine", "fire", "poppy"],
    "blue": ["sky", "sea", "ocean", "denim", "ice", "navy", "azure", "lake", "whale", "cobalt"],
    "out_of_scope": ["seven", "walk", "quick", "never", "sing", "chair", "left", "month", "why", "paper"],
}
SIGNS = {"red": "!" * 12, "blue": "?" * 12, "out_of_scope": "." * 12}


@pytest.fixture
def recipe(random_model: Path, tmp_path: Path) -> Path:
    """A recipe for the tiny random models, with its data beside it."""
    # Most of a row tells its class, and it ends just before the answer: what random weights can learn from ten rows
    # by so wide a margin that no processor's way of rounding decides it.
    rows = [f"{word}{SIGNS[label]},{label}" for label, words in COLOURS.items() for word in words]
    (tmp_path / "colours.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return write_recipe(tmp_path, random_model)


def write_recipe(folder: Path, model: Path, training: str = "", lora: str = "rank = 1") -> Path:
    path = folder / "recipe.toml"
    path.write_text(
        f"""
name = "colours"
kind = "classification"
model = {json.dumps(str(model))}
weights = "bf16"
suffix = ":"
[[data]]
path = "colours.csv"
[training]
learning_rate = 0.01
tokens_per_batch = 64
held_out = 0.2
{training}
[lora]
{lora}
""",
        encoding="utf-8",
    )
    return path


def train(recipe: Path, output: Path, *, resume: bool = False, stop_at: int | None = None) -> Metrics:
    def report(progress: TrainingProgress) -> None:
        if progress.step == stop_at:
            raise KeyboardInterrupt

    training = Training(recipe, output, output.parent / "home", threads=1, resume=resume)
    return train_adapter(training, report, lambda text: None)


def test_ten_rows_a_label_give_an_adapter_that_classifies_new_texts(recipe: Path, tmp_path: Path) -> None:
    # Six held-out rows are too few to stop by: the one that the last bits decide would decide all.
    write_recipe(tmp_path, Path(read_recipe(recipe).model), "epochs = 12\npatience = 99")
    metrics = train(recipe, tmp_path / "adapter")
    assert set(metrics["held-out"]) == {
        "accuracy",
        "macro_f1",
        "ece",
        "in_scope_accuracy",
        "oos_recall",
    }
    engine = load_engine(read_recipe(recipe).model, weights="bf16", threads=1, home=tmp_path / "home")
    try:
        classifier = Classifier.load(engine, tmp_path / "adapter")
        labels = ["red", "blue", "out_of_scope", "red", "blue"]
        texts = [
            word + SIGNS[label]
            for word, label in zip(["lilac", "tower", "holiday", "coat", "flag"], labels, strict=True)
        ]
        answers = classifier.classify_all(texts)
        assert [answer.ranked[0][0] for answer in answers] == labels
        assert classifier.classify(texts[0]).label == answers[0].label
    finally:
        engine.close()


def test_served_logits_are_those_of_peft(recipe: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification

    train(recipe, tmp_path / "adapter")
    model = read_recipe(recipe).model
    engine = load_engine(model, weights="fp32", threads=1, home=tmp_path / "home")
    try:
        classifier = Classifier.load(engine, tmp_path / "adapter")
        base = AutoModelForSequenceClassification.from_pretrained(
            model, num_labels=len(classifier.settings.labels), dtype=torch.float32
        )
        peft = PeftModel.from_pretrained(base, str(tmp_path / "adapter")).float().eval()
        for text in ("rose", "a long sentence about the sea and the sky", "", "红色"):
            prompt = classifier.encode(text)
            with torch.inference_mode():
                expected = peft(input_ids=torch.tensor([prompt])).logits[0].numpy()
            np.testing.assert_allclose(classifier.logits([prompt])[0], expected, rtol=1e-3, atol=1e-3)
    finally:
        engine.close()


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_a_base_with_biases_and_stretched_positions_is_trained_as_it_is(family: str, tmp_path: Path) -> None:
    published = random_transformer(family, "yarn", bias="attention mlp")
    checkpoint = load_checkpoint(write_folder(published, tmp_path / family))
    base = trainable.base_model(checkpoint, "bf16", None).eval()
    tokens = torch.arange(40)[None] + 60
    with torch.inference_mode():
        actual, expected = base(tokens).logits, published(tokens).logits
    assert (actual - expected).norm() / expected.norm() < 0.05  # bfloat16


def test_an_interrupted_training_goes_on_to_the_same_weights(recipe: Path, tmp_path: Path) -> None:
    write_recipe(tmp_path, Path(read_recipe(recipe).model), "epochs = 3\npatience = 99")
    train(recipe, tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "broken", stop_at=5)
    train(recipe, tmp_path / "broken", resume=True)
    one, other = (
        (tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("straight", "broken")
    )
    assert one == other


def test_resuming_refuses_another_recipe(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "adapter", stop_at=3)
    write_recipe(tmp_path, Path(read_recipe(recipe).model), "seed = 2")
    with pytest.raises(TrainingError, match="another recipe"):
        train(recipe, tmp_path / "adapter", resume=True)


def test_a_training_into_another_folder_leaves_an_interrupted_one_of_the_same_name(
    recipe: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "first", stop_at=5)
    train(recipe, tmp_path / "other")
    train(recipe, tmp_path / "first", resume=True)
    assert (tmp_path / "first" / "metrics.json").is_file()


def test_a_test_without_rows_is_refused_before_the_training(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("text,label\n", encoding="utf-8")
    with recipe.open("a", encoding="utf-8") as file:
        file.write('[[test]]\nname = "kept"\npath = "none.csv"\n')
    with pytest.raises(TrainingDataError, match="test 'kept' has no rows"):
        train(recipe, tmp_path / "adapter")
    assert not (tmp_path / "adapter").exists()


def test_there_must_be_something_to_resume(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nothing to resume"):
        train(recipe, tmp_path / "adapter", resume=True)


def test_an_adapter_of_more_than_its_share_is_refused_with_the_rank_that_fits(
    recipe: Path, tmp_path: Path
) -> None:
    write_recipe(tmp_path, Path(read_recipe(recipe).model), lora="rank = 32")
    with pytest.raises(RecipeError, match=r"at most 3\.7%.*use rank \d"):
        train(recipe, tmp_path / "adapter")


def test_layers_below_the_first_adapted_one_stay_as_they_are(random_model: Path) -> None:
    base = trainable.base_model(load_checkpoint(random_model), "bf16", 2)
    adapted = trainable.adapt(base, LoraShape(rank=1, first_layer=2), classification=True)
    layers = {name.split("layers.")[1][0] for name, _ in adapted.named_parameters() if ".lora_" in name}
    assert layers == {"2"}


def test_the_card_says_what_the_adapter_was_made_from(recipe: Path, tmp_path: Path) -> None:
    metrics = train(recipe, tmp_path / "adapter")
    card = (tmp_path / "adapter" / "README.md").read_text(encoding="utf-8")
    content = json.loads((tmp_path / "adapter" / "metrics.json").read_text(encoding="utf-8"))
    assert content["data"][0]["rows"] == 30
    assert content["data"][0]["sha256"] in card
    assert content["metrics"] == metrics
    assert content["share_of_base"] <= 0.037
    assert recipe.read_text(encoding="utf-8").strip() in card
    assert str(tmp_path / "colours.csv") not in card.split("## How", 1)[0]


def test_rows_of_a_test_are_not_trained_on(recipe: Path, tmp_path: Path) -> None:
    kept = f"text,label\nRose{SIGNS['red']},red\nsky{SIGNS['blue']},blue\n"
    (tmp_path / "test.csv").write_text(kept, encoding="utf-8")
    with recipe.open("a") as file:
        file.write('[[test]]\nname = "kept"\npath = "test.csv"\n')
    metrics = train(recipe, tmp_path / "adapter")
    assert "kept" in metrics
    assert "2 rows were not trained on" in (tmp_path / "adapter" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("word,label\nrose,red\n", "no column 'text'; separated by ',' it has word, label"),
        ("word;label\nrose;red\n", "no column 'text'; separated by ';' it has word, label"),
        ("text,label\nrose,red\n,blue\n", "line 3 has an empty text"),
        ('text;label\n"ro\nse";red\nsky;\n', "line 4 has an empty label"),
        ("text,label\nrose,red\nsky,blue\nsea,blue\n", "'red' has a single row"),
        ("text,label\nrose,red\nruby,red\n", "two labels at least"),
    ],
)
def test_what_is_wrong_with_the_data_is_said(
    recipe: Path, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "colours.csv").write_text(content, encoding="utf-8")
    with pytest.raises(TrainingDataError, match=message):
        train(recipe, tmp_path / "adapter")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "is not TOML"),
        ('name = "a"\nkind = "classification"\ndata = []', "data: "),
        ('name = "a"\nkind = "poem"\n[[data]]\npath = "x"', "kind: "),
        ('name = "a"\nkind = "chat"\n[[data]]\npath = "x"\n[lora]\nrankk = 2', r"lora\.rankk"),
        ('name = "../a"\nkind = "chat"\n[[data]]\npath = "x"', "name: "),
    ],
)
def test_what_is_wrong_with_a_recipe_is_said(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=message):
        read_recipe(path)


def test_a_missing_data_file_is_named_with_the_places_looked_at(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "colours.csv").unlink()
    with pytest.raises(RecipeError, match=r"colours\.csv.*--data-dir"):
        train(recipe, tmp_path / "adapter")


def test_a_folder_without_classifier_settings_is_no_classifier(recipe: Path, tmp_path: Path) -> None:
    train(recipe, tmp_path / "adapter")
    (tmp_path / "adapter" / "classifier.json").unlink()
    engine = load_engine(read_recipe(recipe).model, weights="bf16", threads=1, home=tmp_path / "home")
    try:
        with pytest.raises(AdapterError, match=r"no classifier\.json"):
            Classifier.load(engine, tmp_path / "adapter")
    finally:
        engine.close()


def test_the_threshold_uses_all_the_room_that_right_answers_leave() -> None:
    settings = ClassifierSettings(("blue", "out_of_scope", "red"), "\nIntent:", 64)
    sure = np.linspace(0.3, 6.0, 100)  # logits of right answers, from hardly sure to very sure
    logits = np.zeros((160, 3), np.float32)
    logits[:100, 0] = sure
    logits[100:, 1] = 3.0
    rows = [Example(str(n), "blue" if n < 100 else "out_of_scope") for n in range(160)]
    temperature, threshold = calibrate(logits, rows, settings)
    decided = [replace(settings, temperature=temperature, threshold=threshold).decide(row) for row in logits]
    assert sum(answer.label == "blue" for answer in decided[:100]) >= (1 - IN_SCOPE_COST) * 100
    assert all(answer.label == "out_of_scope" for answer in decided[100:])
    assert calibrate(logits[:100], rows[:100], settings)[1] == 0.0


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=200),
    budget=st.integers(16, 300),
    seed=st.none() | st.integers(0, 9),
)
def test_batches_hold_every_row_once_and_keep_to_the_budget(
    lengths: list[int], budget: int, seed: int | None
) -> None:
    rows = [Row(list(range(1, length + 1)), index) for index, length in enumerate(lengths)]
    batches = make_batches(rows, budget, None if seed is None else random.Random(seed))
    seen = sorted(int(target) for batch in batches for target in batch.targets)
    assert seen == list(range(len(rows)))
    for batch in batches:
        assert batch.tokens.numel() <= budget or len(batch.lengths) == 1
        for row, length, target in zip(batch.tokens, batch.lengths, batch.targets, strict=True):
            assert row[:length].tolist() == rows[int(target)].tokens


def test_little_of_a_batch_is_padding() -> None:
    rng = random.Random(1)
    rows = [Row([1] * rng.randint(4, 40), 0) for _ in range(3000)]
    batches = make_batches(rows, 512, rng)
    padded = sum(batch.tokens.numel() for batch in batches)
    assert sum(batch.real_tokens for batch in batches) / padded > 0.95


def test_an_outcome_tells_when_the_best_weights_were_found(recipe: Path, tmp_path: Path) -> None:
    seen: list[TrainingProgress] = []
    train_adapter(
        Training(recipe, tmp_path / "adapter", tmp_path / "home", threads=1), seen.append, lambda text: None
    )
    validations = [progress for progress in seen if progress.validation]
    content = json.loads((tmp_path / "adapter" / "metrics.json").read_text(encoding="utf-8"))
    best = max(validations, key=lambda progress: (progress.validation.score, -progress.step))  # type: ignore[union-attr]
    assert content["training"]["best_step"] == best.step
