"""`duet bench support`, `window` and `catalog`: the assistant's speed in conversations and in large shops."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.settings import Settings, load_settings
from core_model import catalog
from ui.commands.evaluate import show
from ui.commands.models import progress_bar
from ui.commands.progress import bar
from ui.commands.trial_shop import Trial, on_database, trial_assistant, trial_shop

if TYPE_CHECKING:
    from apps.support.conversations.pipeline import SupportPipeline
    from evaluation.support.plain_peer import PlainPipeline

Data = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="A shop: an export or a SQLite database [the demo shop]."),
]
Model = Annotated[str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")]
Adapter = Annotated[str | None, typer.Option(help="Reply adapter; none: without [default: the served one].")]
Output = Annotated[Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")]


def support(
    data: Data = None,
    conversations: Annotated[
        int, typer.Option("--conversations", "--limit", min=1, help="Conversations of ten turns.")
    ] = 4,
    plain: Annotated[
        bool, typer.Option(help="Beside a plain transformers pipeline on the full history.")
    ] = True,
    model: Model = None,
    adapter: Adapter = None,
    output: Output = None,
) -> None:
    """Time to the first token in conversations under way; seconds, tokens and CPU of a conversation."""
    from evaluation.support.plain_peer import PlainPipeline
    from evaluation.support.speed import support_speed

    settings = load_settings(**({} if model is None else {"model": model}))
    with _trial(settings, data, adapter) as (trial, path), _progress() as on_turn:

        def peer() -> PlainPipeline:
            return PlainPipeline(path, settings.home, settings.threads)

        found = support_speed(*trial, peer if plain else None, conversations, on_turn)
        used = trial.pipeline.replies.adapter
    _report("bench support", settings, path, data, used, found, output)


def window(
    data: Data = None,
    turns: Annotated[
        int, typer.Option("--turns", "--limit", min=60, help="Turns of the conversation.")
    ] = 300,
    model: Model = None,
    adapter: Adapter = None,
    output: Output = None,
) -> None:
    """Time per token and memory at the end of a long conversation against its tenth turn."""
    from evaluation.support.speed import window_speed

    settings = load_settings(**({} if model is None else {"model": model}))
    with _trial(settings, data, adapter) as (trial, path), _progress() as on_turn:
        found = window_speed(*trial, turns, on_turn)
        used = trial.pipeline.replies.adapter
    _report("bench window", settings, path, data, used, found, output)


def catalog_(
    products: Annotated[
        int, typer.Option("--products", min=100, help="Products of the large shop; the small one has 50.")
    ] = 10_000,
    questions: Annotated[int, typer.Option("--questions", "--limit", min=1, help="Asked of each shop.")] = 60,
    model: Model = None,
    output: Output = None,
) -> None:
    """Reading a question about a product and finding it: in a large shop against a small one."""
    from apps.support.shop.database import Database
    from apps.support.shop.policy import load_policy
    from evaluation.support import catalog_speed as evaluation

    settings = load_settings(**({} if model is None else {"model": model}))
    names = evaluation.product_names(products)
    with _trial(settings, None, None) as (trial, path), tempfile.TemporaryDirectory() as folder:
        policy = load_policy(settings.policy)
        with ExitStack() as shops:

            def shop(sold: list[str]) -> SupportPipeline:
                database = Database(f"sqlite:///{folder}/{len(sold)}.db")
                shops.callback(database.close)
                database.upgrade()
                evaluation.fill(database, sold, Path(folder))
                return on_database(trial.pipeline, database, policy)

            few = names[: evaluation.SMALL]
            small, large = shop(few), shop(names)
            with _progress() as on_question:
                found = evaluation.catalog_speed(small, large, few, questions, on_question)
    _report("bench catalog", settings, path, None, None, found, output)


@contextmanager
def _trial(settings: Settings, data: Path | None, adapter: str | None) -> Iterator[tuple[Trial, Path]]:
    with progress_bar() as progress:
        path = catalog.resolve(settings.model, settings.home, settings.sources, progress)
    with trial_shop(data) as database, trial_assistant(database, settings, adapter=adapter) as trial:
        yield trial, path


def _report(
    command: str,
    settings: Settings,
    model: Path,
    data: Path | None,
    adapter: str | None,
    found: dict[str, float],
    output: Path | None,
) -> None:
    from evaluation.report import Data as Described
    from evaluation.report import Report

    name = f"{command.replace(' ', '-')}-{model.stem}-{settings.weights}"
    target = output or settings.home / "evaluation" / f"{name}.json"
    described = Described.of(data or model, 0)
    report = Report(command, f"{model.stem} ({settings.weights})", described, found, adapter=adapter)
    report.write(target)
    show(report, target)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    with bar("talking") as shown:
        yield shown.show
