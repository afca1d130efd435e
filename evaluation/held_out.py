"""Do answers that passed agree with the reference on inputs that neither the task nor its tests have?

LeetCodeDataset's tests are the examples of the statement, which an assistant may check its drafts on: what passes
them may have been chosen for just that. EvalPlus (Liu et al. 2023) adds such inputs to HumanEval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apps.code import drivers
from apps.code.checking import call
from apps.code.drivers import CallResult
from apps.code.examples import find_examples
from apps.code.sample_inputs import made_up_inputs
from apps.code.sandbox import Sandbox, SandboxError
from apps.code.signatures import Signature, signature_of
from evaluation.likely_inputs import likely_inputs
from evaluation.problems import Problem, reference_solution

INPUTS = 40
_SEED = 2026
_ANY_ORDER = "any order"

Case = dict[str, Any]


def examine(problem: Problem, case: Mapping[str, Any], sandbox: Sandbox) -> Case:
    """`held_out`: inputs that the reference answers; `agreed`: of them, where the candidate gives the same; `passed`:
    the tests and all of these.

    None of the inputs is one that the assistant itself compares its drafts on. A candidate that failed the tests is
    not run. `error` says why a case could not be examined. Raises DataError for a problem without a reference.
    """
    examined = {
        "task_id": problem.task_id,
        "difficulty": problem.difficulty,
        "passed": case["passed"],
        "tests_passed": case["passed"],
        "held_out": 0,
        "agreed": 0,
        "difference": None,
        "error": None,
    }
    reference = reference_solution(problem).code
    function = signature_of(reference, problem.language, problem.entry_point)
    if function is None:
        return examined
    try:
        return _compared(problem, case["code"], reference, function, examined, sandbox)
    except SandboxError as error:
        return {**examined, "passed": False, "error": str(error)}


def _compared(
    problem: Problem, code: str, reference: str, function: Signature, examined: Case, sandbox: Sandbox
) -> Case:
    inputs = _inputs(problem, function)
    expected = _answers(problem, reference, function, inputs, sandbox)
    known = [(given, result) for given, result in zip(inputs, expected, strict=True) if result.error is None]
    examined["held_out"] = len(known)
    if not known or not examined["tests_passed"]:
        return examined
    answers = _answers(problem, code, function, [given for given, _ in known], sandbox)
    any_order = _ANY_ORDER in problem.task
    for (given, right), answer in zip(known, answers, strict=True):
        if answer.error is None and _agree(answer.value, right.value, any_order):
            examined["agreed"] += 1
        elif examined["difference"] is None:
            examined["passed"] = False
            said = answer.error or repr(answer.value)
            examined["difference"] = f"{given!r:.300} gives {said:.200}, the reference {right.value!r:.200}"
    return examined


def metrics(cases: Iterable[Case]) -> dict[str, float]:
    """Of the problems that have held-out inputs: `pass_rate`, by the tests alone, and `held_out_pass_rate`, of those
    that agree with the reference on every held-out input, too."""
    everything = list(cases)
    listed = [case for case in everything if not case.get("error")]
    errors = {"errors": float(len(everything) - len(listed))} if len(listed) < len(everything) else {}
    found = [case for case in listed if case["held_out"]]
    if not found:
        return {"problems": 0.0, "without_inputs": float(len(listed)), **errors}
    passed = [case for case in found if case["tests_passed"]]
    rates = {
        "problems": float(len(found)),
        "without_inputs": float(len(listed) - len(found)),
        **errors,
        "inputs_per_problem": sum(case["held_out"] for case in found) / len(found),
        "pass_rate": len(passed) / len(found),
        "held_out_pass_rate": sum(case["passed"] for case in found) / len(found),
    }
    if passed:
        rates["agreement_of_passed"] = sum(case["agreed"] / case["held_out"] for case in passed) / len(passed)
    for difficulty in sorted({case["difficulty"] for case in found if case["difficulty"]}):
        chosen = [case for case in found if case["difficulty"] == difficulty]
        rates[f"held_out_pass_rate_{difficulty.lower()}"] = sum(case["passed"] for case in chosen) / len(
            chosen
        )
    return rates


def _inputs(problem: Problem, function: Signature) -> list[tuple[Any, ...]]:
    examples = [example.arguments for example in find_examples(problem.task, function)]
    seen = {repr(tuple(given)) for given in made_up_inputs(function, examples)}
    return [given for given in likely_inputs(examples, 2 * INPUTS, _SEED) if repr(given) not in seen][:INPUTS]


def _answers(
    problem: Problem, code: str, function: Signature, inputs: list[tuple[Any, ...]], sandbox: Sandbox
) -> list[CallResult]:
    """One result for each input; an error for each where the program cannot be called at all."""
    context = problem.before if problem.language == "python" else ""
    calls = call(code, problem.language, function, inputs, sandbox, context) if inputs else None
    results = list(calls.results) if calls else []
    failure = CallResult(error=(calls.failure if calls else None) or "not reached")
    return [*results, *[failure] * (len(inputs) - len(results))][: len(inputs)]


def _agree(one: Any, other: Any, any_order: bool) -> bool:
    if any_order and isinstance(one, list) and isinstance(other, list):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    return drivers.same(one, other)
