"""The direction of imports: core_model <- apps <- evaluation <- ui; nothing imports a floor above."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ["core_model", "apps", "evaluation", "ui"]


def imported_packages(file: Path) -> set[str]:
    """Top-level names of all modules that the file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("floor", FLOORS)
def test_no_file_imports_a_floor_above_its_own(floor: str) -> None:
    above = set(FLOORS[FLOORS.index(floor) + 1 :])
    wrong = {
        str(file.relative_to(ROOT)): sorted(found)
        for file in sorted((ROOT / floor).rglob("*.py"))
        if (found := imported_packages(file) & above)
    }
    assert not wrong


def test_the_core_and_the_apps_never_import_training_libraries_while_serving() -> None:
    wrong = [
        str(file.relative_to(ROOT))
        for floor in ("core_model", "apps")
        for file in sorted((ROOT / floor).rglob("*.py"))
        if "training" not in file.parts and imported_packages(file) & {"peft", "transformers", "trl"}
    ]
    assert not wrong


def test_the_support_and_the_code_assistant_do_not_know_each_other() -> None:
    for app, other in (("support", "apps.code"), ("code", "apps.support")):
        for file in (ROOT / "apps" / app).rglob("*.py"):
            assert other not in file.read_text(encoding="utf-8"), file


ROOMS = ["words", "shop", "reading", "replies", "playbooks", "conversations", "helpdesks"]


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_of_the_support_assistant_imports_one_behind_it(room: str) -> None:
    behind = {f"apps.support.{other}" for other in ROOMS[ROOMS.index(room) + 1 :]}
    if room == "replies":
        behind.add("apps.support.reading")
    for file in (ROOT / "apps" / "support" / room).rglob("*.py"):
        imported = {
            ".".join((node.module or "").split(".")[:3])
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not imported & behind, file
