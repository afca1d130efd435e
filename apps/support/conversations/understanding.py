"""What a message is taken for: who writes, what the reader makes of it, and which of that is sure enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sqlalchemy.orm import Session

from apps.support.conversations.guessing import Guesses, guessed_at
from apps.support.conversations.identity import (
    MOST_FAILED_PROOFS,
    letters_of_numbers,
    shows_enough,
    take_evidence,
)
from apps.support.conversations.turn import Incoming, Understood
from apps.support.playbooks.case import DetailReader, Room
from apps.support.reading.cleaning import ATTACHMENT
from apps.support.reading.commands import VERBS, Command, Shape
from apps.support.reading.context import load_context
from apps.support.reading.identifiers import find_identifiers
from apps.support.reading.naming import about_what_is_named, contradict
from apps.support.reading.reader import Reading
from apps.support.reading.state import Wish
from apps.support.reading.told import in_the_order_that_is_told
from apps.support.reading.view import View
from apps.support.shop.policy import Policy

UNSEEN = Understood(find_identifiers("", {}, known=False), Reading((Command("unclear"),), 0.0), (), "")
"""Of a message that the reader was not shown."""
SURE_OF_A_CHANGE = 0.45
"""A change that is read less surely than this is not proposed: the customer is asked to say it in other words."""
SURE_OF_A_YES = 0.9
"""A yes that is read less surely carries nothing out: the proposal is asked again."""


class MessageReader(DetailReader, Protocol):
    """The trained reader, or what stands in its place."""

    adapter: str

    def read(self, view: View, message: str) -> Reading: ...


def read_message(
    session: Session, incoming: Incoming, reader: MessageReader, policy: Policy, guesses: Guesses
) -> tuple[Room, Understood]:
    """Who writes, and what the message wants; what was wanted before it was known who writes is read again."""
    state, text = incoming.state, incoming.text
    guest = find_identifiers(text, {}, known=False, letters=letters_of_numbers(session))
    guessed = guessed_at(state, guest)
    locked = guesses.are_too_many(guessed)
    evidence = "some" if locked else take_evidence(session, state, guest, text, policy)
    context = load_context(session, state, guest.numbers)
    room = Room(session, state, context, incoming.language, incoming.now.date(), policy, reader)
    question = state.question
    understood = _read_text(room, reader, text)
    if evidence == "proven" and question is not None and question.about == "identity":
        state.question = None
        only_proof = all(wish.verb == "identify" for wish in understood.wishes)
        if question.text and (only_proof or _same_verbs(understood.wishes, question.wish)):
            understood = _read_text(room, reader, question.text)
    elif not context.known and (
        evidence == "some" or all(wish.verb == "identify" for wish in understood.wishes)
    ):
        # Whatever else the message wants: guesses count.
        room.wrong_proof = locked or shows_enough(state, policy)
        state.failed_proofs = MOST_FAILED_PROOFS if locked else state.failed_proofs + room.wrong_proof
    wrong = room.wrong_proof or (context.known and evidence == "some" and shows_enough(state, policy))
    if wrong and not locked and incoming.message_id is not None:  # a draft guesses nothing
        guesses.failed(guessed)
    return room, understood


def _read_text(room: Room, reader: MessageReader, text: str) -> Understood:
    context = room.context
    if text in ("", ATTACHMENT):  # nothing to read: all of it was quoted, or it is a picture
        verb = "photo" if text else "unclear"
        return replace(UNSEEN, wishes=(Wish(verb=verb, text=text),))
    letters = letters_of_numbers(room.session)
    found = find_identifiers(text, context.numbers, known=context.known, letters=letters)
    view = context.view(room.session, room.state, room.language)
    reading = reader.read(view, found.tagged)
    wishes = [context.wish(command, text) for command in reading.commands]
    wishes = about_what_is_named(wishes, found, context)
    if not found.orders:
        wishes = in_the_order_that_is_told(wishes, text, context)
    confidence = 0.0 if contradict(wishes, context) else reading.confidence
    wishes = _sure_ones(wishes, confidence)
    if [wish.verb for wish in wishes] == ["yes"] and text.endswith(("?", "？")):
        wishes = []  # "yes?" asks, and agrees to nothing
    wishes = _alone(wishes) or [Wish(verb="unclear", text=text)]
    return Understood(found, reading, tuple(wishes), view.render(found.tagged))


def _alone(wishes: list[Wish]) -> list[Wish]:
    """The wishes, the one about a product marked where there is no other such one."""
    products = [wish for wish in wishes if wish.items or VERBS[wish.verb] is Shape.WORDS]
    if len(products) != 1 or len(products[0].items) > 1:
        return wishes
    return [wish.model_copy(update={"alone": True}) if wish is products[0] else wish for wish in wishes]


def _sure_ones(wishes: list[Wish], confidence: float) -> list[Wish]:
    """The wishes without the changes and the yes that were not read surely enough to follow them."""
    if confidence < SURE_OF_A_CHANGE:
        wishes = [wish for wish in wishes if not wish.is_change and wish.verb != "with"]
    if confidence < SURE_OF_A_YES:
        wishes = [wish for wish in wishes if wish.verb != "yes"]
    return wishes


def _same_verbs(wishes: Sequence[Wish], before: Wish | None) -> bool:
    """Whether the message only says again what was wanted before it was known who writes."""
    verbs = {wish.verb for wish in wishes} - {"identify"}
    return before is not None and verbs == {before.verb} and not any(w.orders or w.items for w in wishes)
