"""Attaching to runs: from anywhere, at any byte, several at once, also to runs that other programs do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.dialects.agui.client import StockClient
from tests.dialects.agui.requests import run_input, with_input
from tests.dialects.programs import Wire
from tests.dialects.serving import Client, server_of
from tests.dialects.streaming import read
from tests.live.peers import Rpc
from tests.live.running import emit, finish, open_run, said


def stock_of(raw: bytes, stock: StockClient | None = None) -> StockClient:
    stock = stock or StockClient()
    for entry in read(raw):
        stock.take(json.loads(entry.data))
    return stock


async def test_who_was_cut_off_at_any_byte_gets_the_rest_byte_for_byte(client: Client) -> None:
    """Also in the middle of a name, of a character, of what tells a joining client where the run is."""
    body = run_input("日本 {tea}")
    whole = await client.raw("POST", "/agui/echo", json=body)
    joined = await client.raw("GET", f"/agui/echo/runs/{body['runId']}")
    for raw in (whole, joined):
        rests: dict[str, bytes] = {}
        for cut in range(len(raw) + 1):
            had = read(raw[:cut])
            if not had:
                continue
            if had[-1].id not in rests:
                headers = {"last-event-id": had[-1].id}
                rests[had[-1].id] = await client.raw("GET", f"/agui/echo/runs/{body['runId']}", headers=headers)
            assert had + read(rests[had[-1].id]) == read(raw)
        assert len(rests) == len(read(raw))


async def test_who_joins_in_mid_message_has_the_text_once(client: Client) -> None:
    """Whether the client has half of the text or nothing, and when it joins twice."""
    async with Wire.open() as wire:
        body = with_input({"port": wire.port})
        path = f"/agui/relay/runs/{body['runId']}"
        half = StockClient(body["messages"])
        async with client.stream("POST", "/agui/relay", json=body) as stream:
            await wire.say("one ")
            while half.messages[-1].get("content") != "one ":
                half.take(await stream.next())
        await wire.say("two ")
        nothing = StockClient()
        again = StockClient(half.messages)
        async with client.stream("GET", path) as first, client.stream("GET", path) as second:
            for stock, stream in ((nothing, first), (again, second)):
                while not stock.messages or stock.messages[-1]["content"] != "one two ":
                    stock.take(await stream.next())
            await wire.say("three")
            await wire.end()
            for stock, stream in ((nothing, first), (again, second)):
                for event in await stream.rest():
                    stock.take(event)
                assert stock.messages[-1]["content"] == "one two three"
        assert nothing.messages == again.messages


async def test_a_place_that_cannot_be_continued_is_a_beginning(client: Client) -> None:
    body = run_input()
    await client.raw("POST", "/agui/echo", json=body)
    path = f"/agui/echo/runs/{body['runId']}"
    joined = await client.raw("GET", path)
    epoch = read(joined)[0].id.partition(":")[0]
    for last in ("", "yesterday", "other:3", f"{epoch}:999999", f"{epoch}:3x1", f"{epoch}:-1"):
        assert await client.raw("GET", path, headers={"last-event-id": last}) == joined


async def test_a_run_of_another_program_is_followed_while_it_speaks(client: Client) -> None:
    async with Rpc.connect(client.server.live) as rpc:
        run_id = await open_run(rpc, "elsewhere", thread_id="remote-thread")
        await emit(rpc, run_id, *said(
            ("message.open", {"message_id": "m", "role": "reasoning"}),
            ("message.append", {"message_id": "m", "delta": "Hm"}),
            ("tool.start", {"tool_call_id": "c", "name": "search"}),
            ("tool.args", {"tool_call_id": "c", "delta": '{"q": "te'}),
            ("state.patch", {"ops": [{"op": "add", "path": "/n", "value": 1}]}),
        ))  # fmt: skip
        stock = StockClient(state={"of": "another run"})
        async with client.stream("GET", f"/agui/elsewhere/runs/{run_id}") as stream:
            while stock.last.get("type") != "TOOL_CALL_START":
                stock.take(await stream.next())
            await emit(rpc, run_id, *said(
                ("tool.args", {"tool_call_id": "c", "delta": 'a"}'}),
                ("tool.end", {"tool_call_id": "c", "status": "succeeded", "result": {"hits": 3}, "duration_ms": 1}),
                ("message.append", {"message_id": "m", "delta": "m."}),
                ("state.patch", {"ops": [{"op": "add", "path": "/m", "value": 2}]}),
            ))  # fmt: skip
            await finish(rpc, run_id, result="found")
            for event in await stream.rest():
                stock.take(event)
    assert stock.messages == [
        {"id": "m", "role": "reasoning", "content": "Hmm."},
        {"id": "c", "role": "assistant", "toolCalls": [
            {"id": "c", "type": "function", "function": {"name": "search", "arguments": '{"q": "tea"}'}}]},
        {"id": "c-result", "role": "tool", "toolCallId": "c", "content": '{"hits":3}'},
    ]  # fmt: skip
    assert (stock.state, stock.last["result"]) == ({"n": 1, "m": 2}, "found")
    raw = await client.raw("GET", "/agui/elsewhere/threads/remote-thread")
    assert stock_of(raw).messages == stock.messages
    assert (await client.refused("GET", f"/agui/echo/runs/{run_id}"))[0] == 404  # it is no run of that name


async def test_the_newest_run_of_a_thread_is_found_by_the_thread_alone(client: Client) -> None:
    assert (await client.http.get("/agui/echo/threads/nobody")).status_code == 204
    for text in ("first", "second"):
        await client.raw("POST", "/agui/echo", json=run_input(text, threadId="two runs!"))
    stock = stock_of(await client.raw("GET", "/agui/echo/threads/two%20runs!"))
    assert stock.messages[-1]["content"] == "You said: second."
    assert stock.last["threadId"] == "two runs!"


async def test_streams_are_in_the_table_of_connections(client: Client) -> None:
    async with Wire.open() as wire:
        body = with_input({"port": wire.port})
        async with client.stream("POST", "/agui/relay", json=body) as stream:
            await wire.say("one")
            await stream.until("TEXT_MESSAGE_CONTENT")
            rows = (await client.http.get("/api/server/connections")).json()["connections"]
            [row] = [row for row in rows if row["path"] == "/agui/relay"]
            assert [found["channel"] for found in row["subscriptions"]] == [f"run:{body['runId']}"]
        await wire.end()


async def test_a_stopping_server_is_no_end_of_the_run(tmp_path: Path) -> None:
    """What a client that cannot attach reads is no success; the run of another program goes on behind a restart."""
    server = server_of(tmp_path)
    await server.start()
    async with Client.open(server) as client, Rpc.connect(server.live) as rpc:
        run_id = await open_run(rpc, "elsewhere", lease_s=600)
        await emit(rpc, run_id, *said(
            ("message.open", {"message_id": "m", "role": "assistant"}),
            ("message.append", {"message_id": "m", "delta": "one "}),
        ))  # fmt: skip
        async with client.stream("GET", f"/agui/elsewhere/runs/{run_id}") as stream:
            stock = StockClient()
            while stock.last.get("type") != "TEXT_MESSAGE_START":
                stock.take(await stream.next())
            last_id = stream.last_id
            await server.stop()
            goodbye = (await stream.rest())[-1]
        assert (goodbye["type"], goodbye["code"]) == ("RUN_ERROR", "antiphon.goodbye")
        assert stream.last_id == last_id
    await server.start()
    async with Client.open(server) as client, Rpc.connect(server.live) as rpc:
        await emit(rpc, run_id, *said(("message.append", {"message_id": "m", "delta": "two"})))
        await finish(rpc, run_id)
        path = f"/agui/elsewhere/runs/{run_id}"
        for entry in read(await client.raw("GET", path, headers={"last-event-id": last_id})):
            stock.take(json.loads(entry.data))
    await server.kill()
    assert stock.messages[-1]["content"] == "one two"


async def test_a_reader_that_is_slow_pulls_and_misses_nothing(client: Client) -> None:
    """More than the server holds for one connection; what was translated once is not translated anew."""
    async with Rpc.connect(client.server.live) as rpc:
        run_id = await open_run(rpc, "elsewhere")
        await emit(rpc, run_id, *said(("message.open", {"message_id": "m", "role": "assistant"})))
        async with client.stream("GET", f"/agui/elsewhere/runs/{run_id}") as stream:
            stock = StockClient()
            stock.take(await stream.next())
            for number in range(60):
                delta = f"{number}:" + "x" * 100_000
                await emit(rpc, run_id, *said(("message.append", {"message_id": "m", "delta": delta})))
            await finish(rpc, run_id)
            for event in await stream.rest():
                stock.take(event)
    text: Any = stock.messages[0]["content"]
    assert text == "".join(f"{number}:" + "x" * 100_000 for number in range(60))
