"""Agents, which ask a real model server, over AG-UI and over Vercel's stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.agents.model_server import ModelServer
from tests.dialects.agui.client import StockClient
from tests.dialects.agui.requests import run_input
from tests.dialects.serving import Client
from tests.dialects.vercel.page import Page
from tests.dialects.vercel.requests import chat, user
from tests.live.running import until_run
from tests.live.workspace import serving


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def client(tmp_path: Path, models: ModelServer) -> AsyncIterator[Client]:
    tables = {
        "model.scripted": {"name": "scripted", "base_url": models.url},
        "agent.scripted": {"model": "scripted"},
        "agent.careful": {"model": "scripted", "needs_approval": ["calculator"]},
        "agent.fragile": {"model": "scripted", "on_disconnect": "cancel"},
    }
    async with serving(tmp_path, tables) as server, Client.open(server) as found:
        yield found


def script(*rounds: list[dict[str, Any]]) -> str:
    return json.dumps({"rounds": rounds})


async def agui(client: Client, agent: str, body: dict[str, Any]) -> StockClient:
    stock = StockClient(body["messages"])
    async with client.stream("POST", f"/agui/{agent}", json=body) as stream:
        for event in await stream.rest():
            stock.take(event)
    return stock


async def vercel(client: Client, agent: str, body: dict[str, Any], page: Page) -> Page:
    async with client.stream("POST", f"/vercel/{agent}", json=body) as stream:
        for entry in await stream.rest():
            page.take(b"[DONE]" if entry == "[DONE]" else json.dumps(entry).encode())
    return page


def brief(stock: StockClient) -> list[tuple[str, Any]]:
    return [
        (m["role"], [call["function"]["name"] for call in m["toolCalls"]] if "toolCalls" in m else m["content"])
        for m in stock.messages
    ]


async def test_the_clients_messages_are_what_the_agent_remembers(client: Client, models: ModelServer) -> None:
    """The whole history, with what was done in it; what the user has said is not said back."""
    prompt = script(
        [{"think": "Hm."}, {"call": "calculator", "arguments": {"expression": "2+3"}}], [{"text": "It is 5."}]
    )
    body = run_input(prompt, context=[{"description": "place", "value": "a tea house"}])
    stock = await agui(client, "scripted", body)
    assert [entry for entry in brief(stock) if entry[0] != "reasoning"] == [
        ("user", prompt), ("assistant", ["calculator"]), ("tool", "5"), ("assistant", "It is 5."),
    ]  # fmt: skip
    assert "a tea house" in json.dumps(models.requests[0].messages)
    next_one = run_input("hello", threadId=body["threadId"])
    more = {**next_one, "messages": [*stock.messages, *next_one["messages"]]}
    again = await agui(client, "scripted", more)
    assert brief(again)[-1] == ("assistant", "You said: hello")
    told = [(message["role"], message.get("content")) for message in models.requests[-1].messages]
    assert [role for role, _ in told if role != "system"] == ["user", "assistant", "tool", "assistant", "user"]
    joined = StockClient()
    async with client.stream("GET", f"/agui/scripted/threads/{body['threadId']}") as stream:
        for event in await stream.rest():
            joined.take(event)
    assert joined.messages == [m for m in again.messages if m["role"] != "reasoning" or m in joined.messages]


async def test_a_tool_of_the_client_is_left_to_it_and_its_result_goes_on(client: Client, models: ModelServer) -> None:
    prompt = script([{"text": "Pick one."}, {"call": "pick", "arguments": {"of": ["a", "b"]}}], [{"text": "Good."}])
    tools = [{"name": "pick", "description": "lets the user pick", "parameters": {"type": "object"}}]
    body = run_input(prompt, tools=tools)
    stock = await agui(client, "scripted", body)
    assert "pick" in models.requests[0].tools
    [pending] = stock.last["outcome"]["pendingToolCallIds"]
    answer = {"id": "tool-1", "role": "tool", "toolCallId": pending, "content": "a"}
    more = {**run_input(None, threadId=body["threadId"], tools=tools), "messages": [*stock.messages, answer]}
    assert brief(await agui(client, "scripted", more))[-1] == ("assistant", "Good.")

    asked = chat(user(prompt), tools=tools)
    page = await vercel(client, "scripted", asked, Page())
    [part] = page.tools().values()
    assert (part["type"], part["state"], page.reason) == ("tool-pick", "input-available", "tool-calls")
    part.update(state="output-available", output="b")
    more = {**asked, "messages": [*asked["messages"], page.message], "messageId": page.message["id"]}
    page = await vercel(client, "scripted", more, Page(page.message))
    assert [found.get("text") for found in page.parts if found["type"] == "text"] == ["Pick one.", "Good."]
    assert page.message["id"] == more["messageId"]


async def test_a_tool_that_needs_approval_is_approved_over_either(client: Client) -> None:
    prompt = script([{"call": "calculator", "arguments": {"expression": "6*7"}}], [{"text": "Done."}])
    body = run_input(prompt)
    stock = await agui(client, "careful", body)
    [asked] = stock.last["outcome"]["interrupts"]
    [call] = [call for message in stock.messages for call in message.get("toolCalls", [])]
    assert asked["toolCallId"] == call["id"]
    resume = [{"interruptId": asked["id"], "status": "resolved", "payload": {"approved": True}}]
    resumed = await agui(client, "careful", {**body, "runId": "again", "messages": stock.messages, "resume": resume})
    assert brief(resumed)[1:] == [("assistant", ["calculator"]), ("tool", "42"), ("assistant", "Done.")]

    asked = chat(user(prompt))
    page = await vercel(client, "careful", asked, Page())
    [part] = page.tools().values()
    assert part["state"] == "approval-requested"
    part.update(state="approval-responded", approval={**part["approval"], "approved": True})
    more = {**asked, "messages": [*asked["messages"], page.message], "messageId": page.message["id"]}
    page = await vercel(client, "careful", more, Page(page.message))
    [part] = page.tools().values()
    assert (part["state"], part["output"]) == ("output-available", 42)


@pytest.mark.parametrize("over", ["agui", "vercel"])
async def test_a_dropped_request_is_a_cancel_where_the_agent_is_set_so(
    client: Client, models: ModelServer, over: str
) -> None:
    """The model server sees its own client hang up."""
    prompt = script([{"text": "one"}, {"wait": "never"}])
    body = run_input(prompt) if over == "agui" else chat(user(prompt))
    async with client.stream("POST", f"/{over}/fragile", json=body) as stream:
        await stream.until("TEXT_MESSAGE_CONTENT" if over == "agui" else "text-delta")
        rows = (await client.http.get("/api/runs", params={"name": "fragile"})).json()["runs"]
    async with asyncio.timeout(30):
        await (await models.until(1)).over.wait()
    assert models.requests[0].closed_by == "client"
    await until_run(client.server, rows[0]["run_id"], status="cancelled")
