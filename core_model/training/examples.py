"""A recipe's files as examples to train on, to validate on, and to test on."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from core_model.training.data import DataFile, describe
from core_model.training.errors import TrainingDataError
from core_model.training.recipe import Recipe, find

Example = TypeVar("Example")


@dataclass(frozen=True)
class Examples(Generic[Example]):
    """No example is of two kinds: one of a test is trained on and validated on by no file, nor one held out by
    another. The training has each as often as the first file that has it says."""

    training: list[Example]
    held_out: list[Example]
    tests: dict[str, list[Example]]
    files: list[DataFile]
    left_out: int
    """Longer than the recipe's max_tokens."""


def read_examples(
    recipe: Recipe,
    folder: Path,
    data_dir: Path | None,
    read: Callable[[Path], list[Example]],
    key: Callable[[Example], Hashable],
    length: Callable[[Example], int],
) -> Examples[Example]:
    """Read each file with `read`; `key` tells equal examples, `length` is in tokens.

    Raises RecipeError for a file that is not there, and TrainingDataError where nothing is left to train on, or to
    test on.
    """
    schedule = recipe.training
    files: list[DataFile] = []
    left_out = 0

    def fitting(path: Path) -> list[Example]:
        nonlocal left_out
        examples = read(path)
        files.append(describe(path, len(examples)))
        kept = [example for example in examples if length(example) <= schedule.max_tokens]
        left_out += len(examples) - len(kept)
        return kept

    tests: dict[str, list[Example]] = defaultdict(list)
    for test in recipe.test:
        tests[test.name] += fitting(find(test, folder, data_dir))
    for name, examples in tests.items():
        if not examples:
            raise TrainingDataError(
                f"test {name!r} has no example of at most {schedule.max_tokens} tokens: raise training.max_tokens, "
                "or leave the test out"
            )
    taken = {key(example) for examples in tests.values() for example in examples}
    training: list[Example] = []
    held_out: list[Example] = []
    for source in recipe.data:
        found = {key(example): example for example in fitting(find(source, folder, data_dir))}
        unique = [example for identity, example in found.items() if identity not in taken]
        taken |= found.keys()
        random.Random(schedule.seed).shuffle(unique)
        count = max(1, round(len(unique) * schedule.held_out))
        held_out += unique[:count]
        training += unique[count:] * source.repeat
    if not training:
        raise TrainingDataError(
            f"nothing of at most {schedule.max_tokens} tokens is left to train on ({left_out} examples are longer): "
            "raise training.max_tokens, or give two examples at least"
        )
    return Examples(training, held_out, dict(tests), files, left_out)
