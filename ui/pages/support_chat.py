"""The shop assistant: a conversation, the order it is about, and what the assistant understood and used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from html import escape
from typing import Any, NamedTuple

import gradio as gr
import structlog

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import Token, TurnResult
from apps.support.errors import NotFoundError, SupportError
from apps.support.reading.cleaning import storable
from apps.support.shop.models import Conversation, ConversationStatus, Role, TicketStatus
from apps.support.shop.seed import DEMO_EMAILS
from ui.pages.code_answer import line
from ui.pages.frame import AT_ONCE, QUIET, Frame, title
from ui.pages.labels import Language, error_text, text, unexpected
from ui.pages.order_card import order_card
from ui.pages.transcript import KEEP_AT_END, Bubble, empty_transcript, transcript
from ui.pages.turn_view import TurnView, turn_card

log = structlog.get_logger(__name__)

EXAMPLES = ("shop.example.where", "shop.example.cancel", "shop.example.delivery", "shop.example.refund")
MOST_CHARACTERS = 4_000
MOST_SHOWN = 60
"""Messages on the page; a longer conversation's beginning is left out."""
SECONDS_BETWEEN_UPDATES = 0.08
SECONDS_BETWEEN_LOOKS = 4.0
"""How often the page looks whether a person has written."""

Values = dict[Any, Any]


class NoSuchCustomerError(SupportError):
    """Nobody in the shop's database has the e-mail that the reader signed in with."""


def build(blocks: gr.Blocks, pipeline: Callable[[], SupportPipeline]) -> None:
    """Lay the page out. `pipeline` raises NotReadyError while the model is being loaded."""
    SupportChat(blocks, pipeline)


class Talk(NamedTuple):
    """The page's last conversation. It is over once somebody else stands in the sign-in box."""

    conversation: str
    customer: str  # as the sign-in box said it when the conversation was opened


