from __future__ import annotations

import asyncio
import time

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel

from core_model import DuetChatModel, Engine, GenerationRequest, SamplingParams
from core_model.answer_shape import ANY_OBJECT, AnswerShape
from core_model.errors import RequestError


@pytest.fixture(scope="module")
def model(edge_engine: Engine) -> DuetChatModel:
    return DuetChatModel(engine=edge_engine).bind(temperature=0, max_tokens=16)


def test_invoke_answers_with_usage_and_finish_reason(model: DuetChatModel) -> None:
    reply = model.invoke([HumanMessage("What is the capital of France?")])
    assert "Paris" in reply.text
    assert reply.usage_metadata["output_tokens"] <= 16
    assert reply.response_metadata["finish_reason"] in ("stop", "length")


def test_streams_batches_and_chains_say_the_same(model: DuetChatModel) -> None:
    chain = ChatPromptTemplate.from_messages([("human", "Name {thing}.")]) | model | StrOutputParser()
    questions = [{"thing": "a fruit"}, {"thing": "an animal"}]
    alone = [chain.invoke(question) for question in questions]
    assert ["".join(chain.stream(question)) for question in questions] == alone
    assert chain.batch(questions) == alone

    async def stream(question: dict[str, str]) -> str:
        return "".join([text async for text in chain.astream(question)])

    async def both() -> list[str]:
        return list(await asyncio.gather(*map(stream, questions)))

    assert asyncio.run(both()) == alone


def test_a_prefill_is_how_the_answer_begins(model: DuetChatModel) -> None:
    reply = model.invoke([HumanMessage("Count from one to five.")], prefill="One, two,")
    assert reply.text.lstrip().lower().startswith("three")


def test_every_role_reaches_the_models_own_template(model: DuetChatModel, edge_engine: Engine) -> None:
    conversation = [("system", "You sell tea."), ("user", "Hi"), ("assistant", "Hello!"), ("user", "Tea?")]
    prompt = edge_engine.tokenizer.encode_chat(
        [{"role": role, "content": text} for role, text in conversation]
    )
    sampling = SamplingParams(temperature=0, max_tokens=16)
    expected = edge_engine.submit(GenerationRequest(prompt, sampling)).result()
    reply = model.invoke(
        [SystemMessage("You sell tea."), HumanMessage("Hi"), AIMessage("Hello!"), ("user", "Tea?")]
    )
    assert reply.text == expected.text
    assert reply.usage_metadata["input_tokens"] == len(prompt)


def test_leaving_a_stream_stops_the_work(model: DuetChatModel, edge_engine: Engine) -> None:
    cancelled = edge_engine.statistics.cancelled
    stream = model.stream([HumanMessage("Tell me a long story.")], max_tokens=500)
    next(iter(stream))
    stream.close()
    assert edge_engine.statistics.cancelled in (cancelled, cancelled + 1)
    deadline = time.monotonic() + 20
    while edge_engine.statistics.cancelled == cancelled:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("options", "parameter"),
    [({"temprature": 1}, "temprature"), ({"window": 7}, "window"), ({"language": "cobol"}, "language")],
)
def test_a_wrong_option_is_named(model: DuetChatModel, options: dict[str, object], parameter: str) -> None:
    with pytest.raises(RequestError) as caught:
        model.invoke("hi", **options)
    assert caught.value.parameter == parameter


class City(BaseModel):
    """A city."""

    name: str
    people: int


def forget(word: str) -> None:
    """Forget a word."""


@pytest.fixture(scope="module")
def bare(edge_engine: Engine) -> DuetChatModel:
    return DuetChatModel(engine=edge_engine, sampling=SamplingParams(temperature=0, max_tokens=60))


def test_structured_output_is_of_its_class(bare: DuetChatModel) -> None:
    model = bare.with_structured_output(City)
    assert isinstance(model.invoke("Which city is the capital of France?"), City)
    assert isinstance(asyncio.run(model.ainvoke("Which city is the capital of Italy?")), City)
    raw = bare.with_structured_output(City, include_raw=True).invoke("Tell me of Ulm.")
    assert raw["parsing_error"] is None
    assert raw["raw"].tool_calls[0]["args"] == raw["parsed"].model_dump()


def test_json_of_a_schema_is_an_answers_shape(bare: DuetChatModel) -> None:
    shape = AnswerShape(City.model_json_schema())
    assert City.model_validate_json(bare.invoke("Tell me of Ulm.", shape=shape).text, strict=True)


def test_a_chosen_tool_is_called(bare: DuetChatModel) -> None:
    model = bare.bind_tools([City, forget], tool_choice="forget", parallel_tool_calls=False)
    reply = model.invoke("Forget the word fish.")
    (call,) = reply.tool_calls
    assert call["name"] == "forget"
    assert isinstance(call["args"]["word"], str)
    assert reply.text == ""
    streamed = None
    for chunk in model.stream("Forget the word fish."):
        streamed = chunk if streamed is None else streamed + chunk
    assert [(one["name"], one["args"]) for one in streamed.tool_calls] == [("forget", call["args"])]


def test_what_a_tool_said_is_read(bare: DuetChatModel) -> None:
    call = {"name": "forget", "args": {"word": "fish"}, "id": "1"}
    conversation = [
        HumanMessage("What is the password?"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("The password is swordfish.", tool_call_id="1"),
    ]
    assert "swordfish" in bare.bind_tools([forget]).invoke(conversation).text


def test_a_choice_that_is_no_tool_is_refused(bare: DuetChatModel) -> None:
    with pytest.raises(RequestError, match="remember"):
        bare.bind_tools([forget], tool_choice="remember")
    with pytest.raises(RequestError, match="not both"):
        bare.invoke("Hi", shape=AnswerShape(ANY_OBJECT), constraint=lambda: None)


def test_tokens_are_counted_by_the_models_own_tokenizer(bare: DuetChatModel, edge_engine: Engine) -> None:
    text = "Größe 12 and a café"
    assert bare.get_num_tokens(text) == len(edge_engine.tokenizer.encode(text))
    messages = [SystemMessage("You sell tea."), HumanMessage("Tea?")]
    counted = bare.get_num_tokens_from_messages(messages)
    assert counted == bare.invoke(messages, max_tokens=1).usage_metadata["input_tokens"]
    with_tools = bare.bind_tools([forget]).invoke(messages, max_tokens=1).usage_metadata["input_tokens"]
    assert bare.get_num_tokens_from_messages(messages, tools=[forget]) == with_tools > counted
