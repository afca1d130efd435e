"""Speculation: tokens that a sequence is likely to go on with are computed beside the one it has to compute.

A draft is looked up in the text so far (prompt lookup; Saxena 2023, and arXiv 2304.04487) or given by a constraint.
The sequence draws a token for every row as it would have drawn them one by one, and goes on as long as what it draws
is what was drafted. For a draft without a distribution of its own that is the acceptance rule of Leviathan et al.
(arXiv 2211.17192), and it needs no further random number: the text, also a sampled one of a given seed, is the same
as without.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

MAX_DRAFT = 16
"""Tokens that are drafted at once for a sequence."""
LONGEST_MATCH = 31
"""Tokens before a place that are compared with the last ones of the text."""
CANDIDATES = 8
"""Earlier places after the same three tokens that are compared, from the last one on."""
HOPELESS = 0.03
"""Probability at which a draft ends; a row costs more."""
FORCED = 0
"""The class of drafted tokens that a constraint gave; the others' is the bit length of their match's length."""
FIRST_GUESSES = (0.9, 0.15, 0.4, 0.65, 0.85, 0.95)
"""Probability that a drafted token is right, by class, before anything is known of the text."""
LEARNING_RATE = 0.05
"""Weight of the last token, once there were many; of the first ones, as if the first guess had stood for WEIGHT."""
WEIGHT = 4

_SEPARATOR = -1


class NgramIndex:
    """Where the last tokens of a text stood before. Grows with the text."""

    def __init__(self, texts: Iterable[Sequence[int]] = ()) -> None:
        """`texts` are looked up together and never run into each other."""
        self._tokens: list[int] = []
        self._places: tuple[dict[tuple[int, ...], int], ...] = ({}, {}, {})  # by the 1, 2 or 3 tokens before
        self._earlier: list[
            int
        ] = []  # by place: the place before it that follows the same three tokens, or -1
        for text in texts:
            for token in text:
                self.append(token)
            self.append(_SEPARATOR)

    def append(self, token: int) -> None:
        """One more token."""
        tokens, place = self._tokens, len(self._tokens)
        self._earlier.append(-1)
        for size, places in enumerate(self._places[:place], start=1):
            before = tuple(tokens[place - size :])
            if size == len(self._places):
                self._earlier[place] = places.get(before, -1)
            places[before] = place
        tokens.append(token)

    def continuation(self, after: list[int]) -> Iterator[tuple[int, int]]:
        """What followed where the text stood like the end of `after`: (token, how many tokens matched before it).

        The longest match counts, and of equal ones the last. Where it reaches the end of the text, which then
        repeats itself, it goes on with itself.
        """
        place, matched = self._find(after)
        found: list[int] = []
        while place >= 0:
            known = place < len(self._tokens)
            token = self._tokens[place] if known else found[place - len(self._tokens)]
            if token == _SEPARATOR:
                return
            yield token, min(matched, LONGEST_MATCH)
            found.append(token)
            place, matched = place + 1, matched + 1

    def _find(self, after: list[int]) -> tuple[int, int]:
        for size in range(min(len(self._places), len(after)), 0, -1):
            place = self._places[size - 1].get(tuple(after[-size:]), -1)
            if place >= 0:
                return self._longest(place, after) if size == len(self._places) else (place, size)
        return -1, 0

    def _longest(self, place: int, after: list[int]) -> tuple[int, int]:
        best = (-1, 0)
        for _ in range(CANDIDATES):
            if place < 0 or best[1] >= LONGEST_MATCH:
                break
            length, most = len(self._places), min(len(after), place, LONGEST_MATCH)
            while length < most and self._tokens[place - length - 1] == after[-length - 1]:
                length += 1
            if length > best[1]:
                best = (place, length)
            place = self._earlier[place]
        return best


@dataclass(frozen=True)
class Guess:
    """A drafted token, its class, and the probability that the text comes to it and goes on with it."""

    token: int
    kind: int
    reach: float


class Drafter:
    """Drafts for one sequence, and how often they were right.

    Every token that is drawn teaches, whether or not rows were spent on the draft, so that a sequence which has
    given up drafting takes it up again where its text begins to repeat.
    """

    def __init__(self, texts: Iterable[Sequence[int]], never: frozenset[int]) -> None:
        """`texts` are looked up, the last one is the sequence's own so far; `never` are tokens that end it."""
        *references, own = texts
        self._index = NgramIndex(references)
        self._text: list[int] = []
        self._never = never
        self._right = [*FIRST_GUESSES]
        self._seen = [WEIGHT] * len(FIRST_GUESSES)
        self._guesses: list[Guess] = []
        for token in own:
            self._append(token)

    def guess(self, forced: list[int]) -> list[Guess]:
        """What the text is likely to go on with: after what is forced, what was looked up."""
        self._guesses, reach = [], 1.0
        after = self._text[-LONGEST_MATCH:] + forced
        looked_up = ((token, matched.bit_length()) for token, matched in self._index.continuation(after))
        for token, kind in chain(((token, FORCED) for token in forced), looked_up):
            reach *= self._right[kind]
            hopeless = self._guesses and reach < HOPELESS  # the first is there to learn from, at no cost
            if hopeless or len(self._guesses) == MAX_DRAFT or token in self._never:
                break
            self._guesses.append(Guess(token, kind, reach))
        return self._guesses

    def learn(self, token: int, place: int) -> None:
        """`token` was drawn, the `place`-th since the last guess."""
        if place < len(self._guesses):
            guess = self._guesses[place]
            self._seen[guess.kind] += 1
            rate = max(LEARNING_RATE, 1 / self._seen[guess.kind])
            self._right[guess.kind] += rate * ((guess.token == token) - self._right[guess.kind])
        self._append(token)

    def _append(self, token: int) -> None:
        self._index.append(token)
        self._text.append(token)