class SupportChat:
    """The page's components, and what happens to them. Its methods give values by component.

    What is shown of a conversation is read from the database, so that the page, the desk and the API agree.
    Gradio may tell of a new customer after the message that was sent as that customer. So nothing is kept when
    the sign-in box changes: every event brings what stands in the box, and it says whose conversation is meant.
    """

    def __init__(self, blocks: gr.Blocks, pipeline: Callable[[], SupportPipeline]) -> None:
        self._pipeline = pipeline
        frame = Frame("nav.shop")
        frame.make(gr.HTML, {"value": title("shop.title", "shop.lead")}, elem_classes="title")
        self._talk, self._turn = gr.State(None), gr.State(None)
        with gr.Row(elem_classes="columns"):
            with gr.Column(scale=7, min_width=320, elem_id="talk"):
                self._status = gr.HTML(elem_id="status")
                self._chat = gr.HTML(elem_id="chat", js_on_load=KEEP_AT_END)
                self._compose(frame)
            with gr.Column(scale=4, min_width=300):
                self._customer = frame.make(
                    gr.Dropdown,
                    {"label": "shop.customer", "choices": _customers},
                    value="",
                    allow_custom_value=True,
                    elem_id="customer",
                )
                with gr.Row(elem_classes="pair-of-buttons"):
                    self._person = frame.make(
                        gr.Button, {"value": "shop.person"}, size="sm", elem_id="person"
                    )
                    new = frame.make(gr.Button, {"value": "shop.new"}, size="sm", elem_id="new")
                self._order = gr.HTML(elem_id="order")
                self._panel = gr.HTML(elem_id="understood")
        self._timer = gr.Timer(SECONDS_BETWEEN_LOOKS, active=False)
        self._shown = [self._status, self._chat, self._order, self._panel, self._person, self._timer]
        self._connect(frame, new)
        frame.finish(blocks, self.redraw, [self._talk, self._turn, self._customer], self._shown)

    def _compose(self, frame: Frame) -> None:
        with gr.Row(elem_classes="examples", visible=False, elem_id="answers") as self._answers:
            self._yes, self._no = (
                frame.make(gr.Button, {"value": key}, size="sm", elem_classes="example")
                for key in ("shop.yes", "shop.no")
            )
        with gr.Row(equal_height=True, elem_id="compose"):
            self._message = frame.make(
                gr.Textbox,
                {"placeholder": "shop.hint"},
                show_label=False,
                container=False,
                max_length=MOST_CHARACTERS,
                scale=8,
                min_width=120,
                elem_id="message",
            )
            button: dict[str, Any] = {"scale": 1, "min_width": 90}
            self._send = frame.make(
                gr.Button, {"value": "shop.send"}, variant="primary", elem_id="send", **button
            )
            self._stop = frame.make(
                gr.Button, {"value": "shop.stop"}, visible=False, elem_id="stop-chat", **button
            )
        self._problem = gr.HTML(elem_id="problem")
        with gr.Row(elem_classes="examples"):
            frame.make(gr.HTML, {"value": "shop.examples"})
            self._examples = [
                frame.make(gr.Button, {"value": key}, size="sm", elem_classes="example") for key in EXAMPLES
            ]

    def _connect(self, frame: Frame, new: Any) -> None:
        language, once = frame.language, {**QUIET, "trigger_mode": "once"}
        buttons = [self._send, self._stop, self._answers, self._customer]
        place = [self._talk, self._turn, self._customer, language]
        asked = [self._talk, self._customer, language]
        everything = [self._talk, self._turn, self._message, self._problem, *self._shown, *buttons]
        inputs = [self._message, *asked]
        runs = [
            self._send.click(self.send, inputs, everything, **once),
            self._message.submit(self.send, inputs, everything, **once),
        ]
        for button in (*self._examples, self._yes, self._no):
            filled = button.click(lambda words: words, button, self._message, **AT_ONCE)
            runs.append(filled.then(self.send, inputs, everything, **once))
        stopped = self._stop.click(lambda: self._running(False), None, buttons, cancels=runs, **AT_ONCE)
        stopped.then(self.redraw, place, self._shown, **QUIET)
        new.click(self.begin, [self._customer, language], everything, cancels=runs, **AT_ONCE)
        self._customer.input(self.sign_in, place, [*self._shown, self._answers], **AT_ONCE)
        self._person.click(self.ask_for_person, asked, everything, **once)
        self._timer.tick(self.look, asked, [self._status, self._chat, self._person], **AT_ONCE)

    def send(self, said: str, talk: Talk | None, customer: str, reader: Language) -> Iterator[Values]:
        """One turn, while its reply comes."""
        if not said.strip():
            yield self._running(False) | {self._problem: line("problem", text("shop.need_text", reader))}
            return
        view, said, talk = TurnView(), storable(said), _going_on(talk, customer)
        try:
            support = self._pipeline()
            talk = talk or _open(support, customer, reader)
            current = talk.conversation
            before, earlier = self._messages(support, current)
            before.append(Bubble(Role.CUSTOMER, said))
            reply, updated = "", 0.0

            def words(*, typing: bool) -> str:
                answer = [Bubble(Role.ASSISTANT, reply)] if reply else []
                return transcript(
                    current, [*before, *answer], reader, mine=Role.CUSTOMER, earlier=earlier, typing=typing
                )

            yield self._running(True) | {
                self._message: "",
                self._problem: "",
                self._talk: talk,
                self._chat: words(typing=True),
                self._timer: gr.Timer(active=False),
            }
            with closing(support.stream(current, said)) as events:
                for event in events:
                    if isinstance(event, Token):
                        reply += event.text
                        if time.monotonic() - updated < SECONDS_BETWEEN_UPDATES:
                            continue
                        updated = time.monotonic()
                    else:
                        view.take(event)
                        self._finish(support, view, event)
                    yield {self._chat: words(typing=not reply), self._panel: turn_card(view, reader)}
        except Exception as error:
            # Nothing that happens here may reach a reader as more than one friendly line.
            log.warning("no reply", reason=str(error), exc_info=unexpected(error))
            yield self._running(False) | {
                self._problem: line("problem", _problem(error, reader)),
                self._timer: gr.Timer(active=talk is not None),
            }
            return
        asks = any(done["status"] == "proposed" for done in view.actions)
        buttons = self._running(False) | {self._answers: gr.update(visible=asks)}
        yield self.redraw(talk, view, customer, reader) | buttons | {self._turn: view}

    def _finish(self, support: SupportPipeline, view: TurnView, event: Any) -> None:
        """At the end of a turn, add what only its record knows."""
        if isinstance(event, TurnResult) and event.message_id is not None:
            with support.database.read() as session:
                trace = records.get_trace(session, event.message_id)
                if trace is not None:
                    view.add_trace(trace)

    def begin(self, customer: str, reader: Language) -> Values:
        """An empty page; the conversation before it stays with the desk."""
        cleared = {self._talk: None, self._turn: None, self._problem: ""}
        return self.redraw(None, None, customer, reader) | self._running(False) | cleared

    def sign_in(self, talk: Talk | None, view: TurnView | None, customer: str, reader: Language) -> Values:
        """An empty page for another customer. What is being typed and sent is left alone."""
        asks = gr.skip() if _going_on(talk, customer) else gr.update(visible=False)
        return self.redraw(talk, view, customer, reader) | {self._answers: asks}

    def ask_for_person(self, talk: Talk | None, customer: str, reader: Language) -> Values:
        try:
            support = self._pipeline()
            talk = _going_on(talk, customer) or _open(support, customer, reader)
            with support.database.write() as session:
                records.ask_for_person(session, talk.conversation, reason="requested")
        except Exception as error:
            log.warning("no hand-over", reason=str(error), exc_info=unexpected(error))
            return {self._problem: line("problem", _problem(error, reader))}
        kept = {self._talk: talk, self._turn: None, self._problem: ""}
        return self.redraw(talk, None, customer, reader) | self._running(False) | kept

    def redraw(self, talk: Talk | None, view: TurnView | None, customer: str, reader: Language) -> Values:
        """Everything that is shown of a conversation."""
        card, talk = "", _going_on(talk, customer)
        if talk is not None:
            with self._pipeline().database.read() as session:
                order = records.order_in_question(
                    session, records.get_conversation(session, talk.conversation)
                )
                card = order_card(order, reader) if order else ""
        return self.look(talk, customer, reader) | {
            self._order: card,
            self._panel: turn_card(view if talk else None, reader),
            self._timer: gr.Timer(active=talk is not None),
        }

    def look(self, talk: Talk | None, customer: str, reader: Language) -> Values:
        """What may have changed without this page: messages of a person, and who answers."""
        talk = _going_on(talk, customer)
        if talk is None:
            return {
                self._status: _who_answers(None, reader),
                self._chat: empty_transcript("shop.empty", reader),
                self._person: gr.update(interactive=True),
            }
        support, current = self._pipeline(), talk.conversation
        bubbles, earlier = self._messages(support, current)
        with support.database.read() as session:
            conversation = records.get_conversation(session, current)
            status = _who_answers(conversation, reader)
            with_person = conversation.status == ConversationStatus.HUMAN
        return {
            self._status: status,
            self._chat: transcript(current, bubbles, reader, mine=Role.CUSTOMER, earlier=earlier)
            if bubbles
            else empty_transcript("shop.empty", reader),
            self._person: gr.update(interactive=not with_person),
        }

    def _messages(self, support: SupportPipeline, current: str) -> tuple[list[Bubble], int]:
        """The last messages, and how many came before them."""
        with support.database.read() as session:
            bubbles = [
                Bubble.of(message) for message in records.recent_messages(session, current, MOST_SHOWN)
            ]
            return bubbles, records.count_messages(session, current) - len(bubbles)

    def _running(self, running: bool) -> Values:
        return {
            self._send: gr.update(visible=not running),
            self._stop: gr.update(visible=running),
            self._answers: gr.update(visible=False),
            self._customer: gr.update(interactive=not running),
        }


