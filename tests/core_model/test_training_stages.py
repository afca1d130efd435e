"""Preferences, plain text, stages one after the other, and a step in less memory, on a tiny random model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from core_model.checkpoint import load_checkpoint
from core_model.lora import load_adapter
from core_model.tokenizer import Tokenizer
from core_model.training import curriculum, trainable
from core_model.training.adapter import Metrics, Training
from core_model.training.errors import RecipeError, TrainingDataError
from core_model.training.lora_training import TrainingProgress
from core_model.training.losses import token_losses
from core_model.training.preferences import PreferenceObjective, read_preference_data
from core_model.training.recipe import LoraShape, Recipe, read_recipe, read_training, write_toml

TEMPLATE = "{% for message in messages %}{{ message.content }}<|end|>{% endfor %}"
SCHEDULE = (
    "learning_rate = 0.03\ntokens_per_batch = 96\nheld_out = 0.2\nmax_tokens = 64\npatience = 99\nepochs = 6"
)


@pytest.fixture
def base(random_model: Path, tmp_path: Path) -> Path:
    """A tiny model with a chat template."""
    folder = tmp_path / "base"
    shutil.copytree(random_model, folder)
    settings = {"eos_token": "<|end|>", "chat_template": TEMPLATE}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def write_recipe(folder: Path, base: Path, name: str, kind: str, data: str, more: str = "") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(
        f'name = "{name}"\nkind = "{kind}"\nmodel = {json.dumps(str(base))}\nweights = "bf16"\n{more}\n'
        f'[[data]]\npath = "{data}"\n[training]\n{SCHEDULE}\n[lora]\nrank = 1\n',
        encoding="utf-8",
    )
    return path


def write_pairs(folder: Path) -> Path:
    """Polite replies are preferred."""
    rows = [
        {"messages": [{"role": "user", "content": f"{word}?"}], "chosen": "yes !!!!", "rejected": "no ????"}
        for word in ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
    ]
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def train(recipe: Path, output: Path, *, resume: bool = False, stop_at: int | None = None) -> Metrics:
    def report(progress: TrainingProgress) -> None:
        if progress.step == stop_at:
            raise KeyboardInterrupt

    training = Training(recipe, output, output.parent / "home", threads=1, resume=resume)
    return curriculum.train(training, report, lambda text: None)


def test_what_is_preferred_becomes_likelier(base: Path, tmp_path: Path) -> None:
    write_pairs(tmp_path)
    metrics = train(write_recipe(tmp_path, base, "polite", "preference", "pairs.jsonl"), tmp_path / "out")
    assert metrics["held-out"]["preferred"] == 1
    assert metrics["held-out"]["loss"] < 0.6931  # of a model that has learnt nothing
    assert metrics["general text"].keys() == metrics["general text, base alone"].keys()
    picture = (tmp_path / "out" / "curves.svg").read_text(encoding="utf-8")
    assert picture.count("<polyline") == 2
    assert "curves.svg" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_an_interrupted_preference_training_goes_on_to_the_same_weights(base: Path, tmp_path: Path) -> None:
    write_pairs(tmp_path)
    recipe = write_recipe(tmp_path, base, "polite", "preference", "pairs.jsonl")
    train(recipe, tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "broken", stop_at=4)
    train(recipe, tmp_path / "broken", resume=True)
    one, other = (tmp_path / name / "adapter_model.safetensors" for name in ("straight", "broken"))
    assert one.read_bytes() == other.read_bytes()


def test_the_preference_loss_is_dpos(base: Path, tmp_path: Path) -> None:
    write_pairs(tmp_path)
    recipe = write_recipe(tmp_path, base, "polite", "preference", "pairs.jsonl")
    checkpoint = load_checkpoint(base)
    data = read_preference_data(read_recipe(recipe), tmp_path, None, Tokenizer(checkpoint.tokenizer))
    adapted = trainable.adapt(
        trainable.base_model(checkpoint, "bf16", None), LoraShape(rank=1), classification=False
    ).eval()
    objective = PreferenceObjective(data, 0.3, 96)
    objective.prepare(adapted)
    with torch.no_grad():
        for name, tensor in adapted.named_parameters():
            if "lora_B" in name:
                tensor.fill_(0.05)
    pair = data.held_out[0]

    def likelihood(row: object, *, now: bool) -> torch.Tensor:
        tokens, target = torch.tensor([row.tokens]), row.target  # type: ignore[attr-defined]
        with torch.no_grad():
            if now:
                logits = adapted(input_ids=tokens).logits
            else:
                with adapted.disable_adapter():
                    logits = adapted(input_ids=tokens).logits
        return -F.cross_entropy(logits[0, target - 1 : -1].float(), tokens[0, target:], reduction="sum")

    margin = [likelihood(pair.chosen, now=now) - likelihood(pair.rejected, now=now) for now in (True, False)]
    expected = -F.logsigmoid(0.3 * (margin[0] - margin[1]))
    found = objective.scores(adapted, [pair])
    assert found["loss"] == pytest.approx(float(expected), abs=0.02)  # bfloat16


def test_plain_text_is_learnt(base: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("to be or not to be " * 60, encoding="utf-8")
    metrics = train(write_recipe(tmp_path, base, "prose", "pretrain", "text.txt"), tmp_path / "out")
    assert metrics["held-out"]["loss"] < metrics["held-out, base alone"]["loss"]


def test_a_curriculum_goes_on_from_stage_to_stage_and_where_it_was_interrupted(
    base: Path, tmp_path: Path
) -> None:
    write_pairs(tmp_path)
    (tmp_path / "text.txt").write_text("yes !!!! " * 60, encoding="utf-8")
    write_recipe(tmp_path, base, "prose", "pretrain", "text.txt")
    write_recipe(tmp_path, base, "polite", "preference", "pairs.jsonl")
    path = tmp_path / "course.toml"
    path.write_text('name = "course"\nkind = "curriculum"\nstages = ["prose.toml", "polite.toml"]\n')
    straight = train(path, tmp_path / "straight")
    assert (tmp_path / "straight" / "stages" / "1-prose" / "metrics.json").is_file()
    alone = train(tmp_path / "polite.toml", tmp_path / "alone")
    assert straight["held-out"] != alone["held-out"]

    told: list[str] = []

    def interrupt(progress: TrainingProgress) -> None:
        if (tmp_path / "broken" / "stages" / "1-prose" / "metrics.json").is_file() and progress.step == 2:
            raise KeyboardInterrupt

    training = Training(path, tmp_path / "broken", tmp_path / "home", threads=1)
    with pytest.raises(KeyboardInterrupt):
        curriculum.train(training, interrupt, told.append)
    resumed = Training(path, tmp_path / "broken", tmp_path / "home", threads=1, resume=True)
    curriculum.train(resumed, lambda progress: None, told.append)
    assert "stage 1 of 2, prose: done" in told
    one, other = (tmp_path / name / "adapter_model.safetensors" for name in ("straight", "broken"))
    assert one.read_bytes() == other.read_bytes()
    assert load_adapter(tmp_path / "broken", load_checkpoint(base).config).rank == 1


def test_what_goes_on_from_a_stage_that_is_trained_again_is_trained_again(base: Path, tmp_path: Path) -> None:
    for name, text in (("one", "yes !!!! "), ("two", "no ???? "), ("three", "may be ")):
        (tmp_path / f"{name}.txt").write_text(text * 60, encoding="utf-8")
        write_recipe(tmp_path, base, name, "pretrain", f"{name}.txt")
    path = tmp_path / "course.toml"
    path.write_text('name = "course"\nkind = "curriculum"\nstages = ["one.toml", "two.toml", "three.toml"]\n')
    train(path, tmp_path / "course")
    first = tmp_path / "one.toml"
    first.write_text(first.read_text(encoding="utf-8").replace("epochs = 6", "epochs = 3"), encoding="utf-8")
    stages = tmp_path / "course" / "stages"

    def interrupt_between_the_stages(progress: TrainingProgress) -> None:
        if (stages / "1-one" / "recipe.toml").read_bytes() == first.read_bytes():
            raise KeyboardInterrupt

    told: list[str] = []
    resumed = Training(path, tmp_path / "course", tmp_path / "home", threads=1, resume=True)
    with pytest.raises(KeyboardInterrupt):
        curriculum.train(resumed, interrupt_between_the_stages, told.append)
    curriculum.train(resumed, lambda progress: None, told.append)
    assert [line for line in told if line.startswith("stage")] == [
        "stage 1 of 3: one",
        "stage 2 of 3: two",
        "stage 1 of 3, one: done",
        "stage 2 of 3: two",
        "stage 3 of 3: three",
    ]
    train(path, tmp_path / "straight")
    one, other = (tmp_path / name / "adapter_model.safetensors" for name in ("straight", "course"))
    assert one.read_bytes() == other.read_bytes()


def test_a_test_whose_rows_are_all_too_long_is_refused_before_the_training(
    base: Path, tmp_path: Path
) -> None:
    write_pairs(tmp_path)
    long = {"messages": [{"role": "user", "content": "a" * 200}], "chosen": "yes", "rejected": "no"}
    (tmp_path / "long.jsonl").write_text(json.dumps(long) + "\n", encoding="utf-8")
    recipe = write_recipe(tmp_path, base, "polite", "preference", "pairs.jsonl")
    with recipe.open("a", encoding="utf-8") as file:
        file.write('[[test]]\nname = "long"\npath = "long.jsonl"\n')
    with pytest.raises(TrainingDataError, match="test 'long' has no example of at most 64 tokens"):
        train(recipe, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_two_files_say_is_not_trained_on_and_held_out(base: Path, tmp_path: Path) -> None:
    write_pairs(tmp_path)
    shutil.copy(tmp_path / "pairs.jsonl", tmp_path / "again.jsonl")
    recipe = write_recipe(tmp_path, base, "polite", "preference", "pairs.jsonl")
    with recipe.open("a", encoding="utf-8") as file:
        file.write('[[data]]\npath = "again.jsonl"\n')
    tokenizer = Tokenizer(load_checkpoint(base).tokenizer)
    data = read_preference_data(read_recipe(recipe), tmp_path, None, tokenizer)
    assert (len(data.training), len(data.held_out)) == (8, 2)
    assert not {pair.key for pair in data.training} & {pair.key for pair in data.held_out}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"messages": [], "chosen": "a", "rejected": "b"}', "two different replies to messages"),
        ('{"messages": [{"role": "user", "content": "x"}], "chosen": "a", "rejected": "a"}', "two different"),
        ('{"chosen": "a"}', r"line 1: not \{"),
    ],
)
def test_what_is_wrong_with_a_pair_is_said(base: Path, tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "pairs.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(TrainingDataError, match=message):
        train(write_recipe(tmp_path, base, "polite", "preference", "pairs.jsonl"), tmp_path / "out")


def test_a_curriculum_needs_stages(tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    path.write_text('name = "course"\nkind = "curriculum"\nstages = ["one.toml"]\n')
    with pytest.raises(RecipeError, match="stages"):
        read_training(path)


def test_a_recipe_is_written_as_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    content = 'name = "a"\nkind = "chat"\nsuffix = "\\nx: ä\\""\n[[data]]\npath = "x"\nonly = ["b", "c"]\n'
    path.write_text(f'{content}[[test]]\nname = "t"\npath = "y"\n[lora]\nrank = 3\n', encoding="utf-8")
    recipe = read_recipe(path)
    path.write_text(write_toml(recipe), encoding="utf-8")
    assert read_recipe(path) == recipe
    assert isinstance(recipe, Recipe)


@pytest.mark.parametrize("every", [1, 2])
def test_recomputed_layers_change_no_gradient(random_model: Path, every: int) -> None:
    checkpoint = load_checkpoint(random_model)
    tokens = torch.arange(40).reshape(2, 20) + 60
    wanted = torch.arange(20).expand(2, -1) >= 10

    def gradients(recomputed: bool) -> list[torch.Tensor]:
        torch.manual_seed(1)
        base = trainable.base_model(checkpoint, "bf16", None).float()
        adapted = trainable.adapt(base, LoraShape(rank=1), classification=False).train()
        if recomputed:
            trainable.recompute(adapted, every)
        token_losses(adapted, tokens, wanted).sum().backward()
        return [p.grad for p in adapted.parameters() if p.grad is not None]

    plain, again = gradients(False), gradients(True)
    assert len(plain) == len(again) > 0
    for one, other in zip(plain, again, strict=True):
        torch.testing.assert_close(one, other)
