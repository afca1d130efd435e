"""What an adapter is made of: base, data, low-rank shape, schedule. One TOML file beside the weights."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core_model import catalog
from core_model.training.errors import RecipeError

FILE_NAME = "recipe.toml"
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
Module = Literal["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Read = TypeVar("Read", bound=_Section)


class Source(_Section):
    """Rows of one CSV file (classification), of one JSONL file of conversations (chat), prompts (completion) or pairs
    of replies (preference), or one plain text (pretrain)."""

    path: str
    """Looked for beside the recipe first, then in the data folder (`--data-dir`)."""
    text: str = "text"
    """Column of the utterance."""
    label: str = "label"
    """Column of the label."""
    only: tuple[str, ...] = ()
    """Labels to take; none named: all."""
    as_label: str | None = None
    """Give every row this label, whatever its column says."""
    per_label: Annotated[int, Field(ge=1)] | None = None
    """Take at most so many rows of each label, drawn with the recipe's seed."""
    repeat: Annotated[int, Field(ge=1, le=20)] = 1
    """How often a row is seen in an epoch."""


class TestSource(Source):
    """Rows that are measured at the end and never trained on."""

    name: Annotated[str, Field(min_length=1)]
    """Sources of the same name are one test."""


class LoraShape(_Section):
    """The low-rank pairs (arXiv 2106.09685)."""

    rank: Annotated[int, Field(ge=1, le=256)] = 16
    alpha: Annotated[float, Field(gt=0)] = 32.0
    modules: tuple[Module, ...] = (
        "q_proj",
        "k_proj",
        "v_proj",
        "o_proj",
        "gate_proj",
        "up_proj",
        "down_proj",
    )
    first_layer: Annotated[int, Field(ge=0)] = 0
    """Layers below it stay as they are: no gradient goes through them, which saves their time."""


class Schedule(_Section):
    """How long and how fast. Epochs end early when `patience` validations brought nothing better."""

    epochs: Annotated[float, Field(gt=0)] | None = None
    """None: 4, or as many as make 300 steps where the data are few (at most 40)."""
    tokens_per_batch: Annotated[int, Field(ge=16)] = 512
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 3e-4
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.06
    """Part of the steps in which the rate rises."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    head_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Chance that a row is seen with typing errors, without capitals or without punctuation."""
    held_out: Annotated[float, Field(gt=0, lt=0.5)] = 0.06
    """Part of the rows kept for validation, calibration and the out-of-scope threshold."""
    validations_per_epoch: Annotated[int, Field(ge=1)] = 1
    patience: Annotated[int, Field(ge=1)] = 3
    max_tokens: Annotated[int, Field(ge=64)] = 128
    """Longer rows are cut in the middle (classification) or left out (chat)."""
    seed: int = 1


class Curriculum(_Section):
    """Recipes that are trained one after the other, each going on from the adapter of the one before."""

    name: Name
    kind: Literal["curriculum"]
    stages: Annotated[tuple[str, ...], Field(min_length=2)]
    """Recipes, by their path from the curriculum's folder."""


class Recipe(_Section):
    """All that is needed to make the adapter again."""

    name: Name
    kind: Literal["classification", "chat", "completion", "preference", "pretrain"]
    model: str = catalog.DEFAULT_MODEL
    weights: Literal["int4", "int8", "bf16"] = "int4"
    """How the base will be served: it is rounded to these bits before training, though without calibration."""
    begin_with: str | None = None
    """A folder with an adapter of the same shape, beside the recipe: its weights are where training begins."""
    suffix: Annotated[str, Field(min_length=1, max_length=40)] = "\nIntent:"
    """Follows each text to be classified: the question whose answer the head reads off."""
    out_of_scope: str = "out_of_scope"
    """The label of rows that belong to no class."""
    beta: Annotated[float, Field(gt=0)] = 0.1
    """preference: how dear it is to leave what the model was before (DPO's beta)."""
    data: Annotated[tuple[Source, ...], Field(min_length=1)]
    test: tuple[TestSource, ...] = ()
    lora: LoraShape = LoraShape()
    training: Schedule = Schedule()


def read_recipe(path: Path) -> Recipe:
    """Raises RecipeError naming the file, the key and what is wrong with it."""
    return _checked(Recipe, _read(path), path)


def read_training(path: Path) -> Recipe | Curriculum:
    """A recipe, or a curriculum that names several. Raises RecipeError as `read_recipe`."""
    content = _read(path)
    if content.get("kind") == "curriculum":
        return _checked(Curriculum, content, path)
    return _checked(Recipe, content, path)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not TOML: {error}") from error


def _checked(kind: type[Read], content: dict[str, Any], path: Path) -> Read:
    try:
        return kind(**content)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, item['loc'])) or 'recipe'}: {item['msg']}" for item in error.errors()]
        raise RecipeError(f"{path}: {'; '.join(wrong)}") from error


def write_toml(recipe: Recipe) -> str:
    """The recipe as `read_recipe` reads it. TOML writes texts, numbers, truth and lists as JSON does."""

    def lines(section: Mapping[str, object]) -> list[str]:
        given = {name: value for name, value in section.items() if value is not None}
        return [
            f"{name} = {json.dumps(value, ensure_ascii=False)}"
            for name, value in given.items()
            if not isinstance(value, dict) and not (isinstance(value, list | tuple) and name in tables)
        ]

    content = recipe.model_dump(exclude_defaults=True)
    tables = ("data", "test")
    written = lines(content)
    for name in tables:
        for row in content.get(name, ()):
            written += ["", f"[[{name}]]", *lines(row)]
    for name in ("training", "lora"):
        if content.get(name):
            written += ["", f"[{name}]", *lines(content[name])]
    return "\n".join(written) + "\n"


def find(source: Source, recipe_folder: Path, data_dir: Path | None) -> Path:
    """The file of a source. Raises RecipeError naming the places that were looked at."""
    places = [folder / source.path for folder in (recipe_folder, data_dir) if folder is not None]
    for place in places:
        if place.is_file():
            return place
    hint = "" if data_dir else " (--data-dir names another folder to look in)"
    raise RecipeError(f"no file {' or '.join(map(str, places))}{hint}")
