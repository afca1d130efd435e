"""What the pages are made of, without a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

from sqlalchemy import select

from apps.code.answers import Answer, Check, Checked, Events, Trial
from apps.code.running import Output
from apps.support.conversations.turn import FactsFound, IntentFound, IntentResult
from apps.support.playbooks.case import HandoverReason
from apps.support.reading.state import ActionName, ConversationState, Line, Proposal, Question, Wish
from apps.support.shop.database import Database
from apps.support.shop.models import Customer, Order, OrderStatus, Role, TurnTrace
from apps.support.shop.seed import DEMO_EMAILS
from ui.pages.code_answer import CodeAnswer
from ui.pages.deed_card import deed_cards
from ui.pages.desk_views import when
from ui.pages.labels import named
from ui.pages.offers import offers_of
from ui.pages.order_card import order_card
from ui.pages.rendering import render
from ui.pages.transcript import Bubble, transcript
from ui.pages.turn_view import TurnView, turn_card
from ui.pages.words import TEXTS

HOSTILE = '<img src=x onerror="alert(1)">'


def test_every_word_is_there_in_both_languages() -> None:
    assert all(english.strip() and chinese.strip() for english, chinese in TEXTS.values())
    assert named("intent", "track_order", "zh") == "查询订单"
    assert named("intent", "a_shop_s_own", "zh") == "a_shop_s_own"


def test_every_reason_and_action_has_words() -> None:
    assert {f"reason.{reason}" for reason in get_args(HandoverReason)} <= TEXTS.keys()
    assert {f"action.{name}" for name in get_args(ActionName)} <= TEXTS.keys()


def turn(place: int, *, proposal: str = "", receipt: str = "") -> TurnTrace:
    """A stored turn, of a customer's message with an odd number and the reply after it."""
    lines = {"proposal": proposal, "receipt": receipt}
    return TurnTrace(
        message_id=2 * place - 1,
        reply_id=2 * place,
        understood={"language": "en"},
        done={name: [Line(title=said).model_dump()] if said else [] for name, said in lines.items()},
    )


def waiting(sentence: str = "Shall I?") -> ConversationState:
    proposal = Proposal(key="k", steps=(), wishes=(), sentence=sentence)
    return ConversationState(pending=proposal)


def test_a_proposal_stands_in_the_last_message_that_asks_for_the_yes() -> None:
    cards = deed_cards([turn(1, proposal="cancel it"), turn(2, proposal="cancel it")], waiting())
    assert {place: card.state for place, card in cards.items()} == {4: "open"}


def test_a_proposal_becomes_its_receipt_where_it_stood() -> None:
    cards = deed_cards(
        [turn(1, proposal="cancel it"), turn(2, receipt="It is cancelled.")], ConversationState()
    )
    assert {place: card.state for place, card in cards.items()} == {2: "done"}
    assert "It is cancelled." in cards[2].html("en")


def test_a_proposal_without_a_yes_is_shown_as_not_done() -> None:
    dropped = deed_cards([turn(1, proposal="cancel it"), turn(2)], ConversationState())
    handed_over = deed_cards([turn(1, proposal="cancel it")], ConversationState())
    assert [card.state for cards in (dropped, handed_over) for card in cards.values()] == ["dropped"] * 2
    assert "data-say" not in dropped[2].html("en")


def test_a_card_says_what_from_what_to_what_the_money_and_its_way_in_the_conversation_s_language() -> None:
    line = Line(title=HOSTILE, before="red, M", after="blue, L", money="€5.00", method="card 4242")
    trace = turn(1, proposal="x")
    trace.done["proposal"], trace.understood["language"] = [line.model_dump()], "zh"
    card = deed_cards([trace], waiting())[2].html("en")
    for part in ("red, M", "blue, L", "€5.00", "card 4242", 'data-say="是"', 'data-say="否"'):
        assert part in card
    assert "<img" not in card


