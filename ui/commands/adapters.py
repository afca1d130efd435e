"""`duet adapters`: which domain adapters there are, what one is made of, and train one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from apps.settings import load_settings
from ui.commands.csv_recipe import ShopWords, write_recipe
from ui.commands.learn import approve, decline, learn, rollback
from ui.commands.make_reader_data import make_reader_data
from ui.commands.make_replies import make_replies
from ui.commands.training_display import require_training_packages, training_display

if TYPE_CHECKING:
    from core_model.training.adapter import Metrics

app = typer.Typer(no_args_is_help=True, help="Domain adapters: list, show, train.")
app.command("make-replies")(make_replies)
app.command("make-reader-data")(make_reader_data)
app.command()(learn)
app.command()(approve)
app.command()(decline)
app.command()(rollback)

WEIGHTS = "adapter_model.safetensors"


def adapter_folder(name_or_path: str) -> Path:
    """The folder of a trained adapter: a name in DUET_ADAPTERS_DIR, or a path. Raises AdapterError."""
    from core_model.errors import AdapterError

    folder = Path(name_or_path)
    if not (folder / WEIGHTS).is_file():
        folder = load_settings().adapters_dir / name_or_path
    if not (folder / WEIGHTS).is_file():
        hint = "train it: duet adapters train " + str(folder / "recipe.toml")
        if not (folder / "recipe.toml").is_file():
            hint = "`duet adapters list` shows what there is"
        raise AdapterError(f"there is no trained adapter {name_or_path!r}; {hint}")
    return folder


@app.command("list")
def list_adapters() -> None:
    """Show the adapters in DUET_ADAPTERS_DIR, and which of them are trained."""
    from core_model.lora import base_of

    table = Table("name", "kind", "base", "share of base", "trained")
    table.columns[0].no_wrap = True
    for folder in sorted(path for path in load_settings().adapters_dir.glob("*") if path.is_dir()):
        card = folder / "metrics.json"
        if card.is_file():
            content = json.loads(card.read_text(encoding="utf-8"))
            table.add_row(
                folder.name,
                content["kind"],
                content["base"],
                f"{content['share_of_base']:.2%}",
                content["created"],
            )
        elif (folder / WEIGHTS).is_file():
            table.add_row(folder.name, "", base_of(folder), "", "elsewhere")
        elif (folder / "recipe.toml").is_file():
            from core_model.training.recipe import Recipe, read_training

            recipe = read_training(folder / "recipe.toml")
            base = recipe.model if isinstance(recipe, Recipe) else ""
            table.add_row(folder.name, recipe.kind, base, "", "not yet")
    Console().print(table)


@app.command()
def show(name: Annotated[str, typer.Argument(help="An adapter's name or folder.")]) -> None:
    """Show an adapter's card: how good it is, what it was trained on and how."""
    folder = adapter_folder(name)
    card = folder / "README.md"
    if card.is_file():
        text = card.read_text(encoding="utf-8")
        Console().print(Markdown(text.split("---\n", 2)[-1]))
    else:
        from core_model.lora import base_of

        typer.echo(f"{folder.name}: an adapter for {base_of(folder)}, without a card")


@app.command()
def train(
    recipe: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="A recipe.toml (docs/training.md).")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Instead of a recipe: texts and labels.")
    ] = None,
    text_column: Annotated[str, typer.Option(help="With --csv: the column of the texts.")] = "text",
    label_column: Annotated[str, typer.Option(help="With --csv: the column of the labels.")] = "label",
    name: Annotated[str | None, typer.Option(help="With --csv: the adapter's name.")] = None,
    model: Annotated[
        str | None, typer.Option(help="With --csv: the base model [default: DUET_MODEL].")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Where a recipe's data may lie.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it was interrupted.")] = False,
) -> None:
    """Train an adapter from a recipe or curriculum, or an intent adapter from a CSV file, into DUET_ADAPTERS_DIR."""
    settings = load_settings()
    if (recipe is None) == (csv is None):
        raise typer.BadParameter("give a recipe, or --csv with --name")
    if csv is not None:
        if name is None:
            raise typer.BadParameter("--csv needs --name")
        words = ShopWords(csv, text_column, label_column, name, model or settings.model)
        recipe = write_recipe(words, settings.adapters_dir)
    assert recipe is not None
    require_training_packages()
    from core_model.training import curriculum
    from core_model.training.adapter import Training
    from core_model.training.recipe import read_training

    output = settings.adapters_dir / read_training(recipe).name
    training = Training(
        recipe,
        output,
        settings.home,
        data_dir,
        settings.threads,
        resume,
        recomputed_every=settings.activation_checkpoint_interval if settings.mem_opt else None,
    )
    try:
        with training_display() as (report, note):
            metrics = curriculum.train(training, report, note)
    except KeyboardInterrupt:
        typer.echo("\ninterrupted; the same command with --resume goes on", err=True)
        raise typer.Exit(130) from None
    _show(metrics)
    kept = metrics["held-out"]
    if "oos_recall" in kept and "in_scope_accuracy" in kept:
        typer.echo(
            f"Of the messages held out {kept['in_scope_accuracy']:.1%} in scope were right, and "
            f"{kept['oos_recall']:.1%} out of scope were refused. "
            "`duet serve` serves it from now on (docs/training.md)."
        )
    typer.echo(output)


def _show(metrics: Metrics) -> None:
    figures = sorted({figure for values in metrics.values() for figure in values})
    table = Table("rows", *figures)
    for name, values in metrics.items():
        table.add_row(name, *(f"{values[figure]:.4f}" if figure in values else "" for figure in figures))
    Console().print(table)
