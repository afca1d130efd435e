"""A task in words: what is asked of the model, how a draft is judged, and how a use of it is made up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from apps.code.answers import Check
from apps.code.checking import Verdict, check
from apps.code.drafting import Drafting
from apps.code.examples import Example, called_name, find_examples
from apps.code.prompts import LANGUAGE_NAMES, REPAIR, RUN, USE, USED, WRITE, fence
from apps.code.refining import Task, Use
from apps.code.sample_inputs import made_up_inputs
from apps.code.sandbox import Sandbox
from apps.code.signatures import Signature, plain_name, signature_of, signatures
from apps.code.usage import (
    NOT_COMPILED,
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
            return Verdict((Check(f"defines {called}", False, f"defines {function.name}"),), problem)
        examples = self._examples_for(function)
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
        if not self._needs_use(code, function, self._examples_for(function)):
            return None
        usage, tokens = self._made_up(code)
        sandbox = self.sandbox
        if usage is None or sandbox is None:
            return None
        language = self.language
        if all(result.error == NOT_COMPILED for result in try_out(usage, code, language, sandbox).values()):
            return None
        told = USED.format(usage=usage.told(fence(language)))
        return Use(told, tokens, lambda draft: try_out(usage, draft, language, sandbox))

    def _made_up(self, code: str) -> tuple[Usage | None, int]:
        """A use of a draft by the model, and the tokens that it took."""
        inputs = {**self._inputs, "draft": f"{fence(self.language)}{code}```"}
        if not is_program(code, self.language):
            drafting = replace(self.drafting, start=usage_start(self.language), max_tokens=USAGE_TOKENS)
            example = drafting.whole(USE, inputs, 0.0, 0)
            return usage_of(example.code, code, self.language), example.tokens
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
