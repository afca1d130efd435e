"""Tasks in tau2-bench's layout: what a good agent would have done, and what it would have told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from evaluation.errors import DataError


class Action(BaseModel):
    """A tool call of the benchmark: a name and its arguments."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    arguments: Mapping[str, Any]

    @property
    def order_number(self) -> str | None:
        """As the shop's database has it: upper case, without '#'."""
        number = self.arguments.get("order_id")
        return number.lstrip("#").upper() if isinstance(number, str) else None


class Criteria(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    actions: tuple[Action, ...] = ()
    communicate_info: tuple[str, ...] = ()

    @field_validator("actions", "communicate_info", mode="before")
    @classmethod
    def _nothing_is_none(cls, value: Any) -> Any:
        return value if value is not None else ()


class Task(BaseModel):
    """One customer's errand. Its free text is for a model that plays the customer: ours takes only names from it."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str
    criteria: Criteria = Field(alias="evaluation_criteria")
    scenario: Any = Field(default=None, alias="user_scenario")

    @property
    def scenario_words(self) -> set[str]:
        """The words of the free text, among them ids of the customer and order numbers."""
        return set(re.findall(r"\w+", json.dumps(self.scenario)))


def load_tasks(path: Path) -> list[Task]:
    """Raises DataError for a file that has no tasks."""
    try:
        tasks = TypeAdapter(list[Task]).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, ValidationError) as error:
        raise DataError(f"{path} is no list of tasks as tau2-bench writes them: {error}") from error
    if not tasks:
        raise DataError(f"{path} has no tasks")
    return tasks
