"""A customer's conversation as the shop's page shows it: messages, cards, what can be clicked, what was not sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from markupsafe import Markup
from sqlalchemy.orm import Session

from apps.support.conversations import records
from apps.support.shop.models import Conversation, ConversationStatus, Role, TicketStatus
from ui.pages.deed_card import deed_cards
from ui.pages.labels import Language, text
from ui.pages.offers import offers_of
from ui.pages.rendering import render
from ui.pages.transcript import Bubble, empty_transcript, transcript

EXAMPLES = ("shop.example.where", "shop.example.cancel", "shop.example.delivery", "shop.example.refund")
MOST_SHOWN = 60
"""Messages on the page; a longer conversation's beginning is left out."""


class Unsent(NamedTuple):
    """A message that did not reach the shop, and why."""

    words: str
    problem: str


@dataclass(frozen=True)
class ConversationView:
    """What is stored of a conversation, ready to be shown; more may be on its way."""

    conversation: str
    reader: Language
    bubbles: tuple[Bubble, ...]
    waiting: tuple[Bubble, ...]  # what was not sent
    offers: Markup  # answers to the open question, under the last message
    earlier: int
    with_person: bool

    def html(self) -> Markup:
        bubbles = list(self.bubbles)
        if bubbles and self.offers:
            bubbles[-1] = replace(bubbles[-1], below=bubbles[-1].below + self.offers)
        if not bubbles and not self.waiting:
            return empty_view(self.reader)
        return self._transcript([*bubbles, *self.waiting])

    def going_on(self, said: str, reply: str) -> Markup:
        """While the reply to what was said comes: nothing else can be clicked."""
        answer = [Bubble(Role.ASSISTANT, reply)] if reply else []
        typing = not reply and not self.with_person
        return self._transcript([*self.bubbles, Bubble(Role.CUSTOMER, said), *answer], typing=typing)

    def _transcript(self, bubbles: list[Bubble], *, typing: bool = False) -> Markup:
        return transcript(
            self.conversation, bubbles, self.reader, mine=Role.CUSTOMER, earlier=self.earlier, typing=typing
        )


def conversation_view(
    session: Session, conversation_id: str, reader: Language, unsent: tuple[Unsent, ...] = ()
) -> ConversationView:
    """Raises NotFoundError."""
    conversation = records.get_conversation(session, conversation_id)
    state = records.load_state(conversation)
    messages = records.recent_messages(session, conversation_id, MOST_SHOWN)
    traces = records.traces_of(session, conversation_id, since=messages[0].id if messages else 0)
    cards = deed_cards(traces, state)
    offers = offers_of(session, state, conversation.language, reader)
    return ConversationView(
        conversation_id,
        reader,
        tuple(
            Bubble.of(message, cards[message.id].html(reader) if message.id in cards else Markup())
            for message in messages
        ),
        _waiting(unsent),
        offers.html(reader) if offers else Markup(),
        records.count_messages(session, conversation_id) - len(messages),
        conversation.status == ConversationStatus.HUMAN,
    )


def empty_view(reader: Language, unsent: tuple[Unsent, ...] = ()) -> Markup:
    """Before the first message."""
    if unsent:
        return transcript("", _waiting(unsent), reader, mine=Role.CUSTOMER)
    return empty_transcript("shop.empty", reader, EXAMPLES)


def who_answers(conversation: Conversation | None, reader: Language) -> Markup:
    person = conversation is not None and conversation.status == ConversationStatus.HUMAN
    words = text("shop.with_assistant", reader)
    if conversation is not None and person:
        waiting = [ticket.id for ticket in conversation.tickets if ticket.status != TicketStatus.CLOSED]
        words = text("shop.with_person", reader, ticket=max(waiting, default="–"))
    return render("who_answers", reader, words=words, person=person)


def _waiting(unsent: tuple[Unsent, ...]) -> tuple[Bubble, ...]:
    return tuple(Bubble(Role.CUSTOMER, words, unsent=problem) for words, problem in unsent)
