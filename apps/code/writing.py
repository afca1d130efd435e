"""A task in words: what is asked of the model, how a draft is judged, and how a use of it is made up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

from apps.code.answers import DEFINES, Check
from apps.code.checking import Verdict, check
from apps.code.drafting import Drafting
from apps.code.examples import Example, called_name, find_examples
from apps.code.named import names_in, names_wanted
from apps.code.prompts import LANGUAGE_NAMES, REPAIR, RUN, USE, USED, WRITE, fence
from apps.code.refining import SAMPLE_TEMPERATURE, Task, Use
from apps.code.sample_inputs import made_up_inputs
from apps.code.sandbox import Sandbox
from apps.code.signatures import Signature, plain_name, signature_of, signatures
from apps.code.usage import (
    NOT_COMPILED,
    PRINTS,
    RUNS_SCHEMA,
    USAGE_TOKENS,
    Usage,
    is_program,
    runs_of,
    try_out,
    usage_of,
    usage_start,
)
from core_model.answer_shape import AnswerShape

_VERSIONS = 3  # of an example, of which the first that works is taken


@dataclass(frozen=True)
class Writing:
    """`start` is code that the answer begins with, `context` code that stands before it.

    `entry_point` is the function that the task is about, if it is not plain from the rest.
    """

    task: str
    language: str
    drafting: Drafting
    sandbox: Sandbox | None
    start: str = ""
    context: str = ""
    entry_point: str | None = None

    @property
    def work(self) -> Task:
        return Task(WRITE, REPAIR, self._inputs, self._judge, self._use)

    @cached_property
    def _called(self) -> str | None:
        """What the examples call, where that names the function: it is not given otherwise."""
        return None if self.start or self.entry_point else called_name(self.task)

    @cached_property
    def _inputs(self) -> dict[str, str]:
        told = f"{self.task}\n\nThe function must be named {self._called}." if self._called else self.task
        return {"language_name": LANGUAGE_NAMES[self.language], "task": told}

    def _judge(self, code: str) -> Verdict:
        assert self.sandbox is not None
        function, called = self._function_in(code), self._called
        if function and called and plain_name(function.name) != plain_name(called):
            problem = f"it must define {called}, which the examples call"
            return Verdict((Check(DEFINES + called, False, f"defines {function.name}"),), problem)
        examples = self._examples_for(function)
        if not (examples or self.start or self.entry_point):
            named = names_wanted(self.task)
            there = names_in(code, self.language)
            missing = [name for name in named if name not in there]
            if missing:
                checks = (Check(DEFINES + name, name in there) for name in named)
                return Verdict(tuple(checks), f"it has no {' and no '.join(missing)}, which the task names")
        made_up = []
        if function is not None and not self._needs_use(code, function, examples):
            made_up = made_up_inputs(function, [item.arguments for item in examples])
        whole = not (self.start or self.context)
        return check(
            code, self.language, function, examples, self.sandbox, self.context, made_up, whole=whole
        )

    def _function_in(self, code: str) -> Signature | None:
        if self.entry_point:
            return signature_of(code, self.language, self.entry_point)
        return _function_of(self.task, self.start, code, self.language)

    def _examples_for(self, function: Signature | None) -> list[Example]:
        return find_examples(self.task, function) if function else []

    def _needs_use(self, code: str, function: Signature | None, examples: list[Example]) -> bool:
        """Whether nothing else can be run: the task has no example, and no input can be made up from types alone."""
        if examples or self.entry_point:
            return False
        if function is None or function.of_instance or is_program(code, self.language):
            return True
        return not made_up_inputs(function, [])

    def _use(self, code: str) -> Use | None:
        function = self._function_in(code)
        if self.sandbox is None or not self._needs_use(code, function, self._examples_for(function)):
            return None
        language, sandbox = self.language, self.sandbox
        program = is_program(code, language)
        inputs = {**self._inputs, "draft": f"{fence(language)}{code}```", "prints": PRINTS[language]}
        tried = []
        tokens = 0
        for usage, cost in [self._runs(inputs)] if program else self._examples(inputs, code):
            tokens += cost
            if usage is not None:
                results = try_out(usage, code, language, sandbox).values()
                tried.append((sum(result.error is None for result in results) / len(results), usage))
                if not program and any(result.error == NOT_COMPILED for result in results):
                    tried.pop()
        if not tried:
            return None
        _, best = max(tried, key=lambda item: item[0])
        told = USED.format(usage=best.told(fence(language)))
        return Use(told, tokens, lambda draft: try_out(best, draft, language, sandbox))

    def _examples(self, inputs: dict[str, str], code: str) -> list[tuple[Usage | None, int]]:
        """Code of the model's that uses a draft, in a few versions, and the tokens that each took."""
        drafting = replace(self.drafting, start=usage_start(self.language), max_tokens=USAGE_TOKENS)
        with ThreadPoolExecutor(_VERSIONS, thread_name_prefix="duet-usage") as pool:
            made = [
                pool.submit(drafting.whole, USE, inputs, SAMPLE_TEMPERATURE if seed else 0.0, seed)
                for seed in range(_VERSIONS)
            ]
            drafts = [item.result() for item in made]
        return [(usage_of(draft.code, code, self.language), draft.tokens) for draft in drafts]

    def _runs(self, inputs: dict[str, str]) -> tuple[Usage | None, int]:
        """Runs of a program that the model proposes, and the tokens that it took."""
        shape = AnswerShape(schema=RUNS_SCHEMA)
        chain = RUN | self.drafting.model.bind(shape=shape, max_tokens=USAGE_TOKENS, temperature=0.0)
        said = chain.invoke(inputs)
        tokens = said.usage_metadata["output_tokens"] if said.usage_metadata else 0
        return runs_of(str(said.text)), tokens


def _function_of(task: str, start: str, code: str, language: str) -> Signature | None:
    """What the task is about: the last function that the start declares, or that the task calls."""
    found = [function for function in signatures(code, language) if function.name != "main"]
    for text in (start, task):
        named = [function for function in found if f"{function.name}(" in text]
        if named:
            return named[-1]
    return found[-1] if found else None
