"""Reports, comparisons of two, and the page made of them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.cases import CaseFile
from evaluation.comparison import bootstrap_interval, compare_reports
from evaluation.errors import DataError
from evaluation.page import write_page
from evaluation.report import Data, Report


def report_of(folder: Path, name: str, passed: list[bool], command: str = "eval code") -> Path:
    data = folder / "rows.jsonl"
    data.write_text("{}\n")
    cases = folder / f"{name}.cases.jsonl"
    with CaseFile(cases, {"model": name}) as file:
        for number, good in enumerate(passed):
            case = {"task_id": f"T/{number}", "passed": good, "outcome": "passed" if good else "wrong"}
            file.add(f"T/{number}#0", {**case, "generation_s": 1.0 + number})
    metrics = {"pass_rate": sum(passed) / len(passed), "parse_rate": 1.0}
    path = folder / f"{name}.json"
    Report(command, name, Data.of(data, len(passed)), metrics, cases=str(cases)).write(path)
    return path


def test_a_report_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    path = report_of(tmp_path, "one", [True, False])
    fields = json.loads(path.read_text())
    assert set(fields) == {
        "command",
        "created",
        "model",
        "adapter",
        "data",
        "machine",
        "metrics",
        "cases",
    }
    assert set(fields["data"]) == {"path", "sha256", "rows"}
    assert Report.read(path).metrics == {"pass_rate": 0.5, "parse_rate": 1.0}


def test_the_hash_of_a_folder_changes_with_any_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = Data.of(tmp_path, 1).sha256
    (tmp_path / "b").write_text("")
    assert Data.of(tmp_path, 1).sha256 != first


def test_a_clear_gain_is_told_from_noise(tmp_path: Path) -> None:
    before = report_of(tmp_path, "before", [False] * 60 + [True] * 40)
    after = report_of(tmp_path, "after", [False] * 30 + [True] * 70)
    shuffled = report_of(tmp_path, "shuffled", [True, *[False] * 60, *[True] * 39])
    gain = compare_reports(before, after)
    assert gain.rows[0].verdict == "better"
    assert (len(gain.gained), len(gain.lost)) == (30, 0)
    assert compare_reports(after, before).rows[0].verdict == "worse"
    assert compare_reports(before, shuffled).rows[0].verdict == "may be noise"


def test_reports_of_different_commands_are_not_compared(tmp_path: Path) -> None:
    one, other = report_of(tmp_path, "one", [True]), report_of(tmp_path, "other", [True], "eval intents")
    with pytest.raises(DataError, match="eval intents"):
        compare_reports(one, other)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=2, max_size=50))
def test_the_interval_holds_the_mean(differences: list[float]) -> None:
    low, high = bootstrap_interval(np.array(differences))
    assert low - 1e-9 <= np.mean(differences) <= high + 1e-9


def test_the_page_is_one_file_with_valid_plots_and_no_addresses(tmp_path: Path) -> None:
    reports = [report_of(tmp_path, name, [True] * 5 + [False] * 3) for name in ("one", "two <b>")]
    page = tmp_path / "page.html"
    write_page(reports, page)
    text = page.read_text()
    assert "http://" not in text
    assert "https://" not in text
    assert "two &lt;b&gt;" in text
    plots = [piece.split("</svg>")[0] + "</svg>" for piece in text.split("<svg")[1:]]
    assert len(plots) >= 6
    for plot in plots:
        ElementTree.fromstring("<svg" + plot)


def test_calibration_is_drawn_from_cases_with_a_confidence(tmp_path: Path) -> None:
    path = report_of(tmp_path, "intents", [True])
    cases = tmp_path / "intents.cases.jsonl"
    with cases.open("a") as file:
        for number in range(20):
            case = {
                "key": str(number),
                "best_probability": number / 20,
                "best": "a",
                "label": "ab"[number % 2],
            }
            file.write(json.dumps(case) + "\n")
    write_page([path], tmp_path / "page.html")
    assert "Calibration" in (tmp_path / "page.html").read_text()


def test_a_benchmark_run_in_several_languages_is_drawn_by_language(tmp_path: Path) -> None:
    reports = [
        report_of(tmp_path, language, [True, False], f"eval code --language {language} --effort quick")
        for language in ("python", "java")
    ]
    for path in reports:
        path.write_text(path.read_text().replace(f'"model": "{path.stem}"', '"model": "m"'))
    write_page(reports, tmp_path / "page.html")
    assert "Passed, by language: m eval code --effort quick" in (tmp_path / "page.html").read_text()


def test_figures_of_a_peer_are_drawn_beside_ours(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text("{}\n")
    metrics = {
        "duet_decode_tokens_per_second": 40.0,
        "llama_cpp_decode_tokens_per_second": 30.0,
        "duet_mb": 1.0,
    }
    path = tmp_path / "speed.json"
    Report("bench engine", "m", Data.of(data, 0), metrics).write(path)
    write_page([path], tmp_path / "page.html")
    plots = (tmp_path / "page.html").read_text().split("<svg")[1:]
    assert [('"decode_tokens_per_second"' in plot, "llama_cpp" in plot) for plot in plots] == [(True, True)]


def test_a_file_that_is_no_report_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"metrics": {}}')
    with pytest.raises(DataError, match="is no report"):
        Report.read(path)
