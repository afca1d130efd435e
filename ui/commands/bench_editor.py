"""`duet bench editor`: suggestions in an editor, beside llama.cpp on the same file."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from apps.settings import Settings, load_settings
from core_model import catalog
from ui.commands.evaluate import show
from ui.commands.models import progress_bar

_START_S = 600.0
_STOP_S = 2


def editor(
    data: Annotated[
        list[Path],
        typer.Option(exists=True, dir_okay=False, help="Rows {language, text}; may be given several times."),
    ],
    url: Annotated[
        str | None, typer.Option(help="A server that is running already [default: one for this run].")
    ] = None,
    against: Annotated[
        Literal["llama.cpp"] | None, typer.Option(help="A peer on the same file, in the same run.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Single lines of each --data; half as many blocks.")] = 40,
    seed: Annotated[int, typer.Option(help="Which places are cut.")] = 1,
    model: Annotated[
        str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Replay typing in source files: exact and similar suggestions, repetitions, parsing, latency cold and warm."""
    settings = load_settings(**({} if model is None else {"model": model}))
    with progress_bar() as progress:
        path = catalog.resolve(settings.model, settings.home, settings.sources, progress)

    from evaluation.cases import CaseFile
    from evaluation.editor.bench import figures, run
    from evaluation.editor.contestants import Contestant, Server, llama_cpp
    from evaluation.editor.sessions import sessions
    from evaluation.grammar import read_rows
    from evaluation.report import Data, Report

    wanted = []
    for file in data:
        rows = read_rows(file)
        wanted += sessions(rows, "line", limit, seed) + sessions(rows, "block", max(1, limit // 2), seed)
    random.Random(seed).shuffle(wanted)  # an interrupted run has seen something of everything
    target = output or settings.home / "evaluation" / f"bench-editor-{path.stem}.json"
    hashes = "".join(Data.of(file, 0).sha256 for file in data)
    sha256 = hashlib.sha256(hashes.encode()).hexdigest()
    asked = {"data": sha256, "limit": limit, "seed": seed, "model": path.stem, "against": against or ""}
    console = Console(stderr=True)
    columns = (TextColumn("typing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ExitStack() as open_parts:
        if url is None:
            folder = open_parts.enter_context(TemporaryDirectory())
            own = settings.model_copy(update={"database_url": f"sqlite:///{folder}/duet.db"})
            url = open_parts.enter_context(_served(own))
        contestants: list[Contestant] = [Server("duet", url, ends_lines=True)]
        if against:
            contestants.append(open_parts.enter_context(llama_cpp(path, settings.threads)))
        cases = open_parts.enter_context(CaseFile(target.with_suffix(".jsonl"), asked))
        bar = open_parts.enter_context(
            Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        )
        task = bar.add_task("typing", total=len(wanted) * len(contestants))
        run(wanted, contestants, cases, lambda: bar.advance(task))
        found = figures(list(cases.cases.values()))
    described = Data(", ".join(map(str, data)), sha256, len(wanted))
    report = Report(
        "bench editor", f"{path.stem} ({settings.weights})", described, found, cases=str(cases.path)
    )
    report.write(target)
    show(report, target)


@contextmanager
def _served(settings: Settings) -> Iterator[str]:
    """The URL of a server for this run alone. Raises BadParameter where it does not start."""
    import uvicorn

    from ui.server import create_app

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(
        create_app(settings), port=port, log_level="warning", timeout_graceful_shutdown=_STOP_S
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + _START_S
    try:
        while not _ready(url):
            if not thread.is_alive() or time.monotonic() > deadline:
                raise typer.BadParameter(
                    "the server does not start; `duet serve` says why", param_hint="--url"
                )
            time.sleep(0.2)
        yield url
    finally:
        server.should_exit = True
        thread.join()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready", timeout=10).status_code == 200
    except httpx.TransportError:
        return False
