"""The shop assistant: a conversation, and beside it what the assistant understood and used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from html import escape
from typing import Any

import gradio as gr
import structlog
from sqlalchemy import select

from apps.support import desk
from apps.support.models import Customer
from apps.support.pipeline import SupportPipeline
from apps.support.seed import DEMO_EMAILS
from apps.support.turn import FactsFound, IntentFound, Token, TurnResult
from core_model.errors import CoreError
from ui.pages.code_answer import line
from ui.pages.frame import AT_ONCE, QUIET, Frame, title
from ui.pages.labels import Language, error_text, text

log = structlog.get_logger(__name__)

EXAMPLES = (
    "shop.example.where",
    "shop.example.cancel",
    "shop.example.delivery",
    "shop.example.refund",
)
MOST_CHARACTERS = 4_000
Messages = list[dict[str, Any]]


def build(blocks: gr.Blocks, pipeline: Callable[[], SupportPipeline]) -> None:
    """Lay the page out. `pipeline` raises NotReadyError while the model is being loaded."""
    frame = Frame("nav.shop")
    frame.make(gr.HTML, {"value": title("shop.title", "shop.lead")}, elem_classes="title")
    conversation = gr.State("")
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=7, min_width=320):
            chat = gr.Chatbot(
                render_markdown=False,
                sanitize_html=True,
                show_label=False,
                height=440,
                layout="bubble",
                buttons=[],
                elem_id="chat",
            )
            status = gr.HTML(elem_id="status")
            with gr.Row(equal_height=True, elem_id="compose"):
                message = frame.make(
                    gr.Textbox,
                    {"placeholder": "shop.hint"},
                    show_label=False,
                    container=False,
                    max_length=MOST_CHARACTERS,
                    scale=8,
                    elem_id="message",
                )
                send = frame.make(
                    gr.Button,
                    {"value": "shop.send"},
                    variant="primary",
                    scale=1,
                    min_width=90,
                    elem_id="send",
                )
                stop = frame.make(
                    gr.Button,
                    {"value": "shop.stop"},
                    visible=False,
                    scale=1,
                    min_width=90,
                    elem_id="stop-chat",
                )
            with gr.Row(elem_classes="examples"):
                frame.make(gr.HTML, {"value": "shop.examples"})
                examples = [
                    frame.make(gr.Button, {"value": key}, size="sm", elem_classes="example")
                    for key in EXAMPLES
                ]
        with gr.Column(scale=4, min_width=300):
            customer = frame.make(
                gr.Dropdown,
                {"label": "shop.customer", "choices": _customers},
                value="",
                elem_id="customer",
            )
            understood = frame.make(gr.HTML, {"value": _nothing_yet}, elem_id="understood")
            with gr.Row():
                person = frame.make(gr.Button, {"value": "shop.person"}, size="sm", elem_id="person")
                new = frame.make(gr.Button, {"value": "shop.new"}, size="sm", elem_id="new")

    def do_send(said: str, shown: Messages, current: str, who: str, reader: Language) -> Iterator[list[Any]]:
        yield from _turn(pipeline, said, shown, current, who, reader)

    outputs = [message, chat, understood, status, conversation, send, stop]
    inputs = [message, chat, conversation, customer, frame.language]
    once = {**QUIET, "trigger_mode": "once"}
    runs = [send.click(do_send, inputs, outputs, **once), message.submit(do_send, inputs, outputs, **once)]
    for button in examples:
        run = button.click(lambda words: words, button, message, **AT_ONCE)
        runs.append(run.then(do_send, inputs, outputs, **once))
    stop.click(lambda: _buttons(running=False), None, [send, stop], cancels=runs, **AT_ONCE)

    def fresh(reader: Language) -> list[Any]:
        return ["", [], _nothing_yet(reader), "", "", *_buttons(running=False)]

    new.click(fresh, frame.language, outputs, cancels=runs, **AT_ONCE)
    customer.input(fresh, frame.language, outputs, cancels=runs, **AT_ONCE)
    person.click(
        lambda current, who, reader: _hand_over(pipeline, current, who, reader),
        [conversation, customer, frame.language],
        [status, conversation],
        **QUIET,
    )
    frame.finish(blocks)


def _turn(
    pipeline: Callable[[], SupportPipeline],
    said: str,
    shown: Messages,
    current: str,
    who: str,
    reader: Language,
) -> Iterator[list[Any]]:
    """Values for message, chat, panel, status, conversation and both buttons, while the reply comes."""
    if not said.strip():
        problem = line("problem", text("shop.need_text", reader))
        yield [gr.skip(), gr.skip(), gr.skip(), problem, gr.skip(), *_buttons(running=False)]
        return
    messages = [*shown, _bubble("user", said)]
    yield ["", messages, gr.skip(), "", current, *_buttons(running=True)]
    reply, panel = "", _Panel(reader)
    try:
        support = pipeline()
        current = current or _open(support, who)
        with closing(support.stream(current, said)) as events:
            for event in events:
                if isinstance(event, Token):
                    reply += event.text
                else:
                    panel.take(event)
                answer = [_bubble("assistant", reply)] if reply else []
                yield ["", [*messages, *answer], panel.html(), "", current, *_buttons(running=True)]
    except Exception as error:
        # Nothing that happens here may reach a reader as more than one friendly line.
        log.warning("no reply", reason=str(error), exc_info=not isinstance(error, CoreError))
        problem = line("problem", error_text(error, reader))
        yield [gr.skip(), gr.skip(), gr.skip(), problem, current, *_buttons(running=False)]
        return
    yield [gr.skip(), gr.skip(), gr.skip(), "", current, *_buttons(running=False)]


def _bubble(role: str, words: str) -> dict[str, Any]:
    """A message as it was written: the component takes content for HTML even where it renders no Markdown."""
    return {"role": role, "content": escape(words, quote=False)}


def _open(support: SupportPipeline, who: str) -> str:
    """A new conversation, of a demonstration customer or of nobody."""
    with support.database.write() as session:
        known = who if who in DEMO_EMAILS and _exists(session, who) else None
        return desk.open_conversation(session, channel="page", language=None, trusted_email=known).id


def _exists(session: Any, email: str) -> bool:
    return session.scalar(select(Customer.id).where(Customer.email == email)) is not None


def _hand_over(
    pipeline: Callable[[], SupportPipeline], current: str, who: str, reader: Language
) -> list[Any]:
    try:
        support = pipeline()
        current = current or _open(support, who)
        with support.database.write() as session:
            conversation = desk.get_conversation(session, current)
            state = desk.load_state(conversation)
            ticket = desk.hand_over(session, conversation, state, reason="requested", intent=None)
            number = ticket.id
    except Exception as error:
        log.warning("no hand-over", reason=str(error), exc_info=error)
        return [line("problem", error_text(error, reader)), current]
    return [line("note", text("shop.handed_over", reader, ticket=number)), current]


class _Panel:
    """What was understood, looked up and done, as a card."""

    def __init__(self, reader: Language) -> None:
        self._reader = reader
        self._rows: dict[str, str] = {}

    def take(self, event: IntentFound | FactsFound | TurnResult) -> None:
        if isinstance(event, IntentFound | TurnResult) and event.intent.name:
            sure = "" if event.intent.confidence is None else f" · {event.intent.confidence:.0%}"
            self._rows["shop.intent"] = f"<code>{escape(event.intent.name)}</code>{sure}"
        if isinstance(event, FactsFound | TurnResult):
            self._list("shop.facts", [f"{name}: {value}" for name, value in event.facts.items()])
            self._list("shop.sources", event.citations)
            self._list("shop.actions", [f"{done['name']}: {done['status']}" for done in event.actions])

    def html(self) -> str:
        rows = "".join(
            f"<dt>{escape(text(key, self._reader))}</dt><dd>{value}</dd>" for key, value in self._rows.items()
        )
        return f'<div class="seen"><h2>{escape(text("shop.seen", self._reader))}</h2><dl>{rows}</dl></div>'

    def _list(self, key: str, items: list[str]) -> None:
        if items:
            self._rows[key] = "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def _nothing_yet(reader: Language) -> str:
    heading, words = (escape(text(key, reader)) for key in ("shop.seen", "shop.seen_empty"))
    return f'<div class="seen"><h2>{heading}</h2><p>{words}</p></div>'


def _customers(reader: Language) -> list[tuple[str, str]]:
    return [(text("shop.guest", reader), ""), *((email, email) for email in DEMO_EMAILS)]


def _buttons(*, running: bool) -> list[Any]:
    return [gr.update(visible=not running), gr.update(visible=running)]
