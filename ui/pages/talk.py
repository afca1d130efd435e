"""Whose conversation the shop's page shows, and where it is kept."""

from __future__ import annotations

from typing import NamedTuple

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import NotFoundError, SupportError
from ui.pages.conversation_view import Unsent
from ui.pages.labels import Language, error_text, text
from ui.pages.turn_view import TurnView


class NoSuchCustomerError(SupportError):
    """Nobody in the shop's database has the e-mail that the reader signed in with."""


class Talk(NamedTuple):
    """The page's last conversation, as the browser keeps it. It is over once somebody else is signed in."""

    conversation: str
    customer: str  # as the sign-in box said it when the conversation was opened


class Place(NamedTuple):
    """What the page shows: every event brings it."""

    stored: list[str]  # a Talk as JSON; empty where there is none
    turn: TurnView | None  # the last one, for the demonstration's panel
    unsent: tuple[Unsent, ...]
    customer: str
    reader: Language

    @property
    def talk(self) -> Talk | None:
        talk = Talk(*self.stored) if self.stored else None
        return talk if talk is not None and talk.customer == self.customer else None


def open_talk(support: SupportPipeline, customer: str, reader: Language) -> Talk:
    """A new conversation, of the customer with this e-mail, or of a guest.

    Raises NoSuchCustomerError.
    """
    email = customer.strip() or None
    try:
        with support.database.write() as session:
            opened = records.open_conversation(session, channel="page", language=reader, trusted_email=email)
            return Talk(opened.id, customer)
    except NotFoundError as error:
        raise NoSuchCustomerError("nobody has this e-mail") from error


def problem_text(error: Exception, reader: Language) -> str:
    unknown = isinstance(error, NoSuchCustomerError)
    return text("shop.no_customer", reader) if unknown else error_text(error, reader)
