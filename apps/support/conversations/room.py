"""What deciding about a message needs of the rest, and the case that a playbook gets of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from apps.support.conversations.turn import Answered, Settled
from apps.support.playbooks import Case
from apps.support.playbooks.case import DetailReader, said
from apps.support.reading.context import Context
from apps.support.reading.state import MOST_WAITING, ConversationState, Wish
from apps.support.replies.language import Language
from apps.support.replies.sentences import write
from apps.support.shop.models import PaymentMethod
from apps.support.shop.policy import Policy


@dataclass
class Room:
    """One session, whose orders are known, and the rules."""

    session: Session
    state: ConversationState
    context: Context
    language: Language
    today: date
    policy: Policy
    reader: DetailReader
    wrong_proof: bool = False  # the message offers a proof, and it is none

    def case(
        self, wish: Wish, method: PaymentMethod | None = None, proposed: dict[int, int] | None = None
    ) -> Case:
        return Case(
            session=self.session,
            state=self.state,
            context=self.context,
            wish=wish,
            language=self.language,
            today=self.today,
            policy=self.policy,
            reader=self.reader,
            method=method,
            proposed=proposed or {},
        )

    def put_off(self, wishes: list[Wish], settled: Settled, *, first: bool = False) -> None:
        """Let the wishes wait, `first` before those that wait already; what is too much is said."""
        self.not_waiting_any_more(wishes)
        waiting = self.state.waiting
        waiting = [*wishes, *waiting] if first else [*waiting, *wishes]
        self.state.waiting = waiting[:MOST_WAITING]
        if len(waiting) > MOST_WAITING:
            note = write("too_many_wishes", self.language)
            settled.answers.append(Answered(waiting[MOST_WAITING], said(note)))

    def not_waiting_any_more(self, wishes: Sequence[Wish]) -> None:
        """Forget what waits about the same items as these: it was said anew."""
        self.state.waiting = [
            old
            for old in self.state.waiting
            if not any(new.verb == old.verb and set(new.items) & set(old.items) for new in wishes)
        ]
