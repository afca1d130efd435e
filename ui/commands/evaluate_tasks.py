"""`duet eval tasks`: whole errands of a simulated customer, judged by the database afterwards."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from apps.settings import load_settings
from core_model import catalog
from ui.commands.case_runs import case_bar, run_mark, spare_inputs
from ui.commands.evaluate import show
from ui.commands.models import progress_bar
from ui.commands.trial_reader import reader_mark
from ui.commands.trial_shop import on_database, trial_assistant, trial_shop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evaluation.support.tasks.playing import Case


def tasks(
    data: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Tasks in tau2-bench's layout.")],
    shop: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Their shop: an export or a SQLite database.")
    ],
    identity: Annotated[
        Literal["signed-in", "name-and-postcode"],
        typer.Option(help="How the customer is known: by a trusted caller, or by what they say."),
    ] = "signed-in",
    seeds: Annotated[int, typer.Option(min=1, help="Play each task so many times, in other wordings.")] = 1,
    model: Annotated[str | None, typer.Option(help="Base model [default: DUET_MODEL].")] = None,
    adapter: Annotated[
        str | None,
        typer.Option(help="Reply adapter, by name or folder; none: without [default: the served one]."),
    ] = None,
    together: Annotated[int, typer.Option(min=1, help="Conversations at the same time.")] = 4,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many tasks.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Play customers' errands through the whole assistant; judge the shop's database and what was told."""
    from evaluation.cases import CaseFile
    from evaluation.report import Data, Report
    from evaluation.support.tasks import playing
    from evaluation.support.tasks.identity import policy_for
    from evaluation.support.tasks.task_file import load_tasks

    spare_inputs(output, data, shop)
    found = load_tasks(data)[:limit]
    settings = load_settings(**({} if model is None else {"model": model}))
    with progress_bar() as progress:
        catalog.resolve(settings.model, settings.home, settings.sources, progress)
    described = Data.of(data, len(found))
    name = catalog.name_of(settings.model)
    reader = reader_mark(settings)
    run: dict[str, Any] = {
        "command": "eval tasks",
        "model": name,
        "weights": settings.weights,
        "adapter": adapter,
        "reader": reader["adapter_sha256"],
        "policy": settings.policy and hashlib.sha256(settings.policy.read_bytes()).hexdigest(),
        "data": described.sha256,
        "shop": Data.of(shop, 0).sha256,
        "identity": identity,
    }  # not how many: a run with more tasks or seeds goes on with the others
    path = output or settings.home / "evaluation" / f"eval-tasks-{data.stem}-{name}-{run_mark(run)}.json"
    with trial_shop(shop) as database, CaseFile(path.with_suffix(".cases.jsonl"), run) as cases:
        playable, left_out = playing.playable_tasks(database, found)
        keys = {playing.key_of(one.task, seed) for one in playable for seed in range(1, seeds + 1)}
        done = len(keys & set(cases.cases))
        with (
            trial_assistant(database, settings, adapter=adapter) as (pipeline, _),
            case_bar("playing", len(keys), done) as on_case,
        ):
            playing.play_all(
                database,
                playable,
                seeds,
                lambda copy: on_database(pipeline, copy, policy_for(identity, pipeline.policy)),
                identity,
                cases,
                together,
                on_case,
            )
            used = pipeline.replies.adapter
        played = [case for key, case in cases.cases.items() if key in keys]
        command = f"eval tasks --identity {identity} --seeds {seeds}"
        figures = {**playing.metrics(played), "tasks_left_out": float(len(left_out))}
        report = Report(command, name, described, figures, adapter=used, cases=str(cases.path))
    report.write(path)
    show(report, path)
    _show_failed(played)
    for reason in left_out:
        typer.echo(f"left out: {reason}", err=True)
    wrong, turns = int(figures["turns_with_wrong_object"]), int(figures["turns"])
    typer.echo(
        f"proposals about a wrong object or a destructive action nobody asked for: {wrong} of {turns} turns"
    )


def _show_failed(cases: Sequence[Case]) -> None:
    failed = [case for case in cases if not case["passed"] or case["wrong_objects"]]
    if not failed:
        return
    table = Table("task/seed", "hand", "messages", "what is wrong", title="failed", title_justify="left")
    for case in failed:
        proposed = [f"proposed {wrong}" for wrong in case["wrong_objects"]]
        table.add_row(
            case["key"], case["hand"], str(case["messages"]), "\n".join([*case["wrong"], *proposed])
        )
    Console().print(table)
