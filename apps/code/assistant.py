"""The code assistant: write, edit, complete, translate.

Every answer is a stream of events: `Token`s, a `Checked` for each draft that was run, one `Answer`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property

from apps.code import running
from apps.code.answers import EFFORTS, NORMAL, QUICK, Answer, Check, Checked, Effort, Event, Events, Token
from apps.code.asking import Asking
from apps.code.compilers import compilation
from apps.code.completion import Completer, Gap
from apps.code.constraints import Constraints, served_language
from apps.code.drafting import Drafting
from apps.code.editing import Edit, Editor
from apps.code.long_translating import parts_if_long, translate_parts
from apps.code.refining import refine
from apps.code.sandbox import Sandbox, SandboxUnavailableError
from apps.code.syntax import parses
from apps.code.translating import Translating
from apps.code.writing import Writing
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
        self._asking = Asking(model.engine)

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
        compile: bool = True,
    ) -> Events:
        """Code for a task in words.

        `start` is code of the user's that the answer must begin with; `context`, code that will stand before
        the answer; `entry_point`, the function that the task is about, if it is not plain from the rest;
        `compile` asks javac or g++ about the finished code (Python is always asked).
        Raises LanguageNotServedError, and RequestError where the task does not fit the model.
        """
        name = served_language(language)
        drafting = self._drafting(name, start, max_tokens)
        writing = Writing(task, name, drafting, self._sandbox_for(effort), start, context, entry_point)
        events = refine(writing.work, drafting, effort, writing.sandbox, temperature, seed)
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
        compile: bool = True,
    ) -> Events:
        """The same program in another language, checked by running both on the same inputs.

        A long one is translated in parts, each of at most `max_tokens`; `Progress` tells when one is begun.
        Raises as `write` does.
        """
        from_name, to_name = served_language(source, "source"), served_language(target, "target")
        drafting = replace(self._drafting(to_name, start, max_tokens), habits=True)
        translating = Translating(code, from_name, to_name, drafting, self._sandbox_for(effort), start)
        long = None if start else parts_if_long(code, from_name)
        if long is not None:
            events = translate_parts(translating, drafting, long, effort, temperature, seed)
        else:
            events = refine(translating.work, drafting, effort, translating.sandbox, temperature, seed)
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

    def asks_for_code(self, text: str) -> bool:
        """Whether a task asks for code at all, by the model's judgement; in doubt it does."""
        return self._asking.asks_for_code(text)

    def run(self, code: str, language: str, called: str = "") -> running.Output:
        """Run a program, or `called`, such as `primes(10)`, in the sandbox.

        Raises CannotRunError, ToolchainMissingError and SandboxError.
        """
        if self._sandbox is None:
            raise SandboxUnavailableError("this machine has no sandbox to run programs in")
        return running.run(code, served_language(language), self._sandbox, called)

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

    def _drafting(self, language: str, start: str, max_tokens: int) -> Drafting:
        return Drafting(self._model, self._constraints, language, start, max_tokens)

    def _sandbox_for(self, effort: Effort) -> Sandbox | None:
        return self._sandbox if effort.waves else None
