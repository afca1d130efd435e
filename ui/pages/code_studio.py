"""The code studio: write, complete, translate; the code comes as it is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import gradio as gr
import structlog

from apps.code import completion
from apps.code.answers import Progress
from apps.code.assistant import EFFORTS, Answer, Checked, CodeAssistant, Events
from apps.code.prompts import LANGUAGE_NAMES
from ui.pages.code_answer import CodeAnswer
from ui.pages.examples import GAPS, PROGRAMS, TASKS, Gap, Program, Task
from ui.pages.frame import AT_ONCE, QUIET, Frame
from ui.pages.labels import Language, error_text, text, unexpected
from ui.pages.rendering import line, render

log = structlog.get_logger(__name__)

LANGUAGE_CHOICES = [(label, name) for name, label in LANGUAGE_NAMES.items()]
# The editor knows no Java; its C++ looks alike.
EDITOR_LANGUAGES = {"python": "python", "java": "cpp", "cpp": "cpp"}
SECONDS_BETWEEN_UPDATES = 0.08
LINES = {"lines": 14, "max_lines": 26}

# Gradio does not tell where the cursor is, the editor (CodeMirror) does. Without one code goes on at its end.
_EDITOR = 'document.querySelector("#gap .cm-content")?.cmTile?.root?.view'
_SPLIT_AT_CURSOR = f"""(code, _suffix, ...others) => {{
  const state = {_EDITOR}?.state;
  const text = state ? state.doc.toString() : code ?? "";
  const cursor = state ? state.selection.main.head : text.length;
  return [text.slice(0, cursor), text.slice(cursor), ...others];
}}"""
_PUT_CURSOR = f"""(cursor) => {{
  const put = (tries) => {{
    const view = {_EDITOR};
    if (view && view.state.doc.length >= cursor) {{
      view.dispatch({{selection: {{anchor: cursor}}, scrollIntoView: true}});
      view.focus();
    }} else if (tries) setTimeout(put, 50, tries - 1);
  }};
  setTimeout(put, 100, 20);
}}"""
_LISTING = """
element.addEventListener("click", async (event) => {
  const button = event.target.closest(".copy");
  if (!button) return;
  await navigator.clipboard.writeText(element.querySelector("code").textContent);
  button.textContent = button.dataset.copied;
});
watch("value", () => {
  const caret = element.querySelector(".caret"), pane = element.querySelector(".listing");
  if (caret) pane.scrollTop = Math.max(pane.scrollTop, caret.offsetTop - pane.clientHeight + 60);
});
"""


def build(blocks: gr.Blocks, assistant: Callable[[], CodeAssistant]) -> None:
    """Lay the page out. `assistant` raises NotReadyError while the model is being loaded."""
    frame = Frame("nav.code")
    frame.title("code.title", "code.lead")
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, min_width=320), gr.Tabs(elem_id="modes"):
            with frame.make(gr.Tab, {"label": "code.write"}, id="write"):
                words = {"label": "code.task", "placeholder": "code.task_hint"}
                task = frame.make(gr.Textbox, words, lines=6, max_lines=16, max_length=8_000, elem_id="task")
                with gr.Row():
                    write_language = _language(frame, "code.language", "python")
                    write_effort = _effort(frame)
                write = frame.make(gr.Button, {"value": "code.write"}, variant="primary", elem_id="write")
                tasks = _examples(frame, TASKS)
            with frame.make(gr.Tab, {"label": "code.complete"}, id="complete"):
                gap = frame.make(gr.Code, {"label": "code.file"}, language="python", elem_id="gap", **LINES)
                suffix, cursor = gr.Textbox(visible=False), gr.Number(visible=False)
                gap_language = _language(frame, "code.language", "python")
                complete = frame.make(
                    gr.Button, {"value": "code.complete"}, variant="primary", elem_id="complete"
                )
                gaps = _examples(frame, GAPS)
            with frame.make(gr.Tab, {"label": "code.translate"}, id="translate"):
                program = frame.make(
                    gr.Code, {"label": "code.source"}, language="python", elem_id="source", **LINES
                )
                with gr.Row():
                    source = _language(frame, "code.from", "python")
                    target = _language(frame, "code.to", "java")
                    translate_effort = _effort(frame)
                translate = frame.make(
                    gr.Button, {"value": "code.translate"}, variant="primary", elem_id="translate"
                )
                programs = _examples(frame, PROGRAMS)
        with gr.Column(scale=6, min_width=320):
            view = gr.HTML(js_on_load=_LISTING, elem_id="answer")
            verdict = gr.HTML(elem_id="verdict")
            with gr.Row():
                stop = frame.make(gr.Button, {"value": "code.stop"}, visible=False, elem_id="stop")
                insert = frame.make(gr.Button, {"value": "code.insert"}, visible=False, elem_id="insert")
    whole, kept = gr.State(""), gr.State(None)

    def do_write(task: str, language: str, effort: str, reader: Language) -> Iterator[list[Any]]:
        problem = None if task.strip() else "code.need_task"
        yield from _answer(
            lambda: assistant().write(task, language, effort=EFFORTS[effort]),
            CodeAnswer(language, reader),
            problem,
        )

    def do_complete(prefix: str, suffix: str, language: str, reader: Language) -> Iterator[list[Any]]:
        problem = None if (prefix + suffix).strip() else "code.need_code"
        yield from _answer(
            lambda: assistant().complete(completion.Gap(prefix, suffix, language=language)),
            CodeAnswer(language, reader, prefix, suffix),
            problem,
        )

    def do_translate(
        code: str | None, source: str, target: str, effort: str, reader: Language
    ) -> Iterator[list[Any]]:
        code = code or ""
        problem = "code.same" if source == target else None if code.strip() else "code.need_code"
        yield from _answer(
            lambda: assistant().translate(code, source, target, effort=EFFORTS[effort]),
            CodeAnswer(target, reader),
            problem,
        )

    outputs = [view, verdict, stop, insert, whole, kept]
    once = {**QUIET, "trigger_mode": "once"}
    runs = [
        write.click(do_write, [task, write_language, write_effort, frame.language], outputs, **once),
        complete.click(
            do_complete, [gap, suffix, gap_language, frame.language], outputs, js=_SPLIT_AT_CURSOR, **once
        ),
        translate.click(
            do_translate, [program, source, target, translate_effort, frame.language], outputs, **once
        ),
    ]
    stop.click(_stop, [kept, frame.language], [view, verdict, stop, insert], cancels=runs, **AT_ONCE)
    insert.click(lambda code: [code, gr.update(visible=False)], whole, [gap, insert], **AT_ONCE)
    gap_language.input(_highlight, gap_language, gap, **AT_ONCE)
    source.input(_highlight, source, program, **AT_ONCE)

    for button, chosen in zip(tasks, TASKS, strict=True):
        button.click(_fill_task(chosen), frame.language, [task, write_language], **AT_ONCE)
    for button, example in zip(gaps, GAPS, strict=True):
        filled = button.click(_fill_gap(example), None, [gap, gap_language, cursor], **AT_ONCE)
        filled.then(None, cursor, None, js=_PUT_CURSOR)
    for button, original in zip(programs, PROGRAMS, strict=True):
        button.click(_fill_program(original), None, [program, source, target], **AT_ONCE)
    frame.finish(blocks, _redraw, [kept], [view, verdict])


def _answer(events: Callable[[], Events], shown: CodeAnswer, problem: str | None) -> Iterator[list[Any]]:
    """Values for view, verdict, both buttons, the whole file and what is kept, while the answer comes.

    Nothing that happens here may reach a reader as more than one friendly line.
    """
    if problem is not None:
        yield [gr.skip(), line("problem", text(problem, shown.reader)), *_buttons(), gr.skip(), gr.skip()]
        return
    yield [gr.skip(), shown.status(), *_buttons(running=True), gr.skip(), shown]
    try:
        with closing(events()) as coming:
            updated = 0.0
            for event in coming:
                if isinstance(event, Answer):
                    shown.finish(event)
                    break
                if isinstance(event, Checked):
                    shown.drafts.append(event)
                elif isinstance(event, Progress):
                    shown.progress = event
                else:
                    shown.code += event.text
                if isinstance(event, Checked) or time.monotonic() - updated >= SECONDS_BETWEEN_UPDATES:
                    yield [shown.listing(), shown.status(), *_buttons(running=True), gr.skip(), gr.skip()]
                    updated = time.monotonic()
    except Exception as error:
        log.warning("no code", reason=str(error), exc_info=unexpected(error))
        yield [gr.skip(), line("problem", error_text(error, shown.reader)), *_buttons(), gr.skip(), gr.skip()]
        return
    fits = bool(shown.prefix or shown.suffix)
    yield [shown.listing(), shown.status(), *_buttons(insert=fits), shown.whole, shown]


def _redraw(shown: CodeAnswer | None, reader: Language) -> list[str]:
    """The last answer in another language of the page."""
    if shown is None:
        return [_empty(reader), ""]
    shown.reader = reader
    return [shown.listing(), shown.status()]


def _stop(shown: CodeAnswer, reader: Language) -> list[Any]:
    shown.stopped = True
    return [*_redraw(shown, reader), *_buttons()]


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


def _examples(frame: Frame, examples: tuple[Task, ...] | tuple[Gap, ...] | tuple[Program, ...]) -> list[Any]:
    with gr.Row(elem_classes="examples"):
        frame.make(gr.HTML, {"value": "code.examples"})
        return [
            frame.make(gr.Button, {"value": example.name}, size="sm", elem_classes="example")
            for example in examples
        ]


def _fill_task(task: Task) -> Callable[[Language], list[Any]]:
    return lambda reader: [task.chinese if reader == "zh" else task.english, task.language]


def _fill_gap(gap: Gap) -> Callable[[], list[Any]]:
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


def _buttons(*, running: bool = False, insert: bool = False) -> list[Any]:
    return [gr.update(visible=running), gr.update(visible=insert)]


def _empty(reader: Language) -> str:
    return render("code_empty", reader)
