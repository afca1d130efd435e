"""`duet eval everyday`: classes and programs that people ask for, judged by tests that the assistant never sees."""

from __future__ import annotations

from typing import Annotated

import typer

from apps.settings import load_settings
from core_model import catalog
from ui.commands.case_runs import case_bar, run_mark
from ui.commands.code import EffortName, code_assistant, effort_named
from ui.commands.evaluate import Model, NoGrammar, NoRepair, Output, Reference, app, show

_DRAFTS_PER_WORKER = 3


@app.command()
def everyday(
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="python, java or cpp [default: all]")
    ] = None,
    model: Model = None,
    effort: EffortName = "normal",
    no_grammar: NoGrammar = False,
    no_repair: NoRepair = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many tasks, the languages in turn.")
    ] = None,
    output: Output = None,
    reference: Reference = False,
    workers: Annotated[int, typer.Option(min=1, help="Tasks at the same time.")] = 4,
) -> None:
    """Do 60 everyday tasks: 20 a language. `--no-repair --no-grammar` is the bare model's greedy answer."""
    from apps.code.sandbox import Sandbox
    from evaluation.cases import CaseFile
    from evaluation.everyday import measuring, tasks
    from evaluation.report import Data, Report

    languages = tasks.LANGUAGES if language is None else (language,)
    chosen = measuring.in_turn([tasks.load(name) for name in languages])[:limit]
    named_effort = effort_named("quick" if no_repair else effort)
    name = "reference" if reference else catalog.name_of(model or load_settings().model)
    described = Data.of(tasks.FOLDER, len(chosen))
    run = {
        "command": "eval everyday",
        "data": described.sha256,
        "model": name,
        "effort": named_effort.name,
        "grammar": not no_grammar,
    }
    path = output or load_settings().home / "evaluation" / f"eval-everyday-{name}-{run_mark(run)}.json"
    with CaseFile(path.with_suffix(".cases.jsonl"), run) as cases:
        wanted = {task.key for task in chosen}

        def found() -> list[measuring.Case]:
            return [case for case in cases.cases.values() if case["task_id"] in wanted]

        with case_bar("evaluating", len(chosen), len(found())) as on_case:
            if reference:
                measuring.run(chosen, measuring.reference, cases, Sandbox(), workers, on_case)
            else:
                with code_assistant(model, not no_grammar, workers * _DRAFTS_PER_WORKER) as assistant:
                    solve = measuring.solver(assistant, named_effort, workers)
                    measuring.run(chosen, solve, cases, Sandbox(), workers, on_case)
        words = ["eval everyday", "--reference" if reference else f"--effort {named_effort.name}"]
        words += ["--no-grammar"] if no_grammar else []
        words += [f"--limit {limit}"] if limit else []
        report = Report(" ".join(words), name, described, measuring.metrics(found()), cases=str(cases.path))
    report.write(path)
    show(report, path)
