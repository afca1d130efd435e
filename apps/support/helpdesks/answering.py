"""A desk's stored message becomes a turn, and the turn's reply a post: once, wherever the process may die."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from apps.support.conversations import outbox, records, tickets
from apps.support.conversations.leases import end_turn
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import TurnResult
from apps.support.helpdesks.collecting import collect, repeats
from apps.support.replies.language import spoken_language
from apps.support.replies.sentences import write
from apps.support.shop.database import Database
from apps.support.shop.models import (
    Conversation,
    ConversationStatus,
    DeskEvent,
    DeskLink,
    DeskName,
    DeskPost,
    EventStatus,
    Message,
    PostKind,
    PostStatus,
    Role,
    Ticket,
    TurnTrace,
)
from apps.support.words import DEFAULT


def store_event(database: Database, event: DeskEvent) -> bool:
    """Keep a customer's message for its turn. False where it was kept before."""
    try:
        with database.write() as session:
            session.add(event)
    except IntegrityError:
        return False
    return True


_FAREWELLS = frozenset({"thanks", "bye"})


def answer_event(pipeline: SupportPipeline, event_id: int, *, collecting: bool = False) -> None:
    """Run the turn of a stored message and store its reply for the desk.

    `collecting`: with the messages of its thread that came after it. What a process that died had done of it is not
    done again. Raises what the pipeline raises.
    """
    database = pipeline.database
    with database.write() as session:
        event = session.get_one(DeskEvent, event_id)
        link = _link_of(session, event.desk, event.thread) or _open(session, event)
        conversation = records.get_conversation(session, link.conversation_id)
        _follow_desk(session, event, link, conversation)
        reply, kind = None, PostKind.MESSAGE
        if event.after_message_id is not None:
            reply = _reply_before_crash(session, conversation, event.after_message_id)
        elif collecting:
            collect(session, event)
        if reply is None:
            if conversation.status == ConversationStatus.BOT and repeats(session, event):
                _leave_alone(session, event, conversation)
                return
            event.after_message_id = _last_message_id(session, conversation.id)
        text, conversation_id = event.text, conversation.id
    if reply is None:
        result = pipeline.answer(conversation_id, text)
        reply, kind = result.reply, _kind_of(result)
    with database.write() as session:
        event = session.get_one(DeskEvent, event_id)
        event.status = EventStatus.DONE
        if reply:
            outbox.say(session, conversation_id, reply, event_id=event_id, kind=kind)


def _kind_of(result: TurnResult) -> PostKind:
    """Whether the reply ends the conversation: the customer wanted nothing more, and nothing is open."""
    open_still = result.proposal is not None or result.choices or result.handed_over
    farewell = not open_still and set(result.commands.split("; ")) <= _FAREWELLS
    return PostKind.FAREWELL if farewell else PostKind.MESSAGE


def _leave_alone(session: Session, event: DeskEvent, conversation: Conversation) -> None:
    """A machine that answers gets no answer, or both would go on for ever; a person looks at the thread."""
    session.add(Message(conversation_id=conversation.id, role=Role.CUSTOMER, text=event.text))
    event.status = EventStatus.DONE
    to_person(session, conversation.id, "automatic")


def give_up(session: Session, event_id: int) -> None:
    """A message that cannot be answered goes to a person."""
    event = session.get_one(DeskEvent, event_id)
    event.status = EventStatus.FAILED
    link = _link_of(session, event.desk, event.thread) or _open(session, event)
    to_person(session, link.conversation_id, "failure")


def to_person(session: Session, conversation_id: str, reason: str) -> None:
    """A ticket for what the assistant could not do, and its silence until a person returns the conversation."""
    conversation = records.get_conversation(session, conversation_id)
    state = records.load_state(conversation)
    take = tickets.hand_over if conversation.status == ConversationStatus.BOT else tickets.open_ticket
    take(session, conversation, state, reason=reason, intent=tickets.intent_of(state))
    records.save_state(conversation, state)


def _link_of(session: Session, desk: DeskName, thread: str) -> DeskLink | None:
    return session.scalar(select(DeskLink).where(DeskLink.desk == desk, DeskLink.thread == thread))


def _open(session: Session, event: DeskEvent) -> DeskLink:
    """A stranger's conversation: a name or e-mail that a visitor typed at the desk proves nothing."""
    conversation = records.open_conversation(
        session, channel=event.desk.value, language=None, trusted_email=None
    )
    link = DeskLink(conversation_id=conversation.id, desk=event.desk, thread=event.thread)
    session.add(link)
    session.flush()
    return link


def _follow_desk(session: Session, event: DeskEvent, link: DeskLink, conversation: Conversation) -> None:
    """Take over who answers from the desk, unless it has not heard our own last word on it yet."""
    query = select(func.count()).where(
        DeskPost.conversation_id == conversation.id,
        DeskPost.kind.in_((PostKind.HAND_OVER, PostKind.TAKE_BACK)),
        DeskPost.status == PostStatus.WAITING,
    )
    if session.scalar(query) or (link.told_at is not None and event.written_at <= link.told_at):
        return
    if event.for_assistant and conversation.status == ConversationStatus.HUMAN:
        tickets.return_to_bot(session, conversation, tell_desk=False)
    elif not event.for_assistant and conversation.status == ConversationStatus.BOT:
        conversation.status = ConversationStatus.HUMAN


def _reply_before_crash(session: Session, conversation: Conversation, after: int) -> str | None:
    """The reply of a turn that ended before its process did ("" for silence); None where it must run (again)."""
    asked = session.scalar(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.id > after, Message.role == Role.CUSTOMER)
        .order_by(Message.id.desc())
        .limit(1)
    )
    if asked is None:
        return None
    trace = session.scalar(select(TurnTrace).where(TurnTrace.message_id == asked.id))
    if trace is not None:
        reply = session.get(Message, trace.reply_id) if trace.reply_id else None
        if reply is None or reply.complete:
            return reply.text if reply else ""
        return None
    ticket = session.scalar(
        select(Ticket)
        .where(Ticket.conversation_id == conversation.id, Ticket.created_at >= asked.created_at)
        .order_by(Ticket.id.desc())
        .limit(1)
    )
    if ticket is not None and conversation.status == ConversationStatus.HUMAN:
        # The turn had handed over: run again it would be silent, and the customer would not hear of it.
        note = write(
            "handed_over",
            spoken_language(conversation.language or DEFAULT, None),
            must=("ticket",),
            ticket=f"T{ticket.id}",
        ).text
        session.add(Message(conversation_id=conversation.id, role=Role.ASSISTANT, text=note))
        return note
    session.delete(asked)  # the turn runs again and stores it again
    end_turn(session, conversation.id, records.load_state(conversation).turn)
    return None


def _last_message_id(session: Session, conversation_id: str) -> int:
    query = select(func.max(Message.id)).where(Message.conversation_id == conversation_id)
    return session.scalar(query) or 0
