"""Tabby's clients: what `tabby-agent` 1.5 sends and reads (its types in dist/index.d.ts)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from apps.code.syntax import parses
from tests.ui.conftest import Server
from tests.ui.test_server_errors import refused
from ui.tabby import TabbyRequest

PREFIX = "import math\n\n\ndef area_of_circle(radius):\n    return "
SUFFIX = "\n\n\nprint(area_of_circle(2))\n"
SEGMENTS = {
    "prefix": PREFIX,
    "suffix": SUFFIX,
    "filepath": "shapes/circle.py",
    "git_url": "https://example.com/shapes.git",
    "declarations": [
        {"filepath": "shapes/square.py", "body": "def area_of_square(side):\n    return side ** 2"}
    ],
    "relevant_snippets_from_changed_files": [{"filepath": "main.py", "body": "import circle", "score": 0.7}],
    "relevant_snippets_from_recently_opened_files": [],
    "clipboard": "radius",
}
ASKED = {"language": "python", "segments": SEGMENTS, "user": None, "temperature": None, "seed": None}


@pytest.mark.slow
def test_a_suggestion_fits_and_what_became_of_it_is_counted(coder_url: str) -> None:
    answer = httpx.post(f"{coder_url}/v1/completions", json=ASKED, timeout=300)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.keys() == {"id", "choices"}
    (choice,) = body["choices"]
    assert choice["index"] == 0
    assert "radius" in choice["text"]
    assert parses(PREFIX + choice["text"] + SUFFIX, "python")
    for kind in ("view", "view", "select"):
        event = {"type": kind, "completion_id": body["id"], "choice_index": 0, "view_id": "v", "elapsed": 400}
        counted = httpx.post(f"{coder_url}/v1/events?select_kind=line", json=event, timeout=300)
        assert (counted.status_code, counted.text) == (200, "")
    page = httpx.get(f"{coder_url}/metrics", timeout=300).text
    assert 'duet_suggestions_total{event="shown",model="duet-code"} 2.0' in page
    assert 'duet_suggestions_total{event="accepted",model="duet-code"} 1.0' in page


def test_one_path_serves_both_protocols(server: Server) -> None:
    url = f"{server.url}/v1/completions"
    assert httpx.post(url, json={"prompt": "Once", "max_tokens": 2}, timeout=300).json()["object"]
    assert "fill in the middle" in refused(httpx.post(url, json=ASKED, timeout=300), 400)["message"]
    assert (
        refused(httpx.post(url, json={"segments": {"suffix": ""}}, timeout=300), 400)["param"]
        == "segments.prefix"
    )
    assert (
        refused(httpx.post(url, json={"prompt": "a", "temperature": "hot"}, timeout=300), 400)["param"]
        == "temperature"
    )


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"debug_options": {"raw_prompt": "def"}}, "raw_prompt"),
        ({"mode": "next_edit_suggestion"}, "mode"),
        ({"temperature": -1.0}, "temperature"),
    ],
)
def test_what_is_not_honoured_is_refused(server: Server, change: dict[str, Any], param: str) -> None:
    answer = httpx.post(f"{server.url}/v1/completions", json={**ASKED, **change}, timeout=300)
    assert refused(answer, 400)["param"] == param


def test_the_nearest_code_comes_last_and_foreign_languages_are_left_alone() -> None:
    gap = TabbyRequest.model_validate(ASKED).gap
    assert [file.name for file in gap.files] == ["clipboard", "main.py", "shapes/square.py"]
    assert (gap.language, gap.filename) == ("python", "shapes/circle.py")
    rust = TabbyRequest.model_validate({"language": "rust", "segments": {"prefix": "fn main() {"}}).gap
    assert (rust.language, rust.filename) == (None, "untitled.rust")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_health_tells_the_model_and_the_machine(server: Server, method: str) -> None:
    health = httpx.request(method, f"{server.url}/v1/health", timeout=300).json()
    assert health["model"] == "smollm2-135m-instruct"
    assert health["device"] == "cpu"
    assert health["cuda_devices"] == []
    assert health["version"]["git_describe"].startswith("v")


@pytest.mark.parametrize(
    ("event", "param"),
    [
        ({"type": "view", "completion_id": "agent-5"}, "completion_id"),
        ({"type": "view", "completion_id": "no-model/5"}, "completion_id"),
        ({"type": "look", "completion_id": "duet-code/5"}, "type"),
    ],
)
def test_events_of_nothing_are_refused(server: Server, event: dict[str, str], param: str) -> None:
    answer = httpx.post(f"{server.url}/v1/events", json={**event, "choice_index": 0}, timeout=300)
    assert refused(answer, 400)["param"] == param