def test_every_order_of_a_proven_customer_can_be_clicked(sqlite_shop: Database) -> None:
    with sqlite_shop.read() as session:
        customer = session.scalar(select(Customer).where(Customer.email == DEMO_EMAILS[0]))
        first, second = customer.orders[:2]
        question = Question(
            about="order", wish=Wish(verb="cancel"), choices=(first.id, second.id), labels=("one", "two")
        )
        state = ConversationState(trusted_customer_id=customer.id, question=question)
        offers = offers_of(session, state, "en", "en")
        assert [offer.says for offer in offers.first] == ["one", "two"]
        shown = {offer.label for offer in (*offers.first, *offers.more)}
        assert shown == {f"#{order.number}" for order in customer.orders}
        guest = offers_of(session, ConversationState(question=question), "en", "en")
        assert not guest.more


def test_every_option_that_can_be_had_can_be_clicked(sqlite_shop: Database) -> None:
    with sqlite_shop.read() as session:
        item = next(
            item
            for order in session.scalars(select(Order))
            for item in order.items
            if item.variant is not None and len(item.variant.product.variants) > 2
        )
        variants = item.variant.product.variants
        for variant in variants:
            variant.available, variant.stock = True, None
        question = Question(about="option", wish=Wish(verb="swap"), choices=(variants[0].id,), labels=("x",))
        offers = offers_of(session, ConversationState(question=question), "en", "en")
        assert len(offers.first) + len(offers.more) == len(variants)


def test_a_transcript_shows_text_as_text() -> None:
    shown = transcript("c", [Bubble(role, HOSTILE) for role in Role], "en", mine=Role.CUSTOMER, earlier=3)
    assert "<img" not in shown
    assert shown.count("&lt;img") == 3
    assert "3 earlier messages" in shown


def test_a_transcript_says_where_a_reply_was_cut() -> None:
    cut = transcript("c", [Bubble(Role.ASSISTANT, "It is", complete=False)], "en", mine=Role.CUSTOMER)
    assert "stopped here" in cut


def test_an_order_card_has_number_status_items_total_and_tracking(sqlite_shop: Database) -> None:
    with sqlite_shop.write() as session:
        order = session.scalars(select(Order).where(Order.status == OrderStatus.SHIPPED)).first()
        order.items[0].name, order.items[0].variant = HOSTILE, None
        card = order_card(order, "en")
        assert "<img" not in card
        for part in (f"#{order.number}", "shipped", "Total", order.shipments[0].tracking_number):
            assert part in card
        assert "已发货" in order_card(order, "zh")
        assert "has not been proven" in order_card(order, "en", proven=False)


def test_a_cancelled_order_has_no_steps_before_it(sqlite_shop: Database) -> None:
    with sqlite_shop.read() as session:
        order = session.scalars(select(Order).where(Order.status == OrderStatus.CANCELLED)).first()
        assert 'class="steps"' not in order_card(order, "en")


def test_a_turn_shows_commands_intent_confidence_alternatives_facts_and_actions() -> None:
    view = TurnView()
    guess = IntentResult(name="cancel_order", confidence=0.91, alternatives=[("status", 0.06)])
    view.take(
        IntentFound(intent=guess, commands="cancel P", entities={"order_numbers": ["W1"]}, language="en")
    )
    view.take(
        FactsFound(
            facts={"order": HOSTILE},
            citations=["Returns › Time"],
            actions=[{"name": "cancel", "status": "done"}],
        )
    )
    card = turn_card(view, "en")
    for part in (
        "Cancel order",
        "91%",
        "<code>status</code> 6%",
        "cancel P",
        "W1",
        "Returns › Time",
        "Cancel the order",
        "done",
    ):
        assert part in card
    assert "<img" not in card


def _nothing(attempt: int) -> Events:
    yield from ()


