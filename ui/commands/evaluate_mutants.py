"""`duet eval mutants`: which wrong translations the assistant's made-up inputs catch. Needs no model."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from apps.settings import load_settings
from ui.commands.case_runs import case_bar, spare_inputs
from ui.commands.evaluate import Output, app, show


@app.command()
def mutants(
    data_dir: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="A folder in HumanEval-X's layout.")
    ],
    limit: Annotated[int, typer.Option(min=1, help="Wrong translations, in all six directions.")] = 40,
    output: Output = None,
    workers: Annotated[int, typer.Option(min=1, help="Translations at the same time.")] = 2,
) -> None:
    """Mutate right translations, and see which wrong ones are caught by inputs made up from the source program."""
    from apps.code.sandbox import Sandbox
    from evaluation import mutants as mutation
    from evaluation.cases import CaseFile
    from evaluation.report import Data, Report
    from evaluation.translation import directions

    spare_inputs(output, data_dir)
    described = Data.of(data_dir, limit)
    run = {"command": "eval mutants", "data": described.sha256}
    named = output or load_settings().home / "evaluation" / f"eval-mutants-{data_dir.name}.json"
    order = mutation.spread(
        [
            [mutation.Translated(source, problem) for problem in problems]
            for (source, _), problems in directions(data_dir).items()
        ]
    )
    sandbox = Sandbox()
    with (
        CaseFile(named.with_suffix(".cases.jsonl"), run) as cases,
        case_bar("evaluating", limit, 0) as on_case,
        ThreadPoolExecutor(workers) as pool,
    ):
        found: list[mutation.Case] = []
        for first in range(0, len(order), workers):  # some have no wrong mutant: as many as it takes
            batch = order[first : first + workers]
            new = [item for item in batch if item.key not in cases]
            for item, case in zip(new, pool.map(lambda it: mutation.case_of(it, sandbox), new), strict=True):
                cases.add(item.key, case)
            for item in batch:
                case = cases.cases[item.key]
                if case["wrong"] is not None and len(found) < limit:
                    found.append(case)
                    on_case(case)
            if len(found) == limit:
                break
        report = Report(
            f"eval mutants --limit {limit}",
            "none",
            described,
            mutation.metrics(found),
            cases=str(cases.path),
        )
    report.write(named)
    show(report, named)
