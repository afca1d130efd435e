"""A thousand requests of every kind leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.ui.conftest import MODEL, Server, wait_for_pages

REQUESTS = 1000


async def ask(client: httpx.AsyncClient, number: int) -> None:
    """One request; its kind and its words depend on its number."""
    question = [{"role": "user", "content": f"{number}?"}]
    body = {"model": MODEL, "messages": question, "max_tokens": 1}
    route = "/v1/chat/completions"
    match number % 6:
        case 0:
            assert (await client.post(route, json=body)).status_code == 200
        case 1:
            async with client.stream("POST", route, json={**body, "stream": True}) as stream:
                assert [line async for line in stream.aiter_lines()][-2] == "data: [DONE]"
        case 2:  # leaves after the first words
            leaving = {**body, "stream": True, "max_tokens": 200}
            async with client.stream("POST", route, json=leaving) as stream:
                await anext(stream.aiter_lines())
        case 3:  # does not wait for its answer
            with contextlib.suppress(httpx.ReadTimeout):
                await client.post(route, json={**body, "max_tokens": 200}, timeout=0.05)
        case 4:
            headers = {"Content-Type": "application/json"}
            assert (await client.post(route, content=f"{{{number}", headers=headers)).status_code == 400
        case 5:
            assert (await client.post(route, json={**body, "model": f"m{number}"})).status_code == 404


async def ask_all(url: str, numbers: range) -> None:
    eight_at_a_time = asyncio.Semaphore(8)

    async def ask_in_turn(client: httpx.AsyncClient, number: int) -> None:
        async with eight_at_a_time:
            await ask(client, number)

    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        await asyncio.gather(*(ask_in_turn(client, number) for number in numbers))


def descriptors() -> list[str]:
    """What this process has open: files, pipes, and both ends of every connection.

    Without the database: its pool opens a connection where two requests look a key up in the same moment,
    keeps five, and has fifteen at the most; one that were never given back would end in refused requests.
    """
    gc.collect()  # event loops in reference cycles, of which Gradio leaves a dozen when the pages are built
    opened = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists the others
            opened.append(str(descriptor.readlink()))
    return [target for target in opened if "duet.db" not in target]


@pytest.mark.slow
def test_memory_files_and_cache_are_as_they_were_after_a_thousand_requests(server: Server) -> None:
    process = psutil.Process()
    wait_for_pages(server.url)
    asyncio.run(ask_all(server.url, range(120)))
    server.wait_until_idle()
    memory, opened = process.memory_info().rss, descriptors()
    blocks = server.engine.statistics.free_blocks
    asyncio.run(ask_all(server.url, range(1000, 1000 + REQUESTS)))
    server.wait_until_idle()
    assert process.memory_info().rss - memory < 40e6
    deadline = time.monotonic() + 10
    while len(descriptors()) - len(opened) >= 10 and time.monotonic() < deadline:
        time.sleep(0.1)  # the ends of the last connections are being closed
    assert len(descriptors()) - len(opened) < 10, descriptors()
    assert server.engine.statistics.free_blocks == blocks