def test_verdicts_are_shown_as_they_come_and_drafts_folded_away() -> None:
    shown = CodeAnswer("python", "en", _nothing, code="def f(x):\n    return x\n")
    assert "Writing the first draft" in shown.status()
    shown.drafts.append(Checked(1, 1, 2, "f(2) gives 2, but it must give 4"))
    assert "Draft 1: 1 of 2 examples pass. Trying more" in shown.status().partition("<details")[0]
    assert "f(2) gives 2, but it must give 4" in shown.status()
    shown.drafts.append(Checked(2, 2, 2, None))
    assert "Draft 2: 2 of 2 examples pass" in shown.status()
    assert "f(2) gives 2" not in shown.status().partition("<details")[0]
    checks = (Check("f(2) == 4", True), Check("f(0) == 0", True))
    shown.finish(Answer(shown.code, "python", True, 40, 1.5, "stop", drafts=2, checked=checks))
    assert "2 of 2 examples pass" in shown.status()
    assert "f(2) == 4" in shown.status()
    assert "Draft 1: 1 of 2 examples pass" in shown.status()


def test_an_edit_is_shown_by_the_lines_that_change() -> None:
    before = "\n".join(f"line {n}" for n in range(1, 21))
    shown = CodeAnswer(
        "python", "en", _nothing, "", "", (before, "python"), code=before.replace("line 9", HOSTILE)
    )
    lines = shown.comparison()
    assert "line 5<" not in lines
    assert ">line 6<" in lines
    assert 'removed"><span class="no"></span>line 9<' in lines
    assert "<img" not in lines
    shown.code = before
    assert "Nothing changes" in shown.comparison()


def test_a_translation_is_shown_beside_its_source() -> None:
    shown = CodeAnswer("java", "en", _nothing, source=("x = 1\n", "python"), code="int x = 1;\n")
    both = shown.comparison()
    assert both.index("Python") < both.index("Java")
    assert both.count('class="listing"') == 2


def test_what_a_run_gave_is_shown_as_text() -> None:
    said = render("output", "en", output=Output(HOSTILE, "warning", None, "exit 1: warning", 1.25), called="")
    assert "<img" not in said
    assert "Ended: exit 1: warning" in said
    assert "1.2 s" in said
    assert "It printed nothing" in render("output", "en", output=Output(), called="")


def test_a_program_that_only_loads_is_not_said_to_pass_examples() -> None:
    shown = CodeAnswer("python", "en", _nothing, code="x = 1\n")
    shown.finish(Answer("x = 1\n", "python", True, 4, 0.1, "stop", checked=(Check("loads", True),)))
    assert "examples pass" not in shown.status()
    assert "the task gives no example" in shown.status()


def test_what_the_assistant_made_up_is_said_to_be_its_own() -> None:
    shown = CodeAnswer("python", "en", _nothing, code="class Box: ...\n")
    shown.drafts.append(Checked(1, 0, 0, None, tried=1))
    assert "Draft 1: no fault found; run on examples of the assistant" in shown.status()
    trials = (Trial("print(Box())", "a box", 3, 4),)
    checks = (Check("loads", True),)
    shown.finish(Answer(shown.code, "python", True, 4, 0.1, "stop", checked=checks, trials=trials))
    assert "nobody has said what is right. 3 of 4 drafts gave this" in shown.status()
    assert "print(Box())" in shown.status()
    assert "pass" not in shown.status().replace("class", "")


def test_what_the_grammar_does_not_know_is_left_to_the_compiler() -> None:
    shown = CodeAnswer("cpp", "en", _nothing, code="x")
    shown.finish(Answer("x", "cpp", False, 4, 0.1, "stop", compiles=True, unknown="line 1"))
    assert "the compiler alone has judged" in shown.status()
    assert "not parse" not in shown.status()


def test_what_the_compiler_refuses_is_shown() -> None:
    shown = CodeAnswer("python", "en", _nothing, code="return 1\n")
    problem = "line 1: 'return' outside function"
    shown.finish(Answer(shown.code, "python", True, 4, 0.1, "stop", compiles=False, compile_problem=problem))
    assert "outside function" in shown.status()
    assert "It does not compile" in shown.status()


def test_times_are_told_as_people_say_them() -> None:
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    assert when(now - timedelta(seconds=20), "en", now) == "just now"
    assert when(now - timedelta(minutes=5), "zh", now) == "5 分钟前"
    assert when((now - timedelta(hours=3)).replace(tzinfo=None), "en", now) == "3 h ago"
    assert when(now - timedelta(days=3), "en", now) == "17\u00a0May"
