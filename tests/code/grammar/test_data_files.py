"""The data files: pinned to their wheels, and what the build makes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from apps.code.grammar.errors import GrammarPackageMissingError, GrammarVersionError
from apps.code.grammar.grammar import DATA_DIR, check_manifest, grammar
from apps.code.grammar.languages import LANGUAGES, language
from apps.code.grammar.tables import Tables


@pytest.mark.parametrize("spec", LANGUAGES, ids=lambda spec: spec.name)
def test_every_data_file_belongs_to_the_pinned_wheel(spec) -> None:
    with np.load(DATA_DIR / f"{spec.name}.npz") as data:
        check_manifest(spec, dict(data), Tables(spec.package, spec.version))


def test_another_version_is_refused_with_the_command_that_rebuilds() -> None:
    spec = language("java")
    with np.load(DATA_DIR / "java.npz") as file:
        data = dict(file)
    data["manifest"] = data["manifest"] + 1
    with pytest.raises(GrammarVersionError, match=r"python -m apps\.code\.grammar\.build java"):
        check_manifest(spec, data, Tables(spec.package, spec.version))


def test_a_missing_wheel_is_named() -> None:
    with pytest.raises(GrammarPackageMissingError, match=r"pip install tree-sitter-nowhere==1\.0"):
        Tables("tree-sitter-nowhere", "1.0")


def test_a_grammar_is_loaded_once() -> None:
    assert grammar("c++") is grammar("CPP")
    assert grammar("cpp") is not grammar("cpp", strict=False)
    assert replace(language("py")).name == "python"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_the_build_makes_the_same_file_again() -> None:
    command = [sys.executable, "-m", "apps.code.grammar.build", "json", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "could not get the sources" in done.stderr:
        pytest.skip("no package registry reachable")
    assert done.returncode == 0, done.stderr