class StepCost:
    """What a row costs, learnt from the steps: seconds are taken for base + row * rows (least squares, fading)."""

    FADING = 0.98
    UNKNOWN = 0.1
    """Cost of a row beside the base's until steps of different sizes were seen."""
    BOUNDS = (0.02, 0.5)
    """A busy machine's clock says many things."""

    def __init__(self) -> None:
        self._sums = [0.0] * 5  # of 1, rows, rows², seconds, rows * seconds

    def observe(self, rows: int, seconds: float) -> None:
        """A step was taken."""
        terms = (1.0, rows, rows * rows, seconds, rows * seconds)
        self._sums = [self.FADING * old + new for old, new in zip(self._sums, terms, strict=True)]

    @property
    def per_row(self) -> float:
        """In units of the base."""
        count, rows, squares, seconds, products = self._sums
        spread = count * squares - rows * rows
        if spread <= 0.05 * count * count:  # nearly all steps alike, or none yet
            return self.UNKNOWN
        slope = (count * products - rows * seconds) / spread
        base = (seconds - slope * rows) / count
        low, high = self.BOUNDS
        return min(high, max(low, slope / base)) if base > 0 else high


def draft_lengths(guesses: list[list[Guess]], rows: int, per_row: float) -> list[int]:
    """How many tokens of each sequence's guess are worth their rows, in a step of `rows` rows otherwise.

    The step is to bring most tokens in its time, so one more row is worth it as long as the token's probability,
    divided by the row's cost, is above the tokens that the step brings otherwise, divided by its cost.
    """
    lengths = [0] * len(guesses)
    expected, cost = float(max(1, len(guesses))), 1 + per_row * rows
    heap = [(-own[0].reach, index) for index, own in enumerate(guesses) if own]
    heapq.heapify(heap)
    while heap:
        reach, index = -heap[0][0], heap[0][1]
        if reach * cost < per_row * expected:
            break
        heapq.heappop(heap)
        expected, cost = expected + reach, cost + per_row
        lengths[index] += 1
        if lengths[index] < len(guesses[index]):
            heapq.heappush(heap, (-guesses[index][lengths[index]].reach, index))
    return lengths