def _who_answers(conversation: Conversation | None, reader: Language) -> str:
    if conversation is None or conversation.status != ConversationStatus.HUMAN:
        return f'<p class="who-answers">{escape(text("shop.with_assistant", reader))}</p>'
    waiting = [ticket.id for ticket in conversation.tickets if ticket.status != TicketStatus.CLOSED]
    words = text("shop.with_person", reader, ticket=max(waiting, default="–"))
    return f'<p class="who-answers person">{escape(words)}</p>'


def _going_on(talk: Talk | None, customer: str) -> Talk | None:
    return talk if talk is not None and talk.customer == customer else None


def _open(support: SupportPipeline, customer: str, reader: Language) -> Talk:
    """A new conversation, of the customer with this e-mail, or of a guest."""
    email = customer.strip() or None
    try:
        with support.database.write() as session:
            opened = records.open_conversation(session, channel="page", language=reader, trusted_email=email)
            return Talk(opened.id, customer)
    except NotFoundError as error:
        raise NoSuchCustomerError from error


def _problem(error: Exception, reader: Language) -> str:
    unknown = isinstance(error, NoSuchCustomerError)
    return text("shop.no_customer", reader) if unknown else error_text(error, reader)


def _customers(reader: Language) -> list[tuple[str, str]]:
    return [(text("shop.guest", reader), ""), *((email, email) for email in DEMO_EMAILS)]
