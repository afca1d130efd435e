"""`duet adapters make-replies`: the training pairs of a reply adapter."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.settings import load_settings
from ui.commands.progress import bar

if TYPE_CHECKING:
    from evaluation.reply_pairs.pairs import Pair

SEED = 1


def make_replies(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="With phrasings.*.toml and products.toml.")
    ],
    pairs: Annotated[int, typer.Option(min=0, help="Pairs in written words → written.jsonl.")] = 950,
    tests: Annotated[int, typer.Option(min=0, help="Pairs kept for measuring → test.jsonl.")] = 160,
    teacher: Annotated[
        str | None, typer.Option(help="A larger base model; its true replies → teacher.jsonl.")
    ] = None,
    teacher_turns: Annotated[int, typer.Option(min=1, help="Turns that the teacher is asked.")] = 400,
    teacher_minutes: Annotated[float, typer.Option(min=0, help="It is asked no more after so long.")] = 15,
    together: Annotated[int, typer.Option(min=1, help="Turns that the teacher answers at a time.")] = 16,
) -> None:
    """Make training pairs for a reply adapter: turns in made-up shops, and true replies to them.

    0 leaves a file as it is. What is made from the same files is the same each time, but for the teacher's.
    """
    from evaluation.reply_pairs import pairs as made
    from evaluation.reply_pairs import shops
    from evaluation.reply_pairs.phrasings import Phrasings

    phrasings = Phrasings.read(folder)
    if pairs:
        turns = shops.training_turns(folder, shops.WRITTEN)
        written = islice(made.written_pairs(turns, phrasings, random.Random(SEED)), pairs)
        typer.echo(f"{folder / 'written.jsonl'}: {made.write_training(folder / 'written.jsonl', written)}")
    if tests:
        kept = islice(made.reference_pairs(shops.turns_for_test(), phrasings), tests)
        typer.echo(f"{folder / 'test.jsonl'}: {made.write_test(folder / 'test.jsonl', kept)}")
    if teacher is not None:
        taught = _taught(folder, teacher, teacher_turns, teacher_minutes, together)
        typer.echo(f"{folder / 'teacher.jsonl'}: {made.write_training(folder / 'teacher.jsonl', taught)}")


def _taught(folder: Path, teacher: str, turns: int, minutes: float, together: int) -> list[Pair]:
    from core_model import DuetChatModel, load_engine
    from evaluation.reply_pairs import shops
    from evaluation.reply_pairs.teacher import teacher_pairs

    found = islice(shops.training_turns(folder, shops.TEACHER), turns)
    settings = load_settings(model=teacher)
    engine = load_engine(
        settings.model,
        weights=settings.weights,
        threads=settings.threads,
        max_sequences=together,
        home=settings.home,
    )
    kept = 0
    try:
        with bar("asking the teacher", turns, stays=True) as shown:

            def on_answer(pair: Pair | None) -> None:
                nonlocal kept
                kept += pair is not None
                shown.advance(f"{kept} true replies")

            return teacher_pairs(found, DuetChatModel(engine=engine), minutes * 60, together, on_answer)
    finally:
        engine.close()
