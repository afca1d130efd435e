from __future__ import annotations

import asyncio
import time

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from core_model import DuetChatModel, Engine, GenerationRequest, SamplingParams
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


def test_messages_of_tools_are_refused(model: DuetChatModel) -> None:
    with pytest.raises(RequestError, match="tool"):
        model.invoke([ToolMessage("42", tool_call_id="1")])
