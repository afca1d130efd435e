"""When drafts are enough: on the small model, whose drafts a judge of the test's own looks at."""

from __future__ import annotations

from itertools import count

from apps.code.answers import EFFORTS, Answer
from apps.code.checking import Verdict
from apps.code.constraints import Constraints
from apps.code.drafting import Drafting
from apps.code.drivers import CallResult
from apps.code.prompts import REPAIR, WRITE
from apps.code.refining import Task, refine
from apps.code.sandbox import Sandbox
from core_model import Engine
from core_model.chat_model import DuetChatModel

THOROUGH = EFFORTS["thorough"]


def drafts(engine: Engine, sandbox: Sandbox, verdicts: list[Verdict]) -> int:
    """How many drafts are made where they are judged like this, the last verdict for all that follow."""
    numbers = count()

    def judge(code: str) -> Verdict:
        return verdicts[min(next(numbers), len(verdicts) - 1)]

    drafting = Drafting(
        DuetChatModel(engine=engine), Constraints(engine.tokenizer), "python", "def f(x):\n", max_tokens=8
    )
    task = Task(WRITE, REPAIR, {"language_name": "Python", "task": "f(x)"}, judge)
    *_, answer = refine(task, drafting, THOROUGH, sandbox, 0.0, 0)
    assert isinstance(answer, Answer)
    return answer.drafts


def passes(gave: object) -> Verdict:
    """Nothing is wrong, and this is what came of an input that was made up."""
    return Verdict(made_up={"(1,)": CallResult(value=gave)})


FAILS = Verdict(problem="it gives nothing")


def test_a_wave_is_left_as_soon_as_enough_drafts_pass_and_agree(
    edge_engine: Engine, sandbox: Sandbox
) -> None:
    assert drafts(edge_engine, sandbox, [passes(1)]) == THOROUGH.alike < 1 + THOROUGH.width
    failing = [FAILS] * 3
    assert drafts(edge_engine, sandbox, [*failing, passes(1)]) == len(failing) + THOROUGH.alike


def test_drafts_that_pass_and_never_agree_are_compared_with_so_many_waves(
    edge_engine: Engine, sandbox: Sandbox
) -> None:
    verdicts = [passes(number) for number in range(100)]
    assert drafts(edge_engine, sandbox, verdicts) == 1 + THOROUGH.comparing * THOROUGH.width


def test_while_nothing_passes_all_waves_are_drawn(edge_engine: Engine, sandbox: Sandbox) -> None:
    assert drafts(edge_engine, sandbox, [FAILS]) == 1 + THOROUGH.waves * THOROUGH.width
