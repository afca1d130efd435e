"""The simulated customer: says goals, answers questions, agrees to what matches and corrects what does not.

It reads a reply as a customer would: what is proposed and what was done, what the text asks, what it tells.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from evaluation.support.tasks.customers import Customer
from evaluation.support.tasks.describing import numbers_in
from evaluation.support.tasks.errands import Errand, Heard, Identity
from evaluation.support.tasks.goals import Changes, Goal
from evaluation.support.tasks.hands import Hand
from evaluation.support.tasks.judge import told
from evaluation.support.tasks.questions import Question
from evaluation.support.tasks.replies import Asked, asked_for
from evaluation.support.tasks.speaking import Speaker

MOST_TRIES = 3
MOST_ANSWERS = 2  # of the same kind for one goal: who is asked a third time is not being understood
_KNOWS_NUMBERS = 1 / 3
_TWO_TOGETHER = 0.4
_INTRODUCES = 0.5  # of those who must prove who they are: in the first message already
_METHOD_AT_ONCE = 0.5
_ASKS_BEFORE_YES = 0.15
_BESIDE = ("refund", "difference")  # questions that are asked along with the change
_ITEM_KINDS = ("return", "exchange", "change_item")


class SimulatedCustomer:
    """Plays one task. `open_with` begins; `answer` goes on until it returns None."""

    def __init__(
        self,
        customer: Customer,
        goals: Sequence[Goal],
        questions: Sequence[Question],
        hand: Hand,
        rng: random.Random,
        identity: Identity,
        proves_by_email: bool,
    ) -> None:
        self.customer, self.rng, self.identity = customer, rng, identity
        self.proves_by_email = proves_by_email
        self.speaker = Speaker(customer, hand, rng, known_numbers=rng.random() < _KNOWS_NUMBERS)
        first = [q for q in questions if not q.last and q.kind not in _BESIDE]
        beside = [q for q in questions if not q.last and q not in first]
        wanted: list[Goal | Question] = [*first, *goals, *beside, *(q for q in questions if q.last)]
        self.errands = [Errand(w, Changes(w.changes) if isinstance(w, Goal) else Changes()) for w in wanted]
        self.profile_changes = any(goal.kind == "default_address" for goal in goals)
        self.agreed = Changes()
        self.asked_before_yes = False
        self.said_to_customer: list[str] = []
        self.leaving = False

    def open_with(self) -> str:
        hello = self.speaker.say("hello")
        if self.identity != "signed-in" and self.rng.random() < _INTRODUCES:
            hello = f"{hello} {self._who()}"
        return self._spelled(f"{hello} {self._next_wish(first=True)}")

    def answer(self, heard: Heard) -> str | None:
        """The next message; None where the customer leaves."""
        self.said_to_customer.append(heard.reply)
        self.speaker.names.numbers |= numbers_in(heard.reply, self.customer)
        progress = self._take_note(heard)
        if heard.handed_over or self.leaving:
            return None
        if heard.proposal:
            text = self._to_proposal(heard.proposal, heard.reply)
        else:
            text = self._to_reply(heard.reply, progress)
        return self._spelled(text)

    @property
    def open_changes(self) -> Changes:
        return sum((errand.remaining for errand in self.errands if errand.open), Changes())

    def _take_note(self, heard: Heard) -> bool:
        """What was done and told. True where anything was that the customer waited for."""
        done = {action["name"] for action in heard.actions if action.get("status") == "done"}
        made = Changes({change: n for change, n in self.agreed.items() if change.kind in done})
        if self.agreed != heard.proposal:
            self.agreed = Changes()  # done, refused or forgotten: it is not to be agreed to any more
        progress = bool(made)
        for errand in self.errands:
            if errand.open and isinstance(errand.wanted, Goal):
                here = errand.remaining & made
                errand.remaining, made = errand.remaining - here, made - here
                errand.end = "" if errand.remaining else "done"
            elif errand.open and isinstance(errand.wanted, Question) and self._told(errand, heard.reply):
                errand.end, progress = "done", progress or errand.said
        return progress

    def _told(self, errand: Errand, reply: str) -> bool:
        question = errand.wanted
        assert isinstance(question, Question)
        if not question.infos:
            return errand.said and asked_for(reply) in (None, "more")
        if not errand.said and question.kind not in _BESIDE:
            return False  # a figure that stood somewhere by chance is no answer
        return all(told(info, " ".join(self.said_to_customer)) for info in question.infos)

    def _to_proposal(self, proposal: Changes, reply: str) -> str:
        if proposal <= self.open_changes:
            concerned = [errand for errand in self.errands if errand.open and errand.remaining & proposal]
            for errand in concerned:
                errand.said = True
                missing = _missing(errand, proposal)
                if missing and not errand.narrowed:
                    errand.narrowed = True
                    return self._complete(errand)
            first = concerned[0]
            if self.agreed == proposal:  # a yes was said, and something is still asked, or it was not heard
                text = self._answer_to(asked_for(reply), first)
                if text is not None:
                    return text
                if self._fruitless(first):
                    return self._on_with_another()
            if self.rng.random() < _ASKS_BEFORE_YES and not self.agreed and not self.asked_before_yes:
                self.asked_before_yes = True
                return self._question_about(first)
            return self._agree(proposal, concerned)
        meant = self._meant_by(proposal)
        if meant is None or self._fruitless(meant) or not isinstance(meant.wanted, Goal):
            return f"{self.speaker.say('no_thanks')} {self._on_with_another()}"
        return self._correct(meant.wanted, meant.remaining, proposal)

    def _agree(self, proposal: Changes, concerned: Sequence[Errand]) -> str:
        self.agreed = proposal
        for errand in concerned:
            if self._must_name_method(errand) and isinstance(errand.wanted, Goal):
                errand.method_said = True
                return self.speaker.say("yes_method", method=self.speaker.method(errand.wanted))
        return self.speaker.say("yes")

    def _question_about(self, errand: Errand) -> str:
        """What the customer wanted to be told about it anyway, or something else about it."""
        order = errand.wanted.order
        for other in self.errands:
            question = other.wanted
            if not other.open or not isinstance(question, Question) or question.order != order:
                continue
            if question.kind in _BESIDE:
                other.said = True
                return self.speaker.question(question)
        return self.speaker.say("about_proposal")

    def _to_reply(self, reply: str, progress: bool) -> str:
        current = next((errand for errand in self.errands if errand.open and errand.said), None)
        asked = asked_for(reply)
        if current is None or (progress and asked in (None, "more")):
            return self._on_with_another()
        if asked == "more" and current.tries == 0 and len([e for e in self.errands if e.said]) > 1:
            current.tries += 1
            return self._say(current, "next")
        text = self._answer_to(asked, current)
        if text is not None:
            return text
        if self._fruitless(current):
            return self._on_with_another()
        return self._say(current, "again", exact=True)

    def _on_with_another(self) -> str:
        return self._next_wish() if self._some_open() else self._goodbye()

    def _answer_to(self, asked: Asked | None, errand: Errand) -> str | None:
        """The answer to what is asked; None where nothing is, or it was answered before in vain."""
        if asked is None or errand.answers.get(asked, 0) >= MOST_ANSWERS:
            return None
        goal, text = errand.wanted, None
        if asked == "identity":
            text = self._who()
        elif isinstance(goal, Question):
            if asked == "order" and goal.order is not None:
                text = self.speaker.say("say_order", order=self.speaker.names.order(goal.order, exact=True))
        else:
            text = self._detail(asked, goal, errand)
        if text is not None:
            errand.answers[asked] = errand.answers.get(asked, 0) + 1
        return text

    def _detail(self, asked: Asked, goal: Goal, errand: Errand) -> str | None:
        changes = list(errand.remaining.elements())
        match asked:
            case "order" if goal.kind == "cancel" and len(goal.orders) > 1:
                return self.speaker.wish(goal)
            case "order" if goal.order is not None:
                return self.speaker.order(goal)
            case "item" | "option" if goal.kind == "cancel" and goal.order is not None:
                return self.speaker.order(goal)
            case "option" if goal.kind in ("exchange", "change_item"):
                return self.speaker.options(goal, changes)
            case "item" if goal.kind in _ITEM_KINDS:
                return self.speaker.items(goal)
            case "address" if goal.address is not None:
                return self.speaker.address(goal)
            case "reason":
                return self.speaker.reason(goal)
            case "method" if goal.order is not None:
                errand.method_said = True
                return self.speaker.say("say_method", method=self.speaker.method(goal))
        return None

    def _correct(self, goal: Goal, remaining: Changes, proposal: Changes) -> str:
        speak = self.speaker
        if {change.kind for change in proposal} != {goal.kind}:
            wish = speak.wish(goal, exact=True, profile_changes=self.profile_changes)
            return speak.say("no_other", wish=wish)
        if {change.order for change in proposal} - set(goal.orders):
            if goal.kind == "default_address":
                return speak.address(goal, what="no_address")
            return speak.say("no_order", order=speak.names.order(goal.orders[0], exact=True))
        if goal.kind in ("change_address", "default_address"):
            return speak.address(goal, what="no_address")
        if goal.kind not in _ITEM_KINDS:
            wish = speak.wish(goal, exact=True)
            return speak.say("no_other", wish=wish)
        wanted = {change.item for change in remaining}
        extra = [change for change in proposal if change.item not in wanted]
        if not extra and goal.kind != "return":
            wrong = [change for change in remaining.elements() if change not in proposal]
            asked_of = [change for change in wrong if change.item in {c.item for c in proposal}]
            return speak.options(goal, asked_of or wrong, what="no_option")
        if extra and {change.item for change in proposal} & wanted:
            return speak.items(goal, what="no_only")
        named = [change for change in extra if change.item is not None and speak.has(change)]
        if not named:
            return speak.items(goal, what="no_only")
        return speak.items(goal, what="no_not", wrong=speak.named_items(named, goal))

    def _complete(self, errand: Errand) -> str:
        goal = errand.wanted
        assert isinstance(goal, Goal)
        if goal.kind in _ITEM_KINDS and len({change.item for change in goal.changes}) > 1:
            return self.speaker.items(goal, what="all_of")
        wish = self.speaker.wish(goal, exact=True)
        return self.speaker.say("again", wish=wish)

    def _must_name_method(self, errand: Errand) -> bool:
        goal = errand.wanted
        named = isinstance(goal, Goal) and goal.method is not None and goal.kind != "change_payment"
        return named and not errand.method_said

    def _meant_by(self, proposal: Changes) -> Errand | None:
        """The errand that a wrong proposal comes closest to, among those that were said."""
        said = [errand for errand in self.errands if errand.open and errand.said]

        def nearness(errand: Errand) -> int:
            pairs = [(a, b) for a in errand.remaining for b in proposal]
            return max((2 * (a.item is not None and a.item == b.item) + 2 * (a.kind == b.kind)
                        + (a.order == b.order) for a, b in pairs), default=0)  # fmt: skip

        return max(said, key=nearness, default=None)

    def _fruitless(self, errand: Errand) -> bool:
        """Counts a try in vain; True where it was the last."""
        errand.tries += 1
        if errand.tries >= MOST_TRIES:
            errand.end = "given up"
        return not errand.open

    def _some_open(self) -> bool:
        return any(errand.open for errand in self.errands)

    def _next_wish(self, *, first: bool = False) -> str:
        """The next errand, or the next two; one that was said along with another is said again by itself."""
        ready = [errand for errand in self.errands if errand.open]
        errand, *others = ready
        text = self._say(errand, None if first else "next")
        later = others[0] if others else None
        if later is None or errand.tries or later.said or getattr(later.wanted, "last", False):
            return text
        if self.rng.random() < _TWO_TOGETHER:
            return self.speaker.say("both", first=text, second=self._say(later, None))
        return text

    def _say(self, errand: Errand, frame: str | None, *, exact: bool = False) -> str:
        errand.said = True
        wanted = errand.wanted
        if isinstance(wanted, Question):
            text = self.speaker.question(wanted)
        else:
            text = self.speaker.wish(wanted, exact=exact, profile_changes=self.profile_changes)
            if self._must_name_method(errand) and self.rng.random() < _METHOD_AT_ONCE:
                errand.method_said = True
                text = f"{text} {self.speaker.method_sentence(wanted)}"
        return text if frame is None else self.speaker.say(frame, wish=text)

    def _who(self) -> str:
        if self.proves_by_email or self.identity == "signed-in":
            return self.speaker.say("say_email", email=self.customer.email)
        name, postcode = self.customer.name, self.customer.address.postcode
        return self.speaker.say("say_name_postcode", name=name, postcode=postcode)

    def _goodbye(self) -> str:
        self.leaving = True
        return self.speaker.say("bye")

    def _spelled(self, text: str) -> str:
        return self.speaker.hand.spelled(text)


def _missing(errand: Errand, proposal: Changes) -> Changes:
    """What of the errand a proposal about it leaves out."""
    orders = {change.order for change in proposal}
    if isinstance(errand.wanted, Goal) and errand.wanted.kind == "cancel":
        return errand.remaining - proposal
    return Changes({c: n for c, n in (errand.remaining - proposal).items() if c.order in orders})
