"""A server of the default model, which fills gaps; `server` of the folder above has the small one, which cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.settings import Settings
from core_model import load_engine
from tests.conftest import DEFAULT
from tests.ui.conftest import serving, wait_until_ready
from ui.metrics import Metrics
from ui.runtime import Runtime, assemble


@pytest.fixture(scope="session")
def coder_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        adapters_dir=Path("none"),
        api_keys=(),
        cors_origins=("https://ide.example.com",),
    )

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        return assemble(load_engine(DEFAULT), DEFAULT, settings, metrics)

    with serving(settings, load) as url:
        wait_until_ready(url)
        yield url
