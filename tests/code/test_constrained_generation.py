"""The engine under a grammar, with the real small model: programs are never cut off."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

from apps.code.constraints import Constraints
from apps.code.syntax import parses
from core_model import Constraint, Engine, GenerationRequest, SamplingParams
from core_model.checkpoint import load_checkpoint
from core_model.decoder import TorchDecoder
from core_model.errors import RequestError
from core_model.requests import Completion
from core_model.tokenizer import Tokenizer

TASK = "Write a class for a stack, with comments."


@pytest.fixture(scope="module")
def constraints(edge_engine: Engine) -> Constraints:
    return Constraints(edge_engine.tokenizer)


def generate(
    engine: Engine, constraint: Constraint | None, begun: str = "", **sampling: object
) -> tuple[Completion, str]:
    """What came, and the text as it was streamed."""
    tokenizer = engine.tokenizer
    prompt = tokenizer.encode_chat([{"role": "user", "content": TASK}]) + tokenizer.encode(begun)
    params = SamplingParams(**{"temperature": 0.0, **sampling})  # type: ignore[arg-type]
    generation = engine.submit(GenerationRequest(prompt, params, constraint=constraint))
    streamed = "".join(piece.text for piece in generation)
    return generation.result(), streamed


@pytest.mark.parametrize("language", ["python", "java", "cpp"])
@pytest.mark.parametrize("budget", [1, 2, 5, 10, 20, 40])
def test_any_budget_ends_in_a_whole_program(
    edge_engine: Engine, constraints: Constraints, language: str, budget: int
) -> None:
    for seed, temperature in ((1, 0.0), (2, 1.0)):
        block = constraints.block(language)
        done, streamed = generate(
            edge_engine,
            block.constraint,
            block.opening,
            max_tokens=budget,
            seed=seed,
            temperature=temperature,
            stop=(block.end,),
        )
        assert len(done.tokens) <= budget
        assert streamed == done.text
        assert done.complete
        assert parses(done.text, language)
        if language == "python":
            ast.parse(done.text)


@pytest.mark.parametrize("budget", [3, 5, 10, 20])
def test_code_that_was_begun_is_finished_within_the_budget(
    edge_engine: Engine, constraints: Constraints, budget: int
) -> None:
    prefix = "def f(a):\n    for x in ["
    done, _ = generate(edge_engine, constraints.program("python", prefix), prefix, max_tokens=budget)
    assert len(done.tokens) <= budget
    ast.parse(prefix + done.text)


def test_a_budget_that_no_completion_fits_into_is_refused(
    edge_engine: Engine, constraints: Constraints
) -> None:
    prefix = "class A { void f() { g(("
    with pytest.raises(RequestError, match=r"takes \d+ tokens, and there is room for 1") as caught:
        generate(edge_engine, constraints.program("java", prefix), prefix, max_tokens=1)
    assert caught.value.parameter == "max_tokens"


def test_what_takes_many_tokens_to_complete_is_completed_in_time(
    edge_engine: Engine, constraints: Constraints
) -> None:
    prefix = "int x = " + "f(a[" * 60
    constraint = constraints.program("cpp", prefix)
    assert constraint is not None
    needed = len(constraint.closing())
    assert needed > 48
    done, _ = generate(edge_engine, constraint, prefix, temperature=1.0, seed=1, max_tokens=needed + 8)
    assert done.complete
    assert parses(prefix + done.text, "cpp")


def test_the_end_of_the_models_context_is_the_end_of_the_budget(random_model: Path) -> None:
    checkpoint = load_checkpoint(random_model)
    engine = Engine(TorchDecoder(checkpoint, torch.float32), Tokenizer(checkpoint.tokenizer))
    try:
        prefix = "y = [1,\n"
        room = 60
        prompt = engine.tokenizer.encode(("#" * 600)[: engine.config.context - room - len(prefix)] + prefix)
        sampling = SamplingParams(temperature=1.0, seed=4, max_tokens=4 * room)
        constraint = Constraints(engine.tokenizer).program("python", prefix)
        done = engine.submit(GenerationRequest(prompt, sampling, constraint=constraint)).result()
    finally:
        engine.close()
    assert len(done.tokens) <= room
    ast.parse(prefix + done.text)


@pytest.mark.parametrize("stop", ["\n", ":", " ", "(", "def", "pass"])
def test_where_a_stop_string_cuts_a_program_it_is_completed(
    edge_engine: Engine, constraints: Constraints, stop: str
) -> None:
    prefix = "def add(a, b)"
    done, streamed = generate(
        edge_engine, constraints.program("python", prefix), prefix, stop=(stop,), max_tokens=40
    )
    assert streamed == done.text
    assert done.complete
    ast.parse(prefix + done.text)


def test_where_the_program_is_whole_a_stop_string_is_cut_as_ever(
    edge_engine: Engine, constraints: Constraints
) -> None:
    prefix = "x = [1, 2]\ny = "
    done, _ = generate(
        edge_engine, constraints.program("python", prefix, "\n"), prefix, stop=("\n",), max_tokens=40
    )
    assert "\n" not in done.text
    ast.parse(prefix + done.text)


def test_after_a_suffix_that_fits_nothing_the_answer_ends_and_says_that_it_does_not_parse(
    edge_engine: Engine, constraints: Constraints
) -> None:
    prefix = "def f(a):\n    return "
    constraint = constraints.program("python", prefix, "\n)))\n")
    done, _ = generate(edge_engine, constraint, prefix, max_tokens=24)
    assert done.text.strip()
    assert done.complete is False


def test_prose_is_free_and_a_fence_that_is_open_at_the_end_of_the_budget_is_closed(
    edge_engine: Engine, constraints: Constraints
) -> None:
    tokenizer = edge_engine.tokenizer
    for language, name in (("python", "python"), ("py", "python"), ("java", "java"), ("c++", "cpp")):
        for budget in (8, 24):
            begun = f"Here }} it is:\n\n```{language}\n"
            constraint = constraints.fenced()
            for token in tokenizer.encode(begun):
                constraint.accept(token)
            done, streamed = generate(
                edge_engine, constraint, begun, temperature=1.0, seed=budget, max_tokens=budget
            )
            assert streamed == done.text
            code, fence, after = done.text.partition("```")
            assert fence
            assert parses(code, name)
            assert done.finish_reason == "stop" or len(done.tokens) <= budget
            assert after.count("```") % 2 == 0


def test_without_a_constraint_nothing_is_said_of_completeness(edge_engine: Engine) -> None:
    done, _ = generate(edge_engine, None, max_tokens=2)
    assert done.complete is None
