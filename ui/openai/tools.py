"""`tools`, `tool_choice` and `response_format` of chat requests, and calls of tools in their messages."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from apps.body import Body
from core_model.answer_shape import ANY_OBJECT, AnswerShape, Tool

Schema = dict[str, Any]

MAX_TOOLS = 128


class NamedSchema(Body):
    """`response_format.json_schema`."""

    name: str | None = None
    schema_: Schema = Field(ANY_OBJECT, alias="schema")


class ResponseFormat(Body):
    """`response_format`. llama.cpp's clients put the `schema` beside the type json_object."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None
    schema_: Schema | None = Field(None, alias="schema")

    @model_validator(mode="after")
    def _has_its_schema(self) -> ResponseFormat:
        if self.type == "json_schema" and self.json_schema is None:
            raise PydanticCustomError("missing", "json_schema is missing beside this type")
        return self

    @property
    def schema_wanted(self) -> Schema | None:
        """What the answer must be JSON of; None: any text will do."""
        if self.type == "text":
            return None
        if self.type == "json_schema" and self.json_schema is not None:
            return self.json_schema.schema_
        return self.schema_ or ANY_OBJECT


class FunctionSpec(Body):
    """The function of a tool."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")
    description: str | None = None
    parameters: Schema | None = None


class ToolSpec(Body):
    """One of `tools`."""

    type: Literal["function"] = "function"
    function: FunctionSpec

    @property
    def tool(self) -> Tool:
        function = self.function
        given = {"parameters": function.parameters} if function.parameters else {}
        return Tool(function.name, function.description or "", **given)


class FunctionName(Body):
    """The function that a `tool_choice` names."""

    name: str


class NamedChoice(Body):
    """A `tool_choice` that demands one function."""

    type: Literal["function"]
    function: FunctionName


ToolChoice = Literal["none", "auto", "required"] | NamedChoice


class CalledFunction(Body):
    """What an answer asked for earlier. OpenAI has the arguments as text, Ollama as they are."""

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)

    @field_validator("arguments", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "{}")
        except ValueError as error:
            raise PydanticCustomError("invalid_json", "the arguments of a call must be JSON") from error


class CalledTool(Body):
    """One of a message's `tool_calls`."""

    type: Literal["function"] = "function"
    function: CalledFunction


def answer_shape(
    tools: list[ToolSpec], choice: ToolChoice | None, parallel: bool, schema: Schema | None
) -> AnswerShape | None:
    """What an answer must look like; None where any text will do. Raises RequestError."""
    if choice == "none":
        tools = []
    only = choice.function.name if isinstance(choice, NamedChoice) else None
    must_call = choice == "required" or only is not None
    if not tools and not must_call and schema is None:
        return None
    return AnswerShape(schema, tuple(spec.tool for spec in tools), must_call, only, parallel)
