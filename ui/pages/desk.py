"""The desk: tickets, their conversations, a draft to send, and the way back to the assistant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import gradio as gr
import structlog
from sqlalchemy.orm import Session

from apps.support import desk
from apps.support.models import ConversationStatus, Ticket, TicketStatus
from apps.support.pipeline import SupportPipeline
from core_model.errors import CoreError
from ui.openai.errors import NotReadyError
from ui.pages.code_answer import line
from ui.pages.desk_views import conversation_view, ticket_head, ticket_list, ticket_side, who_speaks
from ui.pages.frame import AT_ONCE, QUIET, Frame, title
from ui.pages.labels import Language, error_text, text
from ui.pages.transcript import KEEP_AT_END, empty_transcript

log = structlog.get_logger(__name__)

PER_PAGE = 12
SECONDS_BETWEEN_LOOKS = 5.0
MOST_CHARACTERS = 4_000
ALL = "all"

Values = dict[Any, Any]

_CHOOSE = """
element.addEventListener("click", (event) => {
  const entry = event.target.closest("[data-ticket]");
  if (entry) trigger("click", {ticket: Number(entry.dataset.ticket)});
});
"""


def build(blocks: gr.Blocks, pipeline: Callable[[], SupportPipeline]) -> None:
    """Lay the page out. `pipeline` raises NotReadyError while the model is being loaded."""
    Desk(blocks, pipeline)


class Desk:
    """The page's components, and what happens to them. Its methods give values by component.

    `cursors` are the tickets after which the pages so far began: the last is the page that is shown.
    """

    def __init__(self, blocks: gr.Blocks, pipeline: Callable[[], SupportPipeline]) -> None:
        self._pipeline = pipeline
        frame = Frame("nav.desk")
        frame.make(gr.HTML, {"value": title("desk.title", "desk.lead")}, elem_classes="title")
        self._selected, self._cursors = gr.State(None), gr.State([])
        with gr.Row(elem_classes="columns", elem_id="desk"):
            with gr.Column(scale=4, min_width=260):
                self._list_column(frame)
            with gr.Column(scale=7, min_width=320):
                self._conversation_column(frame)
            with gr.Column(scale=4, min_width=260, visible=False) as self._side:
                self._side_column(frame)
        self._listed = [self._list, self._newer, self._older]
        self._shown = [self._head, self._chat, self._state, self._extra, self._back, self._take]
        self._opened = [self._compose, self._side, self._status, self._assignee]
        self._connect(frame)
        place = [self._selected, self._filter, self._cursors]
        frame.finish(blocks, self.redraw, place, [*self._listed, *self._shown])

    def _list_column(self, frame: Frame) -> None:
        self._filter = frame.make(
            gr.Radio,
            {"choices": lambda reader: [*_statuses(reader), (text("desk.all", reader), ALL)]},
            value=TicketStatus.OPEN.value,
            show_label=False,
            container=False,
            elem_id="filter",
            elem_classes="segmented",
        )
        self._list = gr.HTML(js_on_load=_CHOOSE, elem_id="tickets")
        with gr.Row(elem_classes="pair-of-buttons"):
            self._newer = frame.make(gr.Button, {"value": "desk.newer"}, size="sm", visible=False)
            self._older = frame.make(
                gr.Button, {"value": "desk.older"}, size="sm", visible=False, elem_id="older"
            )

    def _conversation_column(self, frame: Frame) -> None:
        self._head = gr.HTML(elem_id="ticket")
        self._chat = gr.HTML(elem_id="conversation", js_on_load=KEEP_AT_END)
        with gr.Column(visible=False, elem_id="answer-column") as self._compose:
            self._reply = frame.make(
                gr.Textbox, {"label": "desk.reply"}, lines=3, max_lines=10, max_length=MOST_CHARACTERS,
                elem_id="reply",
            )  # fmt: skip
            self._said = gr.HTML(elem_id="said")
            with gr.Row(elem_classes="pair-of-buttons"):
                self._draft = frame.make(gr.Button, {"value": "desk.draft"}, elem_id="draft")
                self._send = frame.make(
                    gr.Button, {"value": "desk.send"}, variant="primary", elem_id="send-reply"
                )

    def _side_column(self, frame: Frame) -> None:
        self._state = gr.HTML(elem_id="state")
        self._back = frame.make(gr.Button, {"value": "desk.return"}, elem_id="return")
        self._take = frame.make(gr.Button, {"value": "desk.take_over"}, visible=False, elem_id="take-over")
        self._status = frame.make(
            gr.Radio,
            {"label": "desk.status", "choices": _statuses},
            elem_id="status",
            elem_classes="segmented",
        )
        self._assignee = frame.make(
            gr.Textbox,
            {"label": "desk.assignee", "placeholder": "desk.assignee_hint"},
            max_length=80,
            max_lines=1,
            elem_id="assignee",
        )
        self._extra = gr.HTML(elem_id="extra")

    def _connect(self, frame: Frame) -> None:
        language, once = frame.language, {**QUIET, "trigger_mode": "once"}
        place = [self._selected, self._filter, self._cursors, language]
        both = [*self._listed, *self._shown, self._said]
        one = [self._selected, language]
        self._list.click(
            self.choose,
            [self._filter, self._cursors, language],
            [self._selected, *both, *self._opened, self._reply],
            **QUIET,
        )
        self._filter.input(self.turn_to_first, place, [self._cursors, *self._listed], **AT_ONCE)
        self._older.click(self.turn_to_older, place, [self._cursors, *self._listed], **AT_ONCE)
        self._newer.click(self.turn_to_newer, place, [self._cursors, *self._listed], **AT_ONCE)
        self._draft.click(self.draft, one, [self._reply, self._said], **once)
        self._send.click(self.send, [self._reply, *place], [self._reply, *both], **once)
        self._status.input(self.set_status, [self._status, *place], both, **QUIET)
        self._assignee.submit(self.assign, [self._assignee, *place], both, **QUIET)
        self._back.click(self.return_to_bot, place, [self._status, *both], **once)
        self._take.click(self.take_over, place, both, **once)
        timer = gr.Timer(SECONDS_BETWEEN_LOOKS)
        timer.tick(self.redraw, place, [*self._listed, *self._shown], **AT_ONCE)

    def redraw(self, selected: int | None, status: str, cursors: list[int], reader: Language) -> Values:
        """The list as it is now, and the ticket that is open."""
        try:
            return self._page(selected, status, cursors, reader) | self._ticket(selected, reader)
        except NotReadyError as error:
            return {self._list: line("busy", error_text(error, reader))}

    def choose(self, status: str, cursors: list[int], reader: Language, event: gr.EventData) -> Values:
        selected = int(event.ticket)
        with self._pipeline().database.read() as session:
            ticket = desk.get_ticket(session, selected)
            opened = {
                self._compose: gr.update(visible=True),
                self._side: gr.update(visible=True),
                self._status: ticket.status.value,
                self._assignee: ticket.assignee or "",
                self._reply: "",
                self._said: "",
            }
        return self.redraw(selected, status, cursors, reader) | opened | {self._selected: selected}

    def turn_to_first(self, selected: int | None, status: str, _: list[int], reader: Language) -> Values:
        return self._page(selected, status, [], reader) | {self._cursors: []}

    def turn_to_older(
        self, selected: int | None, status: str, cursors: list[int], reader: Language
    ) -> Values:
        with self._pipeline().database.read() as session:
            following = _list(session, status, cursors)[1]
        cursors = cursors if following is None else [*cursors, following]
        return self._page(selected, status, cursors, reader) | {self._cursors: cursors}

    def turn_to_newer(
        self, selected: int | None, status: str, cursors: list[int], reader: Language
    ) -> Values:
        return self._page(selected, status, cursors[:-1], reader) | {self._cursors: cursors[:-1]}

    def draft(self, selected: int | None, reader: Language) -> Iterator[Values]:
        """What the assistant would say, into the box."""
        if selected is None:
            return
        yield {self._said: line("busy", text("desk.drafting", reader))}
        try:
            support = self._pipeline()
            with support.database.read() as session:
                conversation = desk.get_ticket(session, selected).conversation_id
            reply = support.draft(conversation, None).reply.strip()
        except Exception as error:
            log.warning("no draft", reason=str(error), exc_info=not isinstance(error, CoreError))
            yield {self._said: line("problem", error_text(error, reader))}
            return
        if reply:
            yield {self._reply: reply, self._said: line("note", text("desk.drafted", reader))}
        else:
            yield {self._said: line("note", text("desk.no_draft", reader))}

    def send(
        self, words: str, selected: int | None, status: str, cursors: list[int], reader: Language
    ) -> Values:
        """What is in the box, as a person's message."""
        if selected is None or not words.strip():
            return {self._said: line("problem", text("desk.need_text", reader))}
        with self._pipeline().database.write() as session:
            desk.say_as_agent(session, desk.get_ticket(session, selected).conversation, words.strip())
        sent = {self._reply: "", self._said: line("good", text("desk.sent", reader))}
        return self.redraw(selected, status, cursors, reader) | sent

    def set_status(
        self, wanted: str, selected: int, status: str, cursors: list[int], reader: Language
    ) -> Values:
        with self._pipeline().database.write() as session:
            desk.change_ticket(session, selected, {"status": TicketStatus(wanted)})
        return self.redraw(selected, status, cursors, reader) | {self._said: ""}

    def assign(self, name: str, selected: int, status: str, cursors: list[int], reader: Language) -> Values:
        with self._pipeline().database.write() as session:
            desk.change_ticket(session, selected, {"assignee": name.strip() or None})
        return self.redraw(selected, status, cursors, reader) | {self._said: ""}

    def return_to_bot(self, selected: int, status: str, cursors: list[int], reader: Language) -> Values:
        with self._pipeline().database.write() as session:
            desk.return_to_bot(session, desk.get_ticket(session, selected).conversation)
        said = {self._said: line("good", text("desk.returned", reader))}
        closed = {self._status: TicketStatus.CLOSED.value}
        return self.redraw(selected, status, cursors, reader) | said | closed

    def take_over(self, selected: int, status: str, cursors: list[int], reader: Language) -> Values:
        with self._pipeline().database.write() as session:
            desk.take_over(session, desk.get_ticket(session, selected).conversation)
        return self.redraw(selected, status, cursors, reader) | {self._said: ""}

    def _page(self, selected: int | None, status: str, cursors: list[int], reader: Language) -> Values:
        with self._pipeline().database.read() as session:
            tickets, following = _list(session, status, cursors)
            entries = ticket_list(tickets, selected, reader, datetime.now(UTC))
        return {
            self._list: entries,
            self._newer: gr.update(visible=bool(cursors)),
            self._older: gr.update(visible=following is not None),
        }

    def _ticket(self, selected: int | None, reader: Language) -> Values:
        if selected is None:
            return {self._head: "", self._chat: empty_transcript("desk.choose", reader)}
        with self._pipeline().database.read() as session:
            ticket = desk.get_ticket(session, selected)
            status = ticket.conversation.status
            return {
                self._head: ticket_head(ticket, reader, datetime.now(UTC)),
                self._chat: conversation_view(session, ticket.conversation, reader),
                self._state: who_speaks(ticket.conversation, reader),
                self._extra: ticket_side(session, ticket, reader),
                self._back: gr.update(visible=status == ConversationStatus.HUMAN),
                self._take: gr.update(visible=status == ConversationStatus.BOT),
            }


def _list(session: Session, status: str, cursors: list[int]) -> tuple[list[Ticket], int | None]:
    wanted = None if status == ALL else TicketStatus(status)
    before = cursors[-1] if cursors else None
    return desk.list_tickets(session, status=wanted, limit=PER_PAGE, before=before)


def _statuses(reader: Language) -> list[tuple[str, str]]:
    return [(text(f"ticket.{status.value}", reader), status.value) for status in TicketStatus]
