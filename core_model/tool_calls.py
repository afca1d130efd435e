"""Calls of tools in the text of answers, and conversations with tools for models whose template knows none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core_model.answer_shape import CALL_CLOSES, CALL_OPENS, Tool
from core_model.tokenizer import Message, Tokenizer

_OPENING_TEXT = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{tools}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{{"name": <function-name>, "arguments": <args-json-object>}}
</tool_call>"""
"""Word for word what Qwen2.5's own template says."""


@dataclass(frozen=True)
class ToolCall:
    """A call that the model asks for."""

    name: str
    arguments: dict[str, Any]

    @property
    def as_json(self) -> str:
        """The arguments as OpenAI's protocol carries them."""
        return json.dumps(self.arguments, ensure_ascii=False)


class CallReader:
    """Tells text from calls in an answer that comes piece by piece."""

    def __init__(self) -> None:
        self._held = ""
        self._in_call = False

    def push(self, text: str) -> list[str | ToolCall]:
        """What became certain: text, and whole calls. White space before a call belongs to neither."""
        self._held += text
        found: list[str | ToolCall] = []
        while True:
            read = self._call() if self._in_call else self._text()
            if not read:
                return found
            found += read

    def finish(self) -> list[str | ToolCall]:
        """What is left at the end; a call that never became whole is text."""
        rest = CALL_OPENS * self._in_call + self._held
        self._held, self._in_call = "", False
        return [rest] if rest else []

    def _text(self) -> list[str | ToolCall]:
        before, opens, after = self._held.partition(CALL_OPENS)
        if opens:
            self._held, self._in_call = after, True
            return [before.rstrip()] if before.strip() else self._call()
        certain = self._held[: len(self._held) - _beginning_of_mark(self._held)].rstrip()
        self._held = self._held[len(certain) :]
        return [certain] if certain else []

    def _call(self) -> list[str | ToolCall]:
        text = self._held.lstrip()
        try:
            call, end = json.JSONDecoder().raw_decode(text)
        except json.JSONDecodeError:
            return []
        _, closes, after = text[end:].partition(CALL_CLOSES)
        if not closes:
            return []
        self._held, self._in_call = after, False
        return [ToolCall(call["name"], call["arguments"])]


def read_calls(text: str) -> tuple[str, list[ToolCall]]:
    """The text of a whole answer without its calls, and these."""
    reader = CallReader()
    parts = reader.push(text) + reader.finish()
    said = "".join(part for part in parts if isinstance(part, str))
    return said, [part for part in parts if isinstance(part, ToolCall)]


def encode_with_tools(tokenizer: Tokenizer, messages: list[Message], tools: Sequence[Tool]) -> list[int]:
    """Tokens of a conversation in which tools may be called, were called, and answered.

    Raises RequestError where the model's template refuses it.
    """
    messages, told = for_template(tokenizer, messages, tools)
    return tokenizer.encode_chat(messages, tools=told)


def for_template(
    tokenizer: Tokenizer, messages: list[Message], tools: Sequence[Tool]
) -> tuple[list[Message], list[dict[str, Any]] | None]:
    """The conversation and the tools as the model's template takes them: in words, where it knows no tools."""
    told = [tool.as_template_input() for tool in tools]
    return (messages, told or None) if tokenizer.knows_tools else (_in_words(messages, told), None)


def _beginning_of_mark(text: str) -> int:
    """How many characters at the end may be the beginning of a call's mark."""
    sizes = range(min(len(CALL_OPENS) - 1, len(text)), 0, -1)
    return next((size for size in sizes if text.endswith(CALL_OPENS[:size])), 0)


def _in_words(messages: list[Message], tools: list[dict[str, Any]]) -> list[Message]:
    """The same conversation without roles and fields that only templates with tools know."""
    said = [_message_in_words(message) for message in messages]
    if not tools:
        return said
    opening = _OPENING_TEXT.format(tools="\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools))
    if said[0]["role"] == "system":
        return [{**said[0], "content": f"{said[0]['content']}\n\n{opening}"}, *said[1:]]
    return [{"role": "system", "content": opening}, *said]


def _message_in_words(message: Message) -> Message:
    content = message.get("content") or ""
    if message["role"] == "tool":
        return {"role": "user", "content": f"<tool_response>\n{content}\n</tool_response>"}
    calls = [
        f"{CALL_OPENS}\n{json.dumps(call['function'], ensure_ascii=False)}\n{CALL_CLOSES}"
        for call in message.get("tool_calls") or []
    ]
    return {"role": message["role"], "content": "\n".join([content, *calls] if content else calls or [""])}
