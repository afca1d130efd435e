"""`duet bench`: how fast it is, beside a peer that does the same work where one is installed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import typer

from apps.settings import load_settings
from ui.commands.evaluate import show
from ui.commands.models import make_ready
from ui.commands.progress import bar

app = typer.Typer(no_args_is_help=True, help="Measure speed and memory; keep the machine quiet meanwhile.")


@app.callback()
def bench() -> None:
    """Measure speed and memory; keep the machine quiet meanwhile."""


@app.command()
def engine(
    model: Annotated[
        str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")
    ] = None,
    against: Annotated[
        Literal["llama.cpp"] | None, typer.Option(help="A peer on the same file, in the same run.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each figure; medians are reported.")] = 3,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Decode, prefill, first token on a reused prefix, resident memory."""
    settings = load_settings(**({} if model is None else {"model": model}))
    path = make_ready(settings)

    from core_model.causal_lm import load_engine
    from evaluation.engine_speed import DECODE_CONTEXTS, LlamaCpp, engine_speed
    from evaluation.report import Data, Report

    loaded = load_engine(
        settings.model,
        weights=settings.weights,
        threads=settings.threads,
        cache_tokens=2 * max(DECODE_CONTEXTS),
        home=settings.home,
    )
    with bar("measuring") as shown:
        found = engine_speed(
            loaded,
            (lambda: LlamaCpp(path, settings.threads)) if against else None,
            repeats,
            shown.show,
        )
    loaded.close()
    name = f"bench-engine-{path.stem}-{settings.weights}"
    target = output or settings.home / "evaluation" / f"{name}.json"
    report = Report("bench engine", f"{path.stem} ({settings.weights})", Data.of(path, 0), found)
    report.write(target)
    show(report, target)


@app.command()
def grammar(
    data: Annotated[
        list[Path],
        typer.Option(exists=True, dir_okay=False, help="Rows {language, text}; may be given several times."),
    ],
    model: Annotated[
        str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Only so many files of each --data.")] = 40,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """The grammar constraint: cost of a token, of deep nesting, memory, share of a decode step."""
    settings = load_settings(**({} if model is None else {"model": model}))
    path = make_ready(settings)

    from core_model.causal_lm import load_engine
    from evaluation import grammar_speed as evaluation
    from evaluation.grammar import read_rows
    from evaluation.report import Data, Report

    rows = [row for file in data for row in read_rows(file)[:limit]]
    loaded = load_engine(
        settings.model, weights=settings.weights, threads=settings.threads, home=settings.home
    )
    with bar("measuring", len(rows) + evaluation.DECODED_PROGRAMS) as shown:
        try:
            found = evaluation.token_costs(rows, loaded.tokenizer, shown.advance)
            found |= evaluation.nesting_costs(loaded.tokenizer)
            found |= evaluation.memory(rows, loaded.tokenizer)
            found |= evaluation.decode_share(loaded, shown.advance)
        finally:
            loaded.close()
    target = output or settings.home / "evaluation" / f"bench-grammar-{path.stem}.json"
    hashes = "".join(Data.of(file, 0).sha256 for file in data)
    described = Data(", ".join(map(str, data)), hashlib.sha256(hashes.encode()).hexdigest(), len(rows))
    report = Report("bench grammar", f"{path.stem} ({settings.weights})", described, found)
    report.write(target)
    show(report, target)


@app.command()
def speculation(
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A folder of HumanEval-X.")],
    adapter: Annotated[
        str | None, typer.Option(help="Adapter of the grounded replies, by name or folder [default: none].")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Requests of each kind.")] = 12,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Tokens a second with speculation and without: translation, edits, grounded replies, plain text, code."""
    settings = load_settings(**({} if model is None else {"model": model}))
    path = make_ready(settings)

    from core_model.causal_lm import load_engine
    from core_model.lora import load_adapter
    from evaluation import speculation_speed as evaluation
    from evaluation.report import Data, Report
    from ui.commands.adapters import adapter_folder

    loaded = load_engine(
        settings.model, weights=settings.weights, threads=settings.threads, home=settings.home
    )
    try:
        name = None
        if adapter is not None:
            found_adapter = load_adapter(adapter_folder(adapter), loaded.config)
            loaded.add_adapter(found_adapter)
            name = found_adapter.name
        asked = list(evaluation.cases(loaded, data, name, limit))
        with bar("measuring", 2 * len(asked)) as shown:
            found = evaluation.speculation_speed(loaded, asked, shown.advance)
    finally:
        loaded.close()
    target = output or settings.home / "evaluation" / f"bench-speculation-{path.stem}.json"
    described = Data.of(data / "humaneval_python.jsonl.gz", len(asked))
    report = Report("bench speculation", f"{path.stem} ({settings.weights})", described, found)
    report.write(target)
    show(report, target)


@app.command()
def training(
    model: Annotated[
        str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows of a step.")] = 4,
    tokens: Annotated[int, typer.Option(min=8, help="Tokens of a row; a quarter of them are learnt.")] = 128,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each option; the median is reported.")] = 5,
) -> None:
    """Tokens a second and peak memory of a training step, with each option on and off."""
    from rich.console import Console
    from rich.table import Table

    from evaluation.training_speed import MEGABYTE, Cost, Work, costs, variants

    settings = load_settings(**({} if model is None else {"model": model}))
    path = make_ready(settings)
    work = Work(path, settings.home, settings.threads, rows, tokens, max(1, tokens // 4), steps)
    console = Console(stderr=True)

    def told(cost: Cost) -> None:
        console.print(f"{cost.name}: {cost.tokens_per_second:.0f} tokens/s")

    found = costs(work, variants(settings.activation_checkpoint_interval), told)
    plain = found[0]
    table = Table(
        "option", "tokens/s", "against plain", "peak MB", "against plain", "a step's own MB", "last loss"
    )
    for cost in found:
        table.add_row(
            cost.name,
            f"{cost.tokens_per_second:.1f}",
            f"{cost.tokens_per_second / plain.tokens_per_second:.2f}×",
            f"{cost.peak / MEGABYTE:.0f}",
            f"{cost.peak / plain.peak - 1:+.0%}",
            f"{(cost.peak - cost.loaded) / MEGABYTE:.0f}",
            f"{cost.losses[-1]:.4f}",
        )
    Console().print(table)
