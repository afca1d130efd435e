"""`duet code`: write, edit, complete and translate. The code alone goes to stdout, notes go to stderr."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.settings import load_settings
from ui.commands.models import make_ready

if TYPE_CHECKING:
    from apps.code.answers import Answer, Effort, Events, Trial
    from apps.code.assistant import CodeAssistant

app = typer.Typer(
    no_args_is_help=True, help="The code assistant: write, edit, complete, translate (Python, Java, C++)."
)

_MOST_TRIALS = 4
TOKENS_PER_REQUEST = 2048
"""Prompt and answer, at most, of a request that is to run beside others."""

Language = Annotated[str, typer.Option("--language", "-l", help="python, java or cpp.")]
Model = Annotated[str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")]
EffortName = Annotated[
    str, typer.Option("--effort", help="quick, normal or thorough: how much is checked and repaired.")
]
Compile = Annotated[
    bool, typer.Option(help="Ask javac or g++ about the finished code; Python is always asked.")
]
File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="The file to work on; it is not changed.")
]


@app.command()
def write(
    task: Annotated[str, typer.Argument(help="What the code should do, in words.")],
    language: Language,
    model: Model = None,
    effort: EffortName = "normal",
    compile: Compile = True,
) -> None:
    """Write code for a task, and check it on the examples that the task gives."""
    chosen = effort_named(effort)
    with code_assistant(model) as assistant:
        events = assistant.write(task, language, effort=chosen, compile=compile)
        _show(events)


@app.command()
def complete(
    file: File,
    line: Annotated[int, typer.Option(min=1, help="Line of the cursor, from 1.")],
    column: Annotated[
        int, typer.Option(min=1, help="Column of the cursor, from 1: 1 is before the first character.")
    ],
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="If the file's name does not say.")
    ] = None,
    model: Model = None,
    compile: Compile = False,
) -> None:
    """Show what belongs at the cursor."""
    text = _read(file)
    lines = text.split("\n")
    if line > len(lines) or column > len(lines[line - 1].removesuffix("\r")) + 1:
        raise typer.BadParameter(f"{file} has no line {line}, column {column}")
    at = sum(len(before) + 1 for before in lines[: line - 1]) + column - 1
    from apps.code.completion import Gap

    with code_assistant(model) as assistant:
        gap = Gap(text[:at], text[at:], filename=file.name, language=language)
        events = assistant.complete(gap, compile=compile)
        _show(events)


@app.command()
def edit(
    file: File,
    instruction: Annotated[str, typer.Argument(help="What is to become of the lines, in words.")],
    lines: Annotated[
        str, typer.Option(help="The lines to edit, from 1, as 12 or 12-20 [default: all].")
    ] = "",
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="If the file's name does not say.")
    ] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what changes in the file, for `patch` or `git apply`.")
    ] = False,
    model: Model = None,
    compile: Compile = False,
) -> None:
    """Show what takes the place of some lines by an instruction."""
    text = _read(file)
    first, last = _line_range(lines, text)
    at = text.split("\n")
    selection = "\n".join(at[first - 1 : last])
    prefix = "".join(f"{line}\n" for line in at[: first - 1])
    suffix = text[len(prefix) + len(selection) :]
    from apps.code.editing import Edit

    asked = Edit(instruction, prefix, selection, suffix, file.name, _language_of(file, language))
    with code_assistant(model) as assistant:
        _show(assistant.edit(asked, compile=compile), diff)


@app.command()
def translate(
    file: File,
    to: Annotated[str, typer.Option(help="python, java or cpp.")],
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="If the file's name does not say.")
    ] = None,
    model: Model = None,
    effort: EffortName = "normal",
    compile: Compile = True,
) -> None:
    """Translate a file to another language, and check that both programs answer alike."""
    text, chosen = _read(file), effort_named(effort)
    with code_assistant(model) as assistant:
        events = assistant.translate(text, _language_of(file, language), to, effort=chosen, compile=compile)
        _show(events)


@contextmanager
def code_assistant(
    model: str | None, grammar: bool = True, max_batch: int | None = None
) -> Iterator[CodeAssistant]:
    """The assistant on a model of its own, for as long as the command runs.

    `max_batch` requests can be generated together, DUET_MAX_BATCH where it is None.
    """
    settings = load_settings(**({} if model is None else {"model": model}))
    make_ready(settings)

    from apps.code.assistant import CodeAssistant
    from core_model.causal_lm import load_engine
    from core_model.chat_model import DuetChatModel

    max_batch = max_batch or settings.max_batch
    engine = load_engine(
        settings.model,
        weights=settings.weights,
        threads=settings.threads,
        home=settings.home,
        cache_tokens=max(settings.kv_cache_tokens, max_batch * TOKENS_PER_REQUEST),
        max_sequences=max_batch,
    )
    try:
        yield CodeAssistant(DuetChatModel(engine=engine), grammar)
    finally:
        engine.close()


def effort_named(name: str) -> Effort:
    """Raises BadParameter."""
    from apps.code.answers import EFFORTS

    if name not in EFFORTS:
        raise typer.BadParameter(f"effort is one of {', '.join(EFFORTS)}, not {name!r}")
    return EFFORTS[name]


def _show(events: Events, diff: bool = False) -> None:
    """Code, or its diff, on stdout at the end, for what comes first may not be the last word; verdicts on stderr."""
    from apps.code.answers import Answer, Checked, Progress

    for event in events:
        if isinstance(event, Progress):
            typer.echo(f"part {event.part} of {event.parts}: {', '.join(event.names)}", err=True)
        elif isinstance(event, Checked):
            typer.echo(f"draft {event.draft}: {event.verdict}", err=True)
        elif isinstance(event, Answer):
            told = event.code if not diff else event.diff or ""
            sys.stdout.write(told if not told or told.endswith("\n") else f"{told}\n")
            for trial in event.trials[:_MOST_TRIALS]:
                typer.echo(_told(trial), err=True)
            typer.echo(_note(event), err=True)


def _told(trial: Trial) -> str:
    same = f"{trial.alike} of {trial.drafts} drafts alike"
    if "\n" not in trial.name + trial.gave:
        return f"the assistant's own example ({same}): {trial.name} → {trial.gave}"
    return f"the assistant's own example ({same}):\n{_indented(trial.name)}\n  gives\n{_indented(trial.gave)}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())


def _note(answer: Answer) -> str:
    parses = "parses" if answer.parses else "does not parse"
    if not answer.parses and answer.prefix_parses is False:
        parses = "does not parse, and neither did the file before"
    cut = "; cut off at the token limit" if answer.finish_reason == "length" else ""
    checked = ""
    if answer.unchecked:
        checked = f"not run: {answer.unchecked}; "
    elif examples := [check for check in answer.checked if check.is_example]:
        passed = [check.name for check in examples if check.passed]
        checked = f"passes {len(passed)} of {len(examples)} examples ({'; '.join(passed[:5])}); "
    elif answer.trials:
        checked = "run on what the assistant made up, whose right answers nobody gave; "
    elif answer.checked:
        checked = "not run on any example; "
    compiles = ""
    if answer.compiles is not None or answer.compile_problem:
        names = {True: "compiles", False: "does not compile", None: "not compiled"}
        problem = f": {answer.compile_problem}" if answer.compile_problem else ""
        compiles = f"; {names[answer.compiles]}{problem}"
    if answer.unknown:
        checked += f"{answer.unknown}, so the compiler alone has judged; "
    return f"{checked}{parses}{compiles}; {answer.tokens} tokens in {answer.seconds:.1f} s{cut}"


def _line_range(lines: str, text: str) -> tuple[int, int]:
    """The first and the last of the lines named as 12 or 12-20, all where none are. Raises BadParameter."""
    count = len(text.removesuffix("\n").split("\n"))
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", lines or f"1-{count}")
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= first <= last <= count:
        raise typer.BadParameter(f"lines are named as 12 or 12-20, up to {count}, not {lines!r}")
    return first, last


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode()  # with its line ends as they are
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is not UTF-8 text") from error


def _language_of(file: Path, given: str | None) -> str:
    from apps.code.completion.detection import language_of_name

    language = given or language_of_name(file.name)
    if language is None:
        raise typer.BadParameter(f"say --language: it cannot be told from the name {file.name}")
    return language
