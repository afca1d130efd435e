"""The code assistant: write, edit, complete, translate.

Every answer is a stream of events: `Token`s, a `Checked` for each draft that was run, one `Answer`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property

from apps.code.answers import EFFORTS, NORMAL, QUICK, Answer, Check, Checked, Effort, Event, Events, Token
from apps.code.checking import Verdict, call, check
from apps.code.compilers import compilation
from apps.code.completion import Completer, Gap
from apps.code.constraints import Constraints, served_language
from apps.code.drafting import Drafting
from apps.code.drivers import CallResult
from apps.code.editing import Edit, Editor
from apps.code.examples import Example, called_name, find_examples
from apps.code.prompts import LANGUAGE_NAMES, REPAIR, REPAIR_TRANSLATION, TRANSLATE, WRITE
from apps.code.refining import Task, refine
from apps.code.sample_inputs import made_up_inputs, sample_inputs
from apps.code.sandbox import Sandbox, SandboxUnavailableError
from apps.code.signatures import Signature, plain_name, signature_of, signatures
from apps.code.syntax import parses
from core_model.chat_model import DuetChatModel
from core_model.errors import RequestError

__all__ = [
    "EFFORTS",
    "NORMAL",
    "QUICK",
    "Answer",
    "Check",
    "Checked",
    "CodeAssistant",
    "Effort",
    "Event",
    "Events",
    "Token",
]

MAX_TOKENS = 1024


class CodeAssistant:
    """Shared by all requests; each call is one stream of its own, stopped by leaving it."""

    def __init__(self, model: DuetChatModel, grammar: bool = True) -> None:
        """`grammar=False` lets the model write what does not parse, to measure what the constraint does."""
        self._model = model
        self._constraints = Constraints(model.engine.tokenizer) if grammar else None
        self._completer = Completer(model.engine, model.adapter, grammar)
        self._editor = Editor(model.engine, model.adapter, grammar)

    @cached_property
    def _sandbox(self) -> Sandbox | None:
        try:
            return Sandbox()
        except SandboxUnavailableError:
            return None

    def write(
        self,
        task: str,
        language: str,
        *,
        start: str = "",
        context: str = "",
        entry_point: str | None = None,
        effort: Effort = QUICK,
        max_tokens: int = MAX_TOKENS,
        temperature: float = 0.0,
        seed: int = 0,
        compile: bool = False,
    ) -> Events:
        """Code for a task in words.

        `start` is code of the user's that the answer must begin with; `context`, code that will stand before
        the answer; `entry_point`, the function that the task is about, if it is not plain from the rest;
        `compile` asks javac or g++ about the finished code (Python is always asked).
        Raises LanguageNotServedError, and RequestError where the task does not fit the model.
        """
        name = served_language(language)
        called = None if start or entry_point else called_name(task)

        def function_in(code: str) -> Signature | None:
            return (
                signature_of(code, name, entry_point)
                if entry_point
                else _function_of(task, start, code, name)
            )

        def judge(code: str) -> Verdict:
            assert self._sandbox is not None
            function = function_in(code)
            if function and called and plain_name(function.name) != plain_name(called):
                problem = f"it must define {called}, which the examples call"
                return Verdict((Check(f"defines {called}", False, f"defines {function.name}"),), problem)
            examples = find_examples(task, function) if function else []
            made_up = made_up_inputs(function, [item.arguments for item in examples]) if function else []
            return check(code, name, function, examples, self._sandbox, context, made_up)

        told = f"{task}\n\nThe function must be named {called}." if called else task
        inputs = {"language_name": LANGUAGE_NAMES[name], "task": told}
        work = Task(WRITE, REPAIR, inputs, judge)
        events = self._refine(work, name, start, effort, max_tokens, temperature, seed)
        return self._compiled(events, compile, context)

    def translate(
        self,
        code: str,
        source: str,
        target: str,
        *,
        start: str = "",
        effort: Effort = QUICK,
        max_tokens: int = MAX_TOKENS,
        temperature: float = 0.0,
        seed: int = 0,
        compile: bool = False,
    ) -> Events:
        """The same program in another language, checked by running both on the same inputs.

        Raises as `write` does.
        """
        from_name, to_name = served_language(source, "source"), served_language(target, "target")
        origin = signature_of(code, from_name)
        answers: dict[Signature, list[Example]] = {}

        def function_in(draft: str) -> Signature | None:
            return signature_of(draft, to_name, origin.name) if origin else None

        def examples_for(draft: str) -> list[Example]:
            function = function_in(draft)
            if origin is None or function is None or len(function.parameters) != len(origin.parameters):
                return []
            if function not in answers:
                answers[function] = self._answers_of(code, from_name, origin, function)
            return answers[function]

        def judge(draft: str) -> Verdict:
            assert self._sandbox is not None
            return check(draft, to_name, function_in(draft), examples_for(draft), self._sandbox)

        inputs = {
            "source_name": LANGUAGE_NAMES[from_name],
            "target_name": LANGUAGE_NAMES[to_name],
            "source": from_name,
            "code": code,
        }
        work = Task(TRANSLATE, REPAIR_TRANSLATION, inputs, judge)
        events = self._refine(work, to_name, start, effort, max_tokens, temperature, seed)
        return self._compiled(events, compile)

    def complete(self, gap: Gap, *, compile: bool = False) -> Events:
        """What belongs at a cursor, as the model was trained to fill it in.

        Raises LanguageNotServedError where the gap's language is none of ours, and RequestError for a model that cannot
        fill in or a file too long.
        """
        return self._compiled(self._fill(gap), compile, gap.prefix, gap.suffix)

    def _fill(self, gap: Gap) -> Events:
        started = time.perf_counter()
        language = self._completer.language_of(gap)
        if language is None:
            raise RequestError("the language cannot be told from the text; name it", "language")
        (suggestion,) = self._completer.submit(replace(gap, language=language))
        try:
            for text in suggestion.drafted():
                yield Token(text)
        finally:
            suggestion.cancel()
        end = suggestion.result()
        yield Answer(
            code=end.text,
            language=language,
            parses=parses(gap.prefix + end.text + gap.suffix, language),
            tokens=len(end.tokens),
            seconds=time.perf_counter() - started,
            finish_reason=end.finish_reason,
            prefix_parses=end.complete is not None,
        )

    def edit(self, edit: Edit, *, compile: bool = False) -> Events:
        """What takes a selection's place by an instruction.

        Raises LanguageNotServedError where the edit's language is none of ours, and RequestError for a selection that
        the model has no room for.
        """
        return self._compiled(self._replace(edit), compile, edit.prefix, edit.suffix)

    def _replace(self, edit: Edit) -> Events:
        started = time.perf_counter()
        language = self._editor.language_of(edit)
        if language is None:
            raise RequestError("the language cannot be told from the text; name it", "language")
        replacement = self._editor.submit(replace(edit, language=language))
        try:
            for text in replacement:
                yield Token(text)
        finally:
            replacement.cancel()
        end = replacement.result()
        yield Answer(
            code=end.text,
            language=language,
            parses=parses(edit.file_with(end.text), language),
            tokens=len(end.tokens),
            seconds=time.perf_counter() - started,
            finish_reason=end.finish_reason,
            prefix_parses=end.complete is not None,
            selection=edit.selection,
            diff=edit.diff(end.text),
        )

    def _compiled(self, events: Events, asked: bool, before: str = "", after: str = "") -> Events:
        """The same events; the answer with the verdict of the language's own compiler."""
        try:
            for event in events:
                if isinstance(event, Answer):
                    whole = before + event.code + after
                    sandbox = self._sandbox if asked and event.language != "python" else None
                    found = compilation(whole, event.language, asked, sandbox)
                    event = replace(event, compiles=found.passed, compile_problem=found.problem)
                yield event
        finally:
            events.close()

    def _refine(
        self,
        task: Task,
        language: str,
        start: str,
        effort: Effort,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> Events:
        drafting = Drafting(self._model, self._constraints, language, start, max_tokens)
        return refine(task, drafting, effort, self._sandbox if effort.waves else None, temperature, seed)

    def _answers_of(self, code: str, language: str, origin: Signature, draft: Signature) -> list[Example]:
        """What the source program answers to inputs of the declared types, wherever they are declared."""
        typed = [
            (name, mine or theirs)
            for (name, mine), (_, theirs) in zip(origin.parameters, draft.parameters, strict=True)
        ]
        inputs = sample_inputs(Signature(origin.name, tuple(typed)))
        if not inputs or self._sandbox is None:
            return []
        results = call(code, language, origin, inputs, self._sandbox).results
        return [
            Example(arguments, result.value, f"{origin.name}({', '.join(map(repr, arguments))})")
            for arguments, result in zip(inputs, results, strict=False)
            if _is_answer(result)
        ]


def _is_answer(result: CallResult) -> bool:
    """An input that the source program refuses says nothing about the translation."""
    return result.error is None and result.value is not None


def _function_of(task: str, start: str, code: str, language: str) -> Signature | None:
    """What the task is about: the last function that the start declares, or that the task calls."""
    found = [function for function in signatures(code, language) if function.name != "main"]
    for text in (start, task):
        named = [function for function in found if f"{function.name}(" in text]
        if named:
            return named[-1]
    return found[-1] if found else None
