"""The command `duet`. What is heavy is imported inside the commands, so that `duet --help` is immediate."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from apps.auth import KeyNameError, UnprotectedServerError
from apps.code.grammar.errors import GrammarError
from apps.code.sandbox.limits import SandboxError
from apps.code.toolchains import ToolchainMissingError
from apps.settings import SettingsError
from apps.support.errors import SupportError
from core_model.errors import CoreError, RequestError
from core_model.proxies import write_no_proxy_for_httpx
from evaluation.errors import EvaluationError
from ui.commands import (
    adapters,
    bench,
    bench_editor,
    bench_hostile,
    bench_import,
    bench_long,
    bench_support,
    chat,
    code,
    db,
    evaluate,
    evaluate_everyday,
    evaluate_grammar,
    evaluate_held_out,
    evaluate_intents,
    evaluate_mutants,
    evaluate_quantization,
    evaluate_reading,
    evaluate_replies,
    evaluate_tasks,
    evaluate_wording,
    handbook,
    keys,
    models,
    serve,
)
from ui.terminal import prepare_streams

OUR_ERRORS = (
    CoreError,
    EvaluationError,
    GrammarError,
    KeyNameError,
    SandboxError,
    SettingsError,
    SupportError,
    ToolchainMissingError,
    UnprotectedServerError,
)


class DuetGroup(TyperGroup):
    """Shows our own errors, and those of files and disks, as one line without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        prepare_streams()
        write_no_proxy_for_httpx()
        try:
            return super().invoke(ctx)
        except OUR_ERRORS as error:
            typer.echo(f"duet: {error}", err=True)
            raise typer.Exit(
                2 if isinstance(error, RequestError | SettingsError | UnprotectedServerError) else 1
            ) from error
        except BrokenPipeError:  # whoever read it has read enough: click ends quietly
            raise
        except OSError as error:
            typer.echo(f"duet: {error.filename or 'a file'}: {error.strerror or error}", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=DuetGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A support assistant and a code assistant on your own machine.",
)
app.add_typer(adapters.app, name="adapters")
app.add_typer(code.app, name="code")
app.add_typer(db.app, name="db")
for evaluation in (
    evaluate_intents.intents,
    evaluate_held_out.held_out,
    evaluate_everyday.everyday,
    evaluate_mutants.mutants,
    evaluate_grammar.grammar,
    evaluate_quantization.quantization,
    evaluate_wording.wording,
    evaluate_replies.replies,
    evaluate_tasks.tasks,
    evaluate_reading.reading,
):
    evaluate.app.command()(evaluation)
bench.app.command("import")(bench_import.import_)
bench.app.command("catalog")(bench_support.catalog_)
bench.app.command()(bench_hostile.hostile)
for benchmark in (bench_editor.editor, bench_support.support, bench_support.window, bench_long.long):
    bench.app.command()(benchmark)
app.add_typer(bench.app, name="bench")
app.add_typer(evaluate.app, name="eval")
app.add_typer(handbook.app, name="handbook")
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")
app.command()(serve.serve)
app.command()(chat.chat)
