"""`duet eval replies`: right answers for who may have them, nothing for who may not."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.settings import load_settings
from core_model import catalog
from ui.commands.case_runs import case_bar, run_mark, spare_inputs
from ui.commands.evaluate import show
from ui.commands.models import progress_bar
from ui.commands.trial_reader import reader_mark
from ui.commands.trial_shop import trial_assistant, trial_shop

if TYPE_CHECKING:
    from evaluation.report import Data

SHOWN_FAILURES = 5
UNPROVEN_SHARE = 3  # with --limit, one unproven request for so many questions


def replies(
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="A shop: an export (.json, .csv) or a SQLite database [the demo shop].",
        ),
    ] = None,
    questions: Annotated[int, typer.Option(min=0, help="Questions with known answers.")] = 300,
    unproven: Annotated[int, typer.Option(min=0, help="Requests of people who prove nothing.")] = 120,
    seed: Annotated[int, typer.Option(help="Another seed asks about other orders in other words.")] = 1,
    model: Annotated[str | None, typer.Option(help="Base model [default: DUET_MODEL].")] = None,
    adapter: Annotated[
        str | None,
        typer.Option(help="Reply adapter, by name or folder; none: without [default: the served one]."),
    ] = None,
    no_grounding: Annotated[
        bool, typer.Option("--no-grounding", help="Let the model state what it likes: for comparison.")
    ] = False,
    references: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="JSON lines {key, reference} for ROUGE-L."),
    ] = None,
    together: Annotated[int, typer.Option(min=1, help="Conversations at the same time.")] = 8,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many questions, and a third as many unproven requests.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Ask the assistant about a shop's own orders, products and policies, through the whole pipeline."""
    from apps.support.shop.policy import load_policy
    from evaluation.cases import CaseFile
    from evaluation.report import Report
    from evaluation.support import answers
    from evaluation.support.questions import build_questions
    from evaluation.support.rouge import read_references
    from evaluation.support.unproven import build_requests

    spare_inputs(output, data, references)
    settings = load_settings(**({} if model is None else {"model": model}))
    with progress_bar() as progress:
        catalog.resolve(settings.model, settings.home, settings.sources, progress)
    described = _describe(data, questions + unproven)
    name = catalog.name_of(settings.model)
    run: dict[str, Any] = {
        "command": "eval replies",
        "model": name,
        "weights": settings.weights,
        "adapter": adapter,
        "reader": reader_mark(settings)["adapter_sha256"],
        "grounding": not no_grounding,
        "data": described.sha256,
        "seed": seed,
        "together": together,
    }  # not how many: the first ones are always the same, so that a short run can be gone on with
    report_path = output or settings.home / "evaluation" / _file_name(described, run)
    given = read_references(references) if references else {}
    with trial_shop(data) as database, CaseFile(report_path.with_suffix(".cases.jsonl"), run) as cases:
        with database.read() as session:
            policy = load_policy(settings.policy)
            asked = build_questions(session, min(questions, limit or questions), seed, policy)
            refusable = -(-limit // UNPROVEN_SHARE) if limit else unproven
            requests = build_requests(session, min(unproven, refusable), seed)
        total = len(asked) + len(requests)
        with (
            trial_assistant(database, settings, adapter=adapter, grounded=not no_grounding) as (pipeline, _),
            case_bar("asking", total, len(cases.cases)) as on_case,
        ):
            answers.try_to_learn(pipeline, requests, cases, together, on_case)
            answers.ask(pipeline, asked, cases, given, together, on_case)
            used = pipeline.replies.adapter
        found = answers.metrics(cases.cases.values())
        report = Report("eval replies", name, described, found, adapter=used, cases=str(cases.path))
        failed = [case for case in cases.cases.values() if not case["passed"]]
    report.write(report_path)
    show(report, report_path)
    for case in failed[:SHOWN_FAILURES]:
        reasons = case.get("leaks") or [*case["missing"], *case["wrong"], case["invented"]]
        typer.echo(f"failed: {case['key']}: {' | '.join(case['turns'])} → {reasons}", err=True)


def _describe(data: Path | None, rows: int) -> Data:
    from evaluation.report import Data

    if data is not None:
        return Data.of(data, rows)
    return Data("demonstration shop", hashlib.sha256(b"demonstration shop").hexdigest(), rows)


def _file_name(described: Data, run: dict[str, Any]) -> str:
    return f"eval-replies-{Path(described.path).stem.replace(' ', '-')}-{run['model']}-{run_mark(run)}.json"
