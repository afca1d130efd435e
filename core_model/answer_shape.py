"""What an answer must look like: JSON of a schema, calls of tools, or either of them, as one grammar.

Calls are written as Qwen and Hermes models were trained to (github.com/NousResearch/Hermes-Function-Calling):
`<tool_call>`, a line of JSON with `name` and `arguments`, `</tool_call>`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from core_model.errors import RequestError
from core_model.guidance import JSON_STYLE, GuidedText
from core_model.tokenizer import Tokenizer

CALL_OPENS, CALL_CLOSES = "<tool_call>", "</tool_call>"
ANY_OBJECT: dict[str, Any] = {"type": "object"}

_text = partial(json.dumps, ensure_ascii=False)  # a string of the grammar is written as one of JSON


@dataclass(frozen=True)
class Tool:
    """A function that the model may ask for; `parameters` is the JSON schema of its arguments, an object."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})

    def as_template_input(self) -> dict[str, Any]:
        """The form that chat templates read."""
        told = {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}
        return {"type": "function", "function": told}


@dataclass(frozen=True)
class AnswerShape:
    """Text of `schema` (None: any text), or calls of `tools`.

    With `must_call` there are calls alone; of the tool `only`, if it is named.
    """

    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()
    must_call: bool = False
    only: str | None = None
    parallel: bool = True  # whether there may be several calls

    def __post_init__(self) -> None:
        known = [tool.name for tool in self.tools]
        if self.only is not None and self.only not in known:
            raise RequestError(
                f"tool_choice names {self.only!r}; the tools are {', '.join(known) or 'none'}", "tool_choice"
            )
        if self.must_call and not self.tools:
            raise RequestError("tool_choice demands a call, and there are no tools", "tool_choice")

    def constraint(self, tokenizer: Tokenizer) -> GuidedText:
        """The condition on the answer's text. Raises RequestError for a schema that cannot be followed."""
        for tool in self.tools:
            try:
                GuidedText(tokenizer, f"start: {_json(tool.parameters)}", "parameters")
            except RequestError as error:
                raise RequestError(f"the tool {tool.name!r}: {error}", "tools") from error
        return GuidedText(
            tokenizer, self._grammar(), "response_format" if self.schema is not None else "tools"
        )

    def _grammar(self) -> str:
        """The grammar in llguidance's variant of Lark's notation."""
        rules = ["%llguidance {}"]
        callable_tools = [tool for tool in self.tools if self.only in (None, tool.name)]
        more = f' ("\\n{CALL_OPENS}" call)*' if self.parallel else ""
        starts = []
        if self.schema is not None and not self.must_call:
            starts.append(_json(self.schema))
        elif not self.must_call:
            # What follows the first mark of a call is a call: a lazy terminal is over as soon as it can be.
            rules += ["TEXT: /(.|\\n)*/", f'announced[lazy]: TEXT "{CALL_OPENS}"']
            starts.append("TEXT")
        if callable_tools:
            first = "announced" if not self.must_call and self.schema is None else f'"{CALL_OPENS}"'
            starts.append(f"{first} call{more}")
            rules.append(f"call: {' | '.join(f'call_{number}' for number in range(len(callable_tools)))}")
        for number, tool in enumerate(callable_tools):
            head = f'\n{{"name": {_text(tool.name)}, "arguments": '
            tail = f"}}\n{CALL_CLOSES}"
            rules.append(f"call_{number}: {_text(head)} {_json(_arguments(tool))} {_text(tail)}")
        return "\n".join([rules[0], f"start: {' | '.join(starts)}", *rules[1:]])


def _arguments(tool: Tool) -> Mapping[str, Any]:
    """No other arguments than those declared, where the schema leaves it open: a function would not take them."""
    closed = {"additionalProperties": False} if "properties" in tool.parameters else {}
    return {**closed, **tool.parameters}


def _json(schema: Mapping[str, Any]) -> str:
    return f"%json {_text({**schema, 'x-guidance': JSON_STYLE})}"
