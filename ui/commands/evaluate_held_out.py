"""`duet eval held-out`: are answers that passed the tests right elsewhere, too?"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from ui.commands.case_runs import case_bar, spare_inputs
from ui.commands.evaluate import DataFile, Language, show


def held_out(
    data: DataFile,
    language: Language,
    cases: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="The .cases.jsonl of a run of `duet eval code`.")
    ],
    output: Annotated[Path, typer.Option(help="The report.")],
) -> None:
    """Compare answers that passed with the data's own solutions, on inputs that neither task nor tests have."""
    from apps.code.sandbox import Sandbox
    from evaluation import benchmarks
    from evaluation import held_out as evaluation
    from evaluation.cases import CaseFile, read_cases
    from evaluation.errors import DataError
    from evaluation.report import Data, Report

    data = benchmarks.file_of(data)
    spare_inputs(output, data, cases)
    problems = {problem.task_id: problem for problem in benchmarks.load(data, language)}
    judged = read_cases(cases)
    unknown = next((case for case in judged if case.get("task_id") not in problems), None)
    if unknown is not None:
        raise DataError(f"{cases} has the task {unknown.get('task_id')!r}, which is not in {data}")
    answers, described, sandbox = Data.of(cases, len(judged)), Data.of(data, len(judged)), Sandbox()
    run = {"command": "eval held-out", "data": described.sha256, "answers": answers.sha256}
    with CaseFile(output.with_suffix(".cases.jsonl"), run) as found:
        waiting = [
            case for case in judged if case["key"] not in found or found.cases[case["key"]].get("error")
        ]
        pool = ThreadPoolExecutor(os.cpu_count())
        try:
            examined = pool.map(
                lambda case: evaluation.examine(problems[case["task_id"]], case, sandbox), waiting
            )
            with case_bar("comparing", len(judged), len(judged) - len(waiting)) as on_case:
                for judged_case, case in zip(waiting, examined, strict=True):
                    found.add(judged_case["key"], case)
                    on_case(case)
        finally:  # an interruption does not wait for what has not begun
            pool.shutdown(cancel_futures=True)
        command = f"eval held-out --language {language} --cases {cases.name}"
        metrics = evaluation.metrics(found.cases.values())
        report = Report(command, "answers", described, metrics, cases=str(found.path))
    report.write(output)
    show(report, output)
