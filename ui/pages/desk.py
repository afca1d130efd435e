"""The desk: tickets, their conversations, a draft to send, and the way back to the assistant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import gradio as gr
import structlog
from sqlalchemy.orm import Session

from apps.support.conversations import records, tickets
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.schemas import NewMessage, TicketChange
from apps.support.shop.models import ConversationStatus, Ticket, TicketStatus
from evaluation.learning import runs
from ui.pages.desk_views import (
    conversation_view,
    draft_details,
    learnt_view,
    ticket_head,
    ticket_list,
    ticket_side,
    ticket_version,
    who_speaks,
)
from ui.pages.frame import AT_ONCE, QUIET, Frame
from ui.pages.labels import Language, error_text, text, unexpected
from ui.pages.rendering import line
from ui.pages.transcript import KEEP_AT_END, empty_transcript

log = structlog.get_logger(__name__)

PER_PAGE = 12
SECONDS_BETWEEN_LOOKS = 5.0
MOST_CHARACTERS = 4_000
MOST_LEARNT = 6
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


class Place(NamedTuple):
    """What the page shows: every event brings it."""

    ticket: int  # the open one; 0 while there is none
    status: str  # of the tickets in the list, or ALL
    cursors: list[int]  # tickets after which the pages so far began; the last is that of this page
    seen: str  # version of the open ticket as it is shown
    reader: Language


class Desk:
    """The page's components, and what happens to them. Its methods give values by component."""

    def __init__(self, blocks: gr.Blocks, pipeline: Callable[[], SupportPipeline]) -> None:
        self._pipeline = pipeline
        frame = Frame("nav.desk")
        frame.title("desk.title", "desk.lead")
        self._selected, self._cursors, self._seen = gr.State(0), gr.State([]), gr.State("")
        self._drafted = gr.State(0)  # the draft that is in the box
        with gr.Row(elem_classes="columns", elem_id="desk"):
            with gr.Column(scale=4, min_width=260):
                self._list_column(frame)
            with gr.Column(scale=7, min_width=320):
                self._conversation_column(frame)
            with gr.Column(scale=4, min_width=260, visible=False) as self._side:
                self._side_column(frame)
        self._learnt = gr.HTML(elem_id="learnt")
        self._listed = [self._list, self._newer, self._older, self._learnt]
        answering = [self._state, self._back, self._take]
        self._shown = [self._head, self._chat, self._extra, self._seen, *answering]
        self._opened = [self._compose, self._side, self._status, self._assignee]
        place = [self._selected, self._filter, self._cursors, self._seen]
        self._connect(frame, [*place, frame.language])
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

    def _connect(self, frame: Frame, place: list[Any]) -> None:
        once = {**QUIET, "trigger_mode": "once"}
        paged = [self._cursors, *self._listed]
        both = [*self._listed, *self._shown, self._said]
        chosen = [self._selected, *both, *self._opened, self._reply, self._drafted]
        self._list.click(self.choose, place, chosen, **QUIET)
        self._filter.input(self.turn_to_first, place, paged, **AT_ONCE)
        self._older.click(self.turn_to_older, place, paged, **AT_ONCE)
        self._newer.click(self.turn_to_newer, place, paged, **AT_ONCE)
        self._draft.click(self.draft, place, [self._reply, self._said, self._drafted], **once)
        self._send.click(
            self.send, [self._reply, self._drafted, *place], [self._reply, self._drafted, *both], **once
        )
        self._status.input(self.set_status, [self._status, *place], both, **QUIET)
        self._assignee.submit(self.assign, [self._assignee, *place], both, **QUIET)
        self._back.click(self.return_to_bot, place, [self._status, *both], **once)
        self._take.click(self.take_over, place, both, **once)
        timer = gr.Timer(SECONDS_BETWEEN_LOOKS)
        timer.tick(self.redraw, place, [*self._listed, *self._shown], **AT_ONCE)

    def redraw(self, *place: Any) -> Values:
        """The list as it is now, and the open ticket, if it has changed since it was seen."""
        at = Place(*place)
        try:
            return self._page(at) | self._ticket(at)
        except Exception as error:
            # The page asks again by itself: nothing that happens here may end it.
            log.warning("the desk cannot be shown", reason=str(error), exc_info=unexpected(error))
            return {self._list: line("problem", error_text(error, at.reader))}

    def choose(
        self,
        _before: int,
        status: str,
        cursors: list[int],
        seen: str,
        reader: Language,
        event: gr.EventData,
    ) -> Values:
        at = Place(int(event.ticket), status, cursors, seen, reader)
        with self._pipeline().database.read() as session:
            ticket = tickets.get_ticket(session, at.ticket)
            opened = {
                self._compose: gr.update(visible=True),
                self._side: gr.update(visible=True),
                self._status: ticket.status.value,
                self._assignee: ticket.assignee or "",
                self._reply: "",
                self._said: "",
                self._drafted: 0,
            }
        return self.redraw(*at) | opened | {self._selected: at.ticket}

    def turn_to_first(self, *place: Any) -> Values:
        return self._page(Place(*place)._replace(cursors=[])) | {self._cursors: []}

    def turn_to_older(self, *place: Any) -> Values:
        at = Place(*place)
        with self._pipeline().database.read() as session:
            following = _list(session, at)[1]
        cursors = at.cursors if following is None else [*at.cursors, following]
        return self._page(at._replace(cursors=cursors)) | {self._cursors: cursors}

    def turn_to_newer(self, *place: Any) -> Values:
        at = Place(*place)
        return self._page(at._replace(cursors=at.cursors[:-1])) | {self._cursors: at.cursors[:-1]}

    def draft(self, *place: Any) -> Iterator[Values]:
        """What the assistant would say, into the box."""
        at, reader = Place(*place), place[-1]
        yield {self._said: line("busy", text("desk.drafting", reader))}
        try:
            support = self._pipeline()
            with support.database.read() as session:
                conversation = tickets.get_ticket(session, at.ticket).conversation_id
            draft = support.draft(conversation, None)
        except Exception as error:
            log.warning("no draft", reason=str(error), exc_info=unexpected(error))
            yield {self._said: line("problem", error_text(error, reader))}
            return
        if draft.reply.strip():
            said = line("note", text("desk.drafted", reader)) + draft_details(draft, reader)
            yield {self._reply: draft.reply.strip(), self._said: said, self._drafted: draft.draft_id or 0}
        else:
            yield {self._said: line("note", text("desk.no_draft", reader))}

    def send(self, words: str, drafted: int, *place: Any) -> Values:
        """What is in the box, as a person's message; the assistant can learn from what became of its draft."""
        reader = place[-1]
        if not words.strip():
            return {self._said: line("problem", text("desk.need_text", reader))}
        return self._change(
            lambda session, ticket: records.say_as_agent(
                session, ticket.conversation, NewMessage(text=words.strip()).text, drafted or None
            ),
            Place(*place),
            {self._said: line("good", text("desk.sent", reader)), self._reply: "", self._drafted: 0},
        )

    def set_status(self, wanted: str, *place: Any) -> Values:
        return self._set(Place(*place), status=wanted)

    def assign(self, name: str, *place: Any) -> Values:
        return self._set(Place(*place), assignee=name.strip() or None)

    def return_to_bot(self, *place: Any) -> Values:
        returned = line("good", text("desk.returned", place[-1]))
        return self._change(
            lambda session, ticket: tickets.return_to_bot(session, ticket.conversation),
            Place(*place),
            {self._said: returned, self._status: TicketStatus.CLOSED.value},
        )

    def take_over(self, *place: Any) -> Values:
        return self._change(
            lambda session, ticket: tickets.take_over(session, ticket.conversation), Place(*place)
        )

    def _set(self, at: Place, **fields: str | None) -> Values:
        def change(session: Session, ticket: Ticket) -> None:
            changes = TicketChange.model_validate(fields).model_dump(exclude_unset=True)
            tickets.change_ticket(session, ticket.id, changes)

        return self._change(change, at)

    def _change(
        self, change: Callable[[Session, Ticket], object], at: Place, then: Values | None = None
    ) -> Values:
        """Write to the open ticket, in one transaction, and show what came of it; or say what went wrong."""
        try:
            with self._pipeline().database.write() as session:
                change(session, tickets.get_ticket(session, at.ticket))
        except Exception as error:
            log.warning("nothing was changed", reason=str(error), exc_info=unexpected(error))
            return {self._said: line("problem", error_text(error, at.reader))}
        return self.redraw(*at) | {self._said: ""} | (then or {})

    def _page(self, at: Place) -> Values:
        with self._pipeline().database.read() as session:
            tickets, following = _list(session, at)
            entries = ticket_list(tickets, at.ticket, at.reader, datetime.now(UTC))
            learnt = learnt_view(runs.runs_of(session, limit=MOST_LEARNT), at.reader, datetime.now(UTC))
        return {
            self._list: entries,
            self._learnt: learnt,
            self._newer: gr.update(visible=bool(at.cursors)),
            self._older: gr.update(visible=following is not None),
        }

    def _ticket(self, at: Place) -> Values:
        reader = at.reader
        if not at.ticket:
            return {self._head: "", self._chat: empty_transcript("desk.choose", reader)}
        with self._pipeline().database.read() as session:
            ticket = tickets.get_ticket(session, at.ticket)
            head = {self._head: ticket_head(ticket, reader, datetime.now(UTC))}
            version = f"{ticket_version(session, ticket)} {reader}"
            if version == at.seen:
                return head
            status = ticket.conversation.status
            return head | {
                self._seen: version,
                self._chat: conversation_view(session, ticket.conversation, reader),
                self._state: who_speaks(ticket.conversation, reader),
                self._extra: ticket_side(session, ticket, reader),
                self._back: gr.update(visible=status == ConversationStatus.HUMAN),
                self._take: gr.update(visible=status == ConversationStatus.BOT),
            }


def _list(session: Session, at: Place) -> tuple[list[Ticket], int | None]:
    wanted = None if at.status == ALL else TicketStatus(at.status)
    before = at.cursors[-1] if at.cursors else None
    return tickets.list_tickets(session, status=wanted, limit=PER_PAGE, before=before)


def _statuses(reader: Language) -> list[tuple[str, str]]:
    return [(text(f"ticket.{status.value}", reader), status.value) for status in TicketStatus]
