"""Wrong proofs over all conversations: who may guess how often."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from apps.support.conversations.identity import MOST_FAILED_PROOFS
from apps.support.reading.identifiers import Identifiers
from apps.support.reading.state import ConversationState

MOST_OF_ONE_KEY = 40
"""A key may stand for a shop's whole page: many customers mistype."""
FIRST_WAIT_S = 60.0
LONGEST_WAIT_S, LONGEST_WAIT_OF_A_KEY_S = 24 * 3600.0, FIRST_WAIT_S
"""Short for a key: one who guesses must not shut all of a shop's customers out."""
_MOST_SUBJECTS = 100_000
_KEY = "key "


@dataclass
class _Failures:
    count: int = 0
    open_at_s: float = 0.0  # nothing is looked up before
    last_s: float = 0.0


class Guesses:
    """Counts in this process, by what is guessed at (an order, an e-mail, a postcode) and by the key that is used.

    After as many failures as are borne each further one doubles the time in which nothing is looked up; a day
    without any forgets them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()  # the oldest failure first
        self._lock = threading.Lock()

    def are_too_many(self, subjects: Iterable[str]) -> bool:
        """Whether nothing may be looked up for one of these now."""
        now_s = self._clock()
        with self._lock:
            return any(self._of(subject, now_s).open_at_s > now_s for subject in subjects)

    def failed(self, subjects: Iterable[str]) -> None:
        """A proof was wrong."""
        now_s = self._clock()
        with self._lock:
            for subject in subjects:
                failures = self._of(subject, now_s)
                failures.count += 1
                failures.last_s = now_s
                beyond = failures.count - _most(subject)
                if beyond >= 0:
                    longest = LONGEST_WAIT_OF_A_KEY_S if subject.startswith(_KEY) else LONGEST_WAIT_S
                    failures.open_at_s = now_s + min(FIRST_WAIT_S * 2.0 ** min(beyond, 32), longest)
                self._failures[subject] = failures
                self._failures.move_to_end(subject)
            while len(self._failures) > _MOST_SUBJECTS:
                self._failures.popitem(last=False)

    def _of(self, subject: str, now_s: float) -> _Failures:
        found = self._failures.get(subject)
        return found if found and now_s - found.last_s <= LONGEST_WAIT_S else _Failures()


def guessed_at(state: ConversationState, found: Identifiers) -> list[str]:
    """What a message offers proof of, together with what was given before; empty where it offers nothing new."""
    if state.trusted_customer_id is not None or not (found.emails or found.postcodes or found.numbers):
        return []
    proven = {_digits(number) for number in state.proven}
    numbers = {_digits(number) for number in (*state.numbers, *found.numbers)} - proven
    subjects = [f"order {number}" for number in sorted(numbers)]
    if not proven:
        email = found.emails[0] if found.emails else state.email
        subjects += [f"email {email}"] if email else []
        subjects = subjects or [f"postcode {code}" for code in found.postcodes]
    return [*subjects, f"{_KEY}{state.opened_by}"] if subjects else []


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number) or number


def _most(subject: str) -> int:
    return MOST_OF_ONE_KEY if subject.startswith(_KEY) else MOST_FAILED_PROOFS
