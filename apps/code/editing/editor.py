"""Edits to the engine's requests."""

from __future__ import annotations

from dataclasses import replace

from apps.code.completion.detection import detect
from apps.code.constraints import Constraints, served_language
from apps.code.editing.edit import Edit
from apps.code.editing.replacement import Replacement
from apps.code.prompts import EDIT, END_OF_BLOCK, LANGUAGE_NAMES, fence
from core_model.engine import Engine
from core_model.requests import GenerationRequest

_GROWTH, _LEAST = 2, 256
"""What a selection may become: so many times its tokens, and so many more."""


class Editor:
    """Answers edits with one engine. Shared by all requests.

    The model is shown the selection alone: of what stands around it small models repeat much in their answer. That the
    answer fits into its place is the grammar's work, which reads the whole file.
    What the answer repeats of the selection, which is most of it, comes several tokens a step: the engine finds it in
    the prompt (core_model/speculation.py), where it stands as the model is to write it, at the margin.
    """

    def __init__(self, engine: Engine, adapter: str | None = None, grammar: bool = True) -> None:
        """`grammar=False` lets the model write what does not parse, to measure what the constraint does."""
        self._engine = engine
        self._adapter = adapter
        self._constraints = Constraints(engine.tokenizer) if grammar else None

    def language_of(self, edit: Edit) -> str | None:
        """The language of the file, None where it is none of ours. Raises LanguageNotServedError."""
        if edit.language is not None:
            return served_language(edit.language)
        return detect(edit.prefix + edit.selection, edit.suffix, edit.filename, [])

    def submit(self, edit: Edit) -> Replacement:
        """Start an edit; without tokens to write, only read what is known of it into the cache, in the background.

        Takes some milliseconds, longer for long files. Raises LanguageNotServedError, and RequestError for a selection
        that the model has no room for.
        """
        language = self.language_of(edit)
        tokenizer, opening = self._engine.tokenizer, fence(language or "")
        (said,) = EDIT.format_messages(
            language_name=LANGUAGE_NAMES[language] if language is not None else "text",
            code=f"{opening}{edit.at_margin}{END_OF_BLOCK}",
            instruction=edit.instruction,
        )
        prompt = tokenizer.encode_chat([{"role": "user", "content": said.text}])
        prompt += tokenizer.encode(opening)
        budget = edit.max_tokens
        if budget is None:
            budget = _GROWTH * len(tokenizer.encode(edit.at_margin)) + _LEAST
        self._engine.check(prompt, edit.window, self._adapter)  # before a grammar reads the file
        constraint = None
        if budget and language is not None and self._constraints is not None:
            constraint = self._constraints.placed(
                language, edit.prefix, edit.at_margin, edit.after, edit.indentation
            )
        sampling = replace(edit.sampling, max_tokens=budget, stop=(*edit.sampling.stop, END_OF_BLOCK))
        request = GenerationRequest(
            prompt,
            sampling,
            window=edit.window,
            adapter=self._adapter,
            constraint=constraint,
            owner=edit.owner,
            background=not budget,
        )
        return Replacement(self._engine.submit(request), edit)
