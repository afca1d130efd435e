"""The code studio: write, edit, complete, translate; the code comes as it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import structlog

from apps.code import editing
from apps.code.assistant import EFFORTS, Answer, CodeAssistant, Events
from apps.code.completion import AUTOMATIC_FLOOR, Gap
from apps.code.completion.gap import GREEDY
from apps.code.errors import NoCodeAskedError
from apps.code.prompts import LANGUAGE_NAMES
from core_model.requests import SamplingParams
from ui.pages import examples
from ui.pages.code_answer import CodeAnswer
from ui.pages.code_result import EDITOR_LANGUAGES, Result, Updates
from ui.pages.code_scripts import SHOW_GHOST, SPLIT_AT_CURSOR, SPLIT_AT_SELECTION, put_cursor
from ui.pages.examples import CHANGES, GAPS, PROGRAMS, TASKS, Change, Program, Task
from ui.pages.frame import AT_ONCE, QUIET, Frame
from ui.pages.labels import Language, text, unexpected

log = structlog.get_logger(__name__)

LANGUAGE_CHOICES = [(label, name) for name, label in LANGUAGE_NAMES.items()]
EDITOR: dict[str, Any] = {"language": "python", "lines": 14, "max_lines": 26, "buttons": []}
"""Of what somebody types; on a narrow screen buttons would stand over the label."""
_AGAIN = 0.7
"""Temperature of what is asked for again."""
_PATIENCE_S = 2.0
"""A suggestion that comes later than this is about what was typed long ago."""


def build(blocks: gr.Blocks, assistant: Callable[[], CodeAssistant]) -> None:
    """Lay the page out. `assistant` raises NotReadyError while the model is being loaded."""
    frame = Frame("nav.code")
    frame.title("code.title", "code.lead")
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, min_width=320), gr.Tabs(elem_id="modes"):
            with frame.make(gr.Tab, {"label": "code.write"}, id="write"):
                task = _words(frame, "code.task", "code.task_hint", "task", lines=6)
                with gr.Row():
                    write_language, write_effort = _language(frame, "code.language", "python"), _effort(frame)
                write = _button(frame, "write", "code.keys")
                tasks = _examples(frame, TASKS)
            with frame.make(gr.Tab, {"label": "code.edit"}, id="edit"):
                part = frame.make(gr.Code, {"label": "code.part"}, elem_id="part", **EDITOR)
                selection, after = gr.Textbox(visible=False), gr.Textbox(visible=False)
                start, end = gr.Number(visible=False), gr.Number(visible=False)
                instruction = _words(
                    frame, "code.instruction", "code.instruction_hint", "instruction", lines=1
                )
                edit_language = _language(frame, "code.language", "python")
                edit = _button(frame, "edit", "code.keys_edit")
                changes = _examples(frame, CHANGES)
            with frame.make(gr.Tab, {"label": "code.complete"}, id="complete"):
                gap = frame.make(gr.Code, {"label": "code.file"}, elem_id="gap", **EDITOR)
                suffix, cursor, ghost = (
                    gr.Textbox(visible=False),
                    gr.Number(visible=False),
                    gr.Textbox(visible=False),
                )
                gap_language = _language(frame, "code.language", "python")
                complete = _button(frame, "complete", "code.keys_complete")
                suggest = gr.Button(visible="hidden", elem_id="suggest")
                gaps = _examples(frame, GAPS)
            with frame.make(gr.Tab, {"label": "code.translate"}, id="translate"):
                program = frame.make(gr.Code, {"label": "code.source"}, elem_id="source", **EDITOR)
                with gr.Row():
                    source, target = (
                        _language(frame, "code.from", "python"),
                        _language(frame, "code.to", "java"),
                    )
                    translate_effort = _effort(frame)
                translate = _button(frame, "translate", "code.keys")
                programs = _examples(frame, PROGRAMS)
        with gr.Column(scale=6, min_width=320):
            result = Result(frame, assistant)

    def do_write(task: str, language: str, effort: str, reader: Language) -> Iterator[Updates]:
        def ask(attempt: int) -> Events:
            if not attempt and not assistant().asks_for_code(task):
                raise NoCodeAskedError
            options: Any = {"effort": EFFORTS[effort], "compile": True, **_again(attempt)}
            return assistant().write(task, language, **options)

        if not task.strip():
            yield result.told("code.need_task", reader)
            return
        yield from result.answering(CodeAnswer(language, reader, ask))

    def do_edit(
        prefix: str, selection: str, suffix: str, instruction: str, language: str, reader: Language
    ) -> Iterator[Updates]:
        if not (selection.strip() and instruction.strip()):
            yield result.told("code.need_instruction" if selection.strip() else "code.need_code", reader)
            return
        asked = editing.Edit(instruction, prefix, selection, suffix, language=language)

        def ask(attempt: int) -> Events:
            drawn = replace(asked, sampling=SamplingParams(**_again(attempt)))
            return assistant().edit(drawn, compile=True)

        before = (prefix + selection + suffix, language)
        yield from result.answering(
            CodeAnswer(language, reader, ask, asked.prefix, asked.suffix, before, goes_back=True)
        )

    def do_complete(prefix: str, suffix: str, language: str, reader: Language) -> Iterator[Updates]:
        def ask(attempt: int) -> Events:
            sampling = replace(GREEDY, **_again(attempt))
            return assistant().complete(Gap(prefix, suffix, language=language, sampling=sampling))

        if not (prefix + suffix).strip():
            yield result.told("code.need_code", reader)
            return
        yield from result.answering(CodeAnswer(language, reader, ask, prefix, suffix, goes_back=True))

    def do_suggest(prefix: str, suffix: str, language: str) -> str:
        """A suggestion that nobody has asked for: at once, and only where it is worth saying."""
        if not (prefix + suffix).strip():
            return ""
        asked = Gap(prefix, suffix, language=language, deadline_s=_PATIENCE_S, floor=AUTOMATIC_FLOOR)
        try:
            *_, answer = assistant().complete(asked)
        except Exception as error:
            log.warning("no suggestion", reason=str(error), exc_info=unexpected(error))
            return ""
        assert isinstance(answer, Answer)
        return answer.code

    def do_translate(
        code: str | None, source: str, target: str, effort: str, reader: Language
    ) -> Iterator[Updates]:
        code = code or ""

        def ask(attempt: int) -> Events:
            options: Any = {"effort": EFFORTS[effort], "compile": True, **_again(attempt)}
            return assistant().translate(code, source, target, **options)

        if source == target or not code.strip():
            yield result.told("code.same" if source == target else "code.need_code", reader)
            return
        yield from result.answering(CodeAnswer(target, reader, ask, source=(code, source)))

    once = {**QUIET, "trigger_mode": "once"}
    asking = [
        write.click(do_write, [task, write_language, write_effort, frame.language], result.outputs, **once),
        edit.click(
            do_edit, [part, selection, after, instruction, edit_language, frame.language], result.outputs,
            js=SPLIT_AT_SELECTION, **once,
        ),
        complete.click(
            do_complete, [gap, suffix, gap_language, frame.language], result.outputs, js=SPLIT_AT_CURSOR, **once
        ),
        translate.click(
            do_translate, [program, source, target, translate_effort, frame.language], result.outputs, **once
        ),
    ]  # fmt: skip
    result.connect(asking)
    suggested = suggest.click(
        do_suggest,
        [gap, suffix, gap_language],
        ghost,
        js=SPLIT_AT_CURSOR,
        **QUIET,
        trigger_mode="always_last",
    )
    suggested.then(None, ghost, None, js=SHOW_GHOST)
    result.insert.click(_put_back, [result.editor, result.kept], [gap, part, result.insert], **AT_ONCE)
    for chosen, editor in ((gap_language, gap), (source, program), (edit_language, part)):
        chosen.input(_highlight, chosen, editor, **AT_ONCE)

    for button, a_task in zip(tasks, TASKS, strict=True):
        button.click(_fill_task(a_task), frame.language, [task, write_language], **AT_ONCE)
    for button, change in zip(changes, CHANGES, strict=True):
        filled = button.click(
            _fill_change(change), frame.language, [part, edit_language, instruction, start, end], **AT_ONCE
        )
        filled.then(None, [start, end], None, js=put_cursor("part"))
    for button, a_gap in zip(gaps, GAPS, strict=True):
        filled = button.click(_fill_gap(a_gap), None, [gap, gap_language, cursor], **AT_ONCE)
        filled.then(None, cursor, None, js=put_cursor("gap"))
    for button, original in zip(programs, PROGRAMS, strict=True):
        button.click(_fill_program(original), None, [program, source, target], **AT_ONCE)
    frame.finish(blocks, result.redraw, [result.kept], result.outputs)


def _again(attempt: int) -> dict[str, Any]:
    """How the tokens of an attempt are drawn: first the likeliest, then by chance, each time otherwise."""
    return {"temperature": _AGAIN if attempt else 0.0, "seed": attempt * 1_000}


def _put_back(code: str, shown: CodeAnswer) -> list[Any]:
    """The result into the editor that it came from: the one with the gap, or the one with the part to edit."""
    gap, part = (gr.skip(), code) if shown.source else (code, gr.skip())
    return [gap, part, gr.update(visible=False)]


def _words(frame: Frame, label: str, hint: str, element_id: str, lines: int) -> Any:
    words = {"label": label, "placeholder": hint}
    return frame.make(gr.Textbox, words, lines=lines, max_lines=16, max_length=8_000, elem_id=element_id)


def _button(frame: Frame, name: str, keys: str) -> Any:
    """The button that does what a tab is for, and what the keyboard does."""
    button = frame.make(gr.Button, {"value": f"code.{name}"}, variant="primary", elem_id=name)
    words = {"value": lambda reader: text(keys, reader)}
    frame.make(gr.HTML, words, elem_classes="keys")
    return button


def _language(frame: Frame, label: str, value: str) -> Any:
    return frame.make(
        gr.Radio,
        {"label": label},
        choices=LANGUAGE_CHOICES,
        value=value,
        elem_classes="segmented",
        min_width=215,
    )


def _effort(frame: Frame) -> Any:
    def choices(language: Language) -> list[tuple[str, str]]:
        return [(text(f"code.effort.{name}", language), name) for name in EFFORTS]

    return frame.make(
        gr.Radio,
        {"label": "code.effort", "choices": choices},
        value="normal",
        elem_classes="segmented",
        min_width=275,
    )


def _examples(frame: Frame, offered: tuple[Task | Change | examples.Gap | Program, ...]) -> list[Any]:
    with gr.Row(elem_classes="examples"):
        frame.make(gr.HTML, {"value": "code.examples"})
        return [
            frame.make(gr.Button, {"value": example.name}, size="sm", elem_classes="example")
            for example in offered
        ]


def _fill_task(task: Task) -> Callable[[Language], list[Any]]:
    return lambda reader: [task.chinese if reader == "zh" else task.english, task.language]


def _fill_change(change: Change) -> Callable[[Language], list[Any]]:
    language, start = EDITOR_LANGUAGES[change.language], len(change.prefix)
    return lambda reader: [
        gr.update(value=change.prefix + change.selection + change.suffix, language=language),
        change.language,
        change.chinese if reader == "zh" else change.english,
        start,
        start + len(change.selection),
    ]


def _fill_gap(gap: examples.Gap) -> Callable[[], list[Any]]:
    language = EDITOR_LANGUAGES[gap.language]
    return lambda: [
        gr.update(value=gap.prefix + gap.suffix, language=language),
        gap.language,
        len(gap.prefix),
    ]


def _fill_program(program: Program) -> Callable[[], list[Any]]:
    language = EDITOR_LANGUAGES[program.source]
    return lambda: [gr.update(value=program.code, language=language), program.source, program.target]


def _highlight(language: str) -> Any:
    return gr.update(language=EDITOR_LANGUAGES[language])
