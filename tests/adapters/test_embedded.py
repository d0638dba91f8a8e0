"""Graphs and agents that an app offers, which Antiphon is mounted in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from openai import AsyncOpenAI
from tests.adapters.kit import LONG
from tests.adapters.test_langgraph import chatting
from tests.adapters.test_openai_agents import agent_with
from tests.agents.kit import script
from tests.agents.model_server import ModelServer

from antiphon import Antiphon
from antiphon.adapters import langgraph, openai_agents


@asynccontextmanager
async def mounted(live: Antiphon) -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    live.mount(app, "/antiphon")
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1/antiphon/api") as client,
    ):
        yield client


@pytest.fixture
async def api(tmp_path: Path, models: ModelServer) -> AsyncIterator[httpx2.AsyncClient]:
    live = Antiphon(data=tmp_path / "data")
    async with AsyncOpenAI(base_url=models.url, api_key="not needed", max_retries=0) as client:
        live.runnable("langgraph")(langgraph.runnable(chatting(models)))
        live.runnable("openai_agents")(openai_agents.runnable(agent_with(client)))
        async with mounted(live) as api:
            yield api


async def start(api: httpx2.AsyncClient, name: str, *rounds: list[dict[str, Any]]) -> str:
    answer = await api.post("/runs/start", json={"name": name, "input": {"prompt": script(*rounds)}})
    return str(answer.json()["run_id"])


async def asked(api: httpx2.AsyncClient) -> list[dict[str, Any]]:
    return list((await api.get("/questions", params={"status": "open"})).json()["questions"])


async def the_question(api: httpx2.AsyncClient, run_id: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while not (found := await asked(api)):  # noqa: ASYNC110 - it asks at its own pace
            await asyncio.sleep(0.01)
    assert found[0]["run_id"] == run_id
    return found[0]


@pytest.mark.parametrize("name", ["langgraph", "openai_agents"])
async def test_a_rejected_call_is_told_to_the_model(api: httpx2.AsyncClient, models: ModelServer, name: str) -> None:
    run_id = await start(api, name, [{"call": "pay", "arguments": {"amount": 5}}], [{"text": "Then not."}])
    question = await the_question(api, run_id)
    rejection = {"action": "reject", "answer": "not on a Friday"}
    assert (await api.post(f"/questions/{question['question_id']}/answer", json=rejection)).status_code == 200
    ended = (await api.get(f"/runs/{run_id}/result", params={"timeout_s": 30})).json()
    assert ended == {"status": "succeeded", "result": "Then not.", "error": None}
    assert "not on a Friday" in models.requests[1].messages[-1]["content"]


@pytest.mark.parametrize("name", ["langgraph", "openai_agents"])
async def test_a_cancel_over_http(api: httpx2.AsyncClient, models: ModelServer, name: str) -> None:
    run_id = await start(api, name, [LONG])
    request = await models.until(1, chunks=3)
    await api.post(f"/runs/{run_id}/cancel")
    assert (await api.get(f"/runs/{run_id}/result", params={"timeout_s": 30})).json()["status"] == "cancelled"
    await request.over.wait()
    assert request.closed_by == "client"
