"""The code studio's right side: an answer as it comes, then an editor with it, which can be run and asked for again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import gradio as gr
import structlog

from apps.code.answers import Progress
from apps.code.assistant import Answer, Checked, CodeAssistant
from apps.code.running import CannotRunError
from apps.code.sandbox import SandboxError
from apps.code.toolchains import ToolchainMissingError
from ui.pages.code_answer import CodeAnswer
from ui.pages.code_scripts import KEYS, LISTING, SHOW_GHOST
from ui.pages.frame import AT_ONCE, QUIET, Frame
from ui.pages.labels import Language, error_text, text, unexpected
from ui.pages.rendering import line, render

log = structlog.get_logger(__name__)

# The editor knows no Java; its C++ looks alike.
EDITOR_LANGUAGES = {"python": "python", "java": "cpp", "cpp": "cpp"}
SECONDS_BETWEEN_UPDATES = 0.08
Updates = dict[Any, Any]
"""New values by component; what is not named stays."""


class Result:
    """The components that an answer is shown in. Must be made inside the page's Blocks context."""

    def __init__(self, frame: Frame, assistant: Callable[[], CodeAssistant]) -> None:
        """`assistant` raises NotReadyError while the model is being loaded."""
        self._frame = frame
        self._assistant = assistant
        self._choice = gr.Radio(
            [], show_label=False, container=False, visible=False, elem_id="shown", elem_classes="segmented"
        )
        self._view = gr.HTML(js_on_load=LISTING + KEYS, elem_id="answer")
        self.editor = frame.make(
            gr.Code,
            {"label": "code.result"},
            visible=False,
            elem_id="result",
            lines=14,
            max_lines=30,
            interactive=True,
            buttons=["copy", "download"],
        )
        self._verdict = gr.HTML(elem_id="verdict")
        with gr.Row(elem_id="doing"):
            self._stop = frame.make(gr.Button, {"value": "code.stop"}, visible=False, elem_id="stop")
            self._again = frame.make(gr.Button, {"value": "code.again"}, visible=False, elem_id="again")
            self.insert = frame.make(gr.Button, {"value": "code.insert"}, visible=False, elem_id="insert")
        with gr.Row(visible=False, elem_id="running") as self._running:
            self._call = frame.make(
                gr.Textbox, {"placeholder": "code.call", "label": "code.call"}, show_label=False, container=False,
                elem_id="call", max_length=2_000, scale=4, min_width=160,
            )  # fmt: skip
            self._run = frame.make(gr.Button, {"value": "code.run"}, elem_id="run", scale=1, min_width=90)
        self._output = gr.HTML(elem_id="output")
        self._ghost = gr.Textbox(visible=False)
        self.kept = gr.State(None)
        self.outputs = [
            *(self._choice, self._view, self.editor, self._verdict, self._stop, self._again, self.insert),
            *(self._running, self._call, self._run, self._output, self._ghost, self.kept),
        ]

    def connect(self, asking: list[Any]) -> None:
        """Wire what can be done with an answer. `asking` are the events that ask for one."""
        again = self._again.click(
            self._ask_again, [self.kept, self._frame.language], self.outputs, **QUIET, trigger_mode="once"
        )
        for event in (*asking, again):
            event.then(None, self._ghost, None, js=SHOW_GHOST)
        shown = [self.kept, self._frame.language]
        self._stop.click(self._stopped, shown, self.outputs, cancels=[*asking, again], **AT_ONCE)
        self._choice.input(self._show, [self.kept, self._choice], self.outputs, **AT_ONCE)
        given = [self.editor, self._call, *shown]
        self._run.click(self._ran, given, [self._output, self._run], **QUIET, trigger_mode="once")
        self._call.submit(self._ran, given, [self._output, self._run], **QUIET, trigger_mode="once")

    def told(self, key: str, reader: Language) -> Updates:
        """What is wrong with what was to be asked."""
        return {self._verdict: line("problem", text(key, reader))}

    def answering(self, shown: CodeAnswer) -> Iterator[Updates]:
        """Updates while an answer comes. Nothing that happens may reach a reader as more than one friendly line."""
        yield self._begun(shown)
        try:
            with closing(shown.ask(shown.attempt)) as coming:
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
                        yield {self._view: shown.listing(), self._verdict: shown.status()}
                        updated = time.monotonic()
        except Exception as error:
            log.warning("no code", reason=str(error), exc_info=unexpected(error))
            said = line("problem", error_text(error, shown.reader))
            yield {self._verdict: said, self._stop: _hidden(), self._again: _visible()}
            return
        yield self._finished(shown)

    def redraw(self, shown: CodeAnswer | None, reader: Language) -> Updates:
        """The last answer in another language of the page."""
        if shown is None:
            return {self._view: render("code_empty", reader), self._verdict: ""}
        shown.reader = reader
        return {self._verdict: shown.status()}

    def _begun(self, shown: CodeAnswer) -> Updates:
        hidden = (self._choice, self.editor, self._again, self.insert, self._running)
        return {
            **dict.fromkeys(hidden, _hidden()),
            self._view: gr.update(value=render("code_empty", shown.reader), visible=True),
            self._verdict: shown.status(),
            self._stop: _visible(),
            self._call: "",
            self._output: "",
            self._ghost: "",
            self.kept: shown,
        }

    def _finished(self, shown: CodeAnswer) -> Updates:
        compared = shown.source is not None
        changed = shown.source is not None and shown.source[1] == shown.language
        names = {"code": "code.view.code", "compared": "code.view.changes" if changed else "code.view.beside"}
        choices = [(text(key, shown.reader), name) for name, key in names.items()]
        language = EDITOR_LANGUAGES[shown.language]
        return {
            self._choice: gr.update(
                choices=choices, value="compared" if changed else "code", visible=compared
            ),
            self._view: gr.update(value=shown.comparison() if changed else "", visible=changed),
            self.editor: gr.update(value=shown.whole, language=language, visible=not changed),
            self._verdict: shown.status(),
            self._stop: _hidden(),
            self._again: _visible(),
            self.insert: gr.update(visible=shown.goes_back),
            self._running: _visible(),
            self._ghost: shown.code if shown.goes_back and not compared else "",
            self.kept: shown,
        }

    def _ask_again(self, shown: CodeAnswer, reader: Language) -> Iterator[Updates]:
        yield from self.answering(shown.again(reader))

    def _stopped(self, shown: CodeAnswer, reader: Language) -> Updates:
        shown.stopped = True
        return {**self.redraw(shown, reader), self._stop: _hidden(), self._again: _visible()}

    def _show(self, shown: CodeAnswer, choice: str) -> Updates:
        if choice == "code":
            return {self._view: _hidden(), self.editor: _visible()}
        return {self._view: gr.update(value=shown.comparison(), visible=True), self.editor: _hidden()}

    def _ran(self, code: str | None, called: str, shown: CodeAnswer, reader: Language) -> Iterator[Updates]:
        """What the code in the editor, as it stands there now, gives in the sandbox."""
        yield {
            self._output: line("busy", text("code.run.running", reader)),
            self._run: gr.update(interactive=False),
        }
        try:
            output = self._assistant().run(code or "", shown.language, called)
            said = render("output", reader, output=output, called=called.strip())
        except CannotRunError as error:
            said = line("problem", text(f"code.run.{error.reason}", reader))
        except (ToolchainMissingError, SandboxError) as error:
            said = line("problem", text("code.unchecked", reader, reason=error))
        except Exception as error:
            log.warning("nothing was run", reason=str(error), exc_info=unexpected(error))
            said = line("problem", error_text(error, reader))
        yield {self._output: said, self._run: gr.update(interactive=True)}


def _visible() -> Any:
    return gr.update(visible=True)


def _hidden() -> Any:
    return gr.update(visible=False)
