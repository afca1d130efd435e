"""The shop assistant: a conversation, the order it is about, and for demonstrations what the assistant understood."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import gradio as gr
import structlog

from apps.support.conversations import records, tickets
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import Token, TurnResult
from apps.support.errors import NotFoundError
from apps.support.reading.cleaning import storable
from apps.support.shop.seed import DEMO_EMAILS
from ui.pages.chat_scripts import CLICK_TO_SAY, DEMONSTRATION, REACH
from ui.pages.conversation_view import Unsent, conversation_view, empty_view, who_answers
from ui.pages.frame import AT_ONCE, QUIET, Frame
from ui.pages.labels import Language, error_text, text, unexpected
from ui.pages.order_card import order_card
from ui.pages.rendering import line, render
from ui.pages.talk import Place, Talk, open_talk, problem_text
from ui.pages.transcript import KEEP_AT_END
from ui.pages.turn_view import TurnView, turn_card

log = structlog.get_logger(__name__)

MOST_CHARACTERS = 4_000
SECONDS_BETWEEN_UPDATES = 0.08
SECONDS_BETWEEN_LOOKS = 4.0
"""How often the page looks whether a person has written."""

Values = dict[Any, Any]


def build(blocks: gr.Blocks, pipeline: Callable[[], SupportPipeline]) -> None:
    """Lay the page out. `pipeline` raises NotReadyError while the model is being loaded."""
    SupportChat(blocks, pipeline)


class SupportChat:
    """The page's components, and what happens to them. Its methods give values by component.

    What is shown of a conversation is read from the database, so that the page, the desk and the API agree, and
    a page that is loaded again goes on. Gradio may tell of a new customer after the message that was sent as that
    customer. So nothing is kept when the sign-in box changes: every event brings what stands in the box, and it
    says whose conversation is meant.
    """

    def __init__(self, blocks: gr.Blocks, pipeline: Callable[[], SupportPipeline]) -> None:
        self._pipeline = pipeline
        frame = Frame("nav.shop")
        # The conversation's unguessable id stays in the browser, so that it outlives the page and the server.
        self._talk = gr.BrowserState([], storage_key="duet-conversation", secret="duet")
        self._turn, self._unsent, self._seen = gr.State(None), gr.State(()), gr.State("")
        with gr.Row(elem_classes="columns", elem_id="shop"):
            with gr.Column(scale=7, min_width=320, elem_id="talk"):
                frame.title("shop.title", "shop.lead")
                with gr.Row(elem_id="talk-head"):
                    self._status = gr.HTML(elem_id="status")
                    self._person = _small_button(frame, "shop.person", "person")
                    new = _small_button(frame, "shop.new", "new")
                self._chat = gr.HTML(elem_id="chat", js_on_load=KEEP_AT_END + CLICK_TO_SAY)
                self._compose(frame)
            with gr.Column(scale=4, min_width=300, elem_id="aside"):
                self._order = gr.HTML(elem_id="order")
                self._demonstration(frame)
        self._timer = gr.Timer(SECONDS_BETWEEN_LOOKS, active=False)
        looked = [self._status, self._chat, self._person, self._seen]
        self._shown = [*looked, self._order, self._panel, self._timer]
        self._connect(frame, new, looked)
        place = [self._talk, self._turn, self._unsent, self._customer]
        restored = [*self._shown, self._talk, self._turn, self._customer]
        frame.finish(blocks, self.redraw, place, restored, restore=self.restore)

    def _compose(self, frame: Frame) -> None:
        self._problem = gr.HTML(elem_id="problem")
        frame.make(gr.HTML, {"value": lambda reader: render("unreachable", reader)}, elem_id="unreachable")
        with gr.Row(equal_height=True, elem_id="compose"):
            self._message = frame.make(
                gr.Textbox,
                {"label": "shop.message", "placeholder": "shop.hint"},
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

    def _demonstration(self, frame: Frame) -> None:
        """What a shop's customer does not see: who is signed in, and what the assistant understood."""
        frame.make(
            gr.HTML,
            {"value": lambda reader: render("demonstration", reader)},
            js_on_load=DEMONSTRATION,
            elem_id="demonstration-switch",
        )
        with gr.Column(elem_id="demonstration"):
            self._customer = frame.make(
                gr.Dropdown,
                {"label": "shop.customer", "choices": _customers},
                value="",
                allow_custom_value=True,
                elem_id="customer",
            )
            self._panel = gr.HTML(elem_id="understood")

    def _connect(self, frame: Frame, new: Any, looked: list[Any]) -> None:
        once = {**QUIET, "trigger_mode": "once"}
        buttons = [self._send, self._stop, self._customer]
        place = [self._talk, self._turn, self._unsent, self._customer, frame.language]
        kept = [self._talk, self._turn, self._unsent, self._problem]
        everything = [*kept, self._message, *self._shown, *buttons]
        runs = [
            self._send.click(self.send, [self._message, *place], everything, js=REACH, **once),
            self._message.submit(self.send, [self._message, *place], everything, js=REACH, **once),
            self._chat.click(self.say, place, everything, **once),
        ]
        stopped = self._stop.click(lambda: self._running(False), None, buttons, cancels=runs, **AT_ONCE)
        stopped.then(self.redraw, place, self._shown, **QUIET)
        new.click(self.begin, place, everything, cancels=runs, **AT_ONCE)
        self._customer.input(self.redraw, place, self._shown, **AT_ONCE)
        self._person.click(self.ask_for_person, place, everything, **once)
        self._timer.tick(self.look, [self._seen, *place], looked, **AT_ONCE)

    def send(self, said: str, *place: Any) -> Iterator[Values]:
        """One turn with what stands in the box."""
        at = Place(*place)
        if not said.strip():
            yield self._running(False) | {self._problem: line("problem", text("shop.need_text", at.reader))}
            return
        turn = self._answer(said, at)
        yield next(turn) | {self._message: ""}
        yield from turn

    def say(
        self,
        stored: list[str],
        turn: TurnView | None,
        unsent: tuple[Unsent, ...],
        customer: str,
        reader: Language,
        event: gr.EventData,
    ) -> Iterator[Values]:
        """One turn with what was clicked in the conversation. What stands in the box is left alone."""
        yield from self._answer(str(event.say), Place(stored, turn, unsent, customer, reader))

    def _answer(self, said: str, at: Place) -> Iterator[Values]:
        """One turn, while its reply comes."""
        said, view, talk = storable(said)[:MOST_CHARACTERS], TurnView(), at.talk
        at = at._replace(unsent=tuple(other for other in at.unsent if other.words != said))
        stored = False
        try:
            support = self._pipeline()
            talk = talk or open_talk(support, at.customer, at.reader)
            with support.database.read() as session:
                shown = conversation_view(session, talk.conversation, at.reader, at.unsent)
            reply, updated = "", 0.0
            yield self._running(True) | {
                self._problem: "",
                self._talk: list(talk),
                self._unsent: at.unsent,
                self._chat: shown.going_on(said, reply),
                self._timer: gr.Timer(active=False),
            }
            with closing(support.stream(talk.conversation, said)) as events:
                for event in events:
                    stored = True
                    if isinstance(event, Token):
                        reply += event.text
                        if time.monotonic() - updated < SECONDS_BETWEEN_UPDATES:
                            continue
                        updated = time.monotonic()
                    else:
                        view.take(event)
                        self._finish(support, view, event)
                    yield {
                        self._chat: shown.going_on(said, reply),
                        self._panel: turn_card(view, at.reader),
                    }
        except Exception as error:
            # Nothing that happens here may reach a reader as more than one friendly line.
            log.warning("no reply", reason=str(error), exc_info=unexpected(error))
            yield self._failed(error, said, at, talk, stored)
            return
        at = at._replace(stored=list(talk), turn=view)
        yield self.redraw(*at) | self._running(False) | {self._turn: view}

    def _failed(self, error: Exception, said: str, at: Place, talk: Talk | None, stored: bool) -> Values:
        """A message that did not reach the shop stays on the page, to be sent again."""
        problem = problem_text(error, at.reader)
        values = self._running(False) | {self._timer: gr.Timer(active=talk is not None)}
        if stored:
            return values | {self._problem: line("problem", problem)}
        at = at._replace(unsent=(*at.unsent, Unsent(said, problem)), stored=list(talk) if talk else [])
        return self.look("", *at) | values | {self._problem: "", self._unsent: at.unsent}

    def _finish(self, support: SupportPipeline, view: TurnView, event: Any) -> None:
        """At the end of a turn, add what only its record knows."""
        if isinstance(event, TurnResult) and event.message_id is not None:
            with support.database.read() as session:
                trace = records.get_trace(session, event.message_id)
                if trace is not None:
                    view.add_trace(trace)

    def begin(self, *place: Any) -> Values:
        """An empty page; the conversation before it stays with the desk."""
        at = Place(*place)._replace(stored=[], turn=None, unsent=())
        cleared: Values = {
            self._talk: [],
            self._turn: None,
            self._unsent: (),
            self._problem: "",
            self._message: "",
        }
        return self.redraw(*at) | self._running(False) | cleared

    def restore(self, *place: Any) -> Values:
        """The conversation that the browser remembers, as whoever it was signed in then."""
        at = Place(*place)
        if not at.stored:
            return self.redraw(*at)
        remembered = Talk(*at.stored)
        at = at._replace(customer=remembered.customer)
        try:
            with self._pipeline().database.read() as session:
                records.get_conversation(session, remembered.conversation)
                traces = records.traces_of(session, remembered.conversation)
                at = at._replace(turn=TurnView.of(traces[-1]) if traces else None)
        except NotFoundError:
            return self.redraw(*at._replace(stored=[])) | {self._talk: []}
        except Exception as error:
            log.warning("not restored yet", reason=str(error), exc_info=unexpected(error))
        return self.redraw(*at) | {self._turn: at.turn, self._customer: at.customer}

    def ask_for_person(self, *place: Any) -> Values:
        at = Place(*place)
        try:
            support = self._pipeline()
            talk = at.talk or open_talk(support, at.customer, at.reader)
            with support.database.write() as session:
                tickets.ask_for_person(session, talk.conversation, reason="requested")
        except Exception as error:
            log.warning("no hand-over", reason=str(error), exc_info=unexpected(error))
            return {self._problem: line("problem", problem_text(error, at.reader))}
        at = at._replace(stored=list(talk), turn=None)
        kept = {self._talk: list(talk), self._turn: None, self._problem: ""}
        return self.redraw(*at) | self._running(False) | kept

    def redraw(self, *place: Any) -> Values:
        """Everything that is shown of a conversation."""
        at = Place(*place)
        card = ""
        if at.talk is not None:
            try:
                with self._pipeline().database.read() as session:
                    conversation = records.get_conversation(session, at.talk.conversation)
                    order = records.order_in_question(session, conversation)
                    card = order_card(order, at.reader) if order else ""
            except Exception as error:
                log.warning("no order shown", reason=str(error), exc_info=unexpected(error))
        return self.look("", *at) | {
            self._order: card,
            self._panel: turn_card(at.turn if at.talk else None, at.reader),
            self._timer: gr.Timer(active=at.talk is not None),
        }

    def look(self, seen: str, *place: Any) -> Values:
        """What may have changed without this page, unless it is as it was `seen`.

        The page asks again by itself: nothing that happens here may end it.
        """
        at = Place(*place)
        try:
            if at.talk is None:
                return {
                    self._status: who_answers(None, at.reader),
                    self._chat: empty_view(at.reader, at.unsent),
                    self._person: gr.update(interactive=True),
                    self._seen: "",
                }
            with self._pipeline().database.read() as session:
                conversation = records.get_conversation(session, at.talk.conversation)
                count = records.count_messages(session, conversation.id)
                version = f"{conversation.version} {conversation.status} {count} {at.reader} {at.unsent}"
                if version == seen:
                    return {self._seen: seen}
                shown = conversation_view(session, conversation.id, at.reader, at.unsent)
                return {
                    self._status: who_answers(conversation, at.reader),
                    self._chat: shown.html(),
                    self._person: gr.update(interactive=not shown.with_person),
                    self._seen: version,
                }
        except Exception as error:
            log.warning("the conversation cannot be shown", reason=str(error), exc_info=unexpected(error))
            return {self._status: line("problem", error_text(error, at.reader)), self._seen: ""}

    def _running(self, running: bool) -> Values:
        return {
            self._send: gr.update(visible=not running),
            self._stop: gr.update(visible=running),
            self._customer: gr.update(interactive=not running),
        }


def _small_button(frame: Frame, key: str, name: str) -> Any:
    return frame.make(gr.Button, {"value": key}, size="sm", scale=0, min_width=0, elem_id=name)


def _customers(reader: Language) -> list[tuple[str, str]]:
    return [(text("shop.guest", reader), ""), *((email, email) for email in DEMO_EMAILS)]
