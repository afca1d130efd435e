"""`duet chat`: the support assistant in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from apps.settings import load_settings
from ui.commands.models import make_ready

if TYPE_CHECKING:
    from apps.support.conversations.pipeline import SupportPipeline


def chat(
    message: Annotated[str | None, typer.Argument(help="One message; none: a conversation.")] = None,
    customer: Annotated[
        str | None, typer.Option(help="E-mail of the customer who is talking; left out: nobody is known.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")
    ] = None,
) -> None:
    """Ask the support assistant. The reply goes to stdout; an empty line or Ctrl-D ends a conversation."""
    with _pipeline(model) as pipeline:
        from apps.support.conversations import records

        with pipeline.database.write() as session:
            conversation = records.open_conversation(
                session, channel="terminal", language=None, trusted_email=customer
            ).id
        if message is not None:
            _answer(pipeline, conversation, message)
            return
        while text := _asked():
            _answer(pipeline, conversation, text)


def _asked() -> str:
    """What the customer types; empty at the end."""
    try:
        return str(typer.prompt(">", default="", show_default=False, prompt_suffix=" ", err=True)).strip()
    except typer.Abort:
        return ""


def _answer(pipeline: SupportPipeline, conversation: str, text: str) -> None:
    from apps.support.conversations.turn import Token, TurnResult

    for event in pipeline.stream(conversation, text):
        if isinstance(event, Token):
            sys.stdout.write(event.text)
            sys.stdout.flush()
        elif isinstance(event, TurnResult):
            sys.stdout.write("\n")
            if event.handed_over:
                typer.echo("(handed over to a person)", err=True)


@contextmanager
def _pipeline(model: str | None) -> Iterator[SupportPipeline]:
    """The assistant on a model of its own, for as long as the command runs."""
    settings = load_settings(**({} if model is None else {"model": model}))
    make_ready(settings)

    from apps.support.shop.database import Database
    from core_model.causal_lm import load_engine
    from core_model.chat_model import DuetChatModel
    from ui.support_pipeline import support_pipeline

    database = Database(settings.database_url)
    try:
        database.check_ready()
        engine = load_engine(
            settings.model, weights=settings.weights, threads=settings.threads, home=settings.home
        )
        try:
            yield support_pipeline(database, DuetChatModel(engine=engine), settings)
        finally:
            engine.close()
    finally:
        database.close()
