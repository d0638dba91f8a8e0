"""The contract over real sockets, a line at a time."""

from __future__ import annotations

import asyncio
import json

import httpx2
from tests.live.peers import DEADLINE_S, Rpc, event_stream
from tests.live.real_server import RealServer


async def test_the_reply_precedes_the_events_and_caught_up_comes_once(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc:
        for number in range(5):
            await rpc.call("publish", channel="a", type="n", data=number)
        reply = await rpc.call("subscribe", channel="a", after="start")
        assert (reply["after"], reply["head"], reply["oldest"], reply["recovered"]) == (0, 5, 1, True)
        await rpc.next("welcome")
        events = [await rpc.next("event") for _ in range(5)]
        assert [event["offset"] for event in events] == [1, 2, 3, 4, 5]
        assert await rpc.next() == {"channel": "a", "offset": 5}
        await rpc.call("publish", channel="a", type="n", data=5)
        assert (await rpc.next())["offset"] == 6


async def test_all_subscribers_see_one_order(server: RealServer) -> None:
    async with Rpc.connect(server.live) as one, Rpc.connect(server.live) as two:
        for rpc in (one, two):
            await rpc.call("subscribe", channel="a")
        for number in range(200):
            await (one, two)[number % 2].send("publish", channel="a", type="n", data=number)
        seen = [[(await rpc.next("event"))["data"] for _ in range(200)] for rpc in (one, two)]
        assert seen[0] == seen[1]
        assert [number for number in seen[0] if number % 2] == list(range(1, 200, 2))  # each publisher's own order


async def test_after_unsubscribe_nothing_follows(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc:
        await rpc.call("subscribe", channel="a")
        await rpc.call("subscribe", channel="b")
        for number in range(100):
            await rpc.send("publish", channel="a", type="n", data=number)
        await rpc.call("unsubscribe", channel="a")
        marker = await rpc.call("publish", channel="b", type="marker", data=None)
        rpc.notifications = asyncio.Queue()
        await rpc.call("publish", channel="a", type="n", data="unheard")
        await rpc.call("publish", channel="b", type="marker", data=None)
        heard = [await rpc.next() for _ in range(1)]
        assert {event["channel"] for event in heard} == {"b"}
        assert heard[0]["offset"] in (marker["offset"], marker["offset"] + 1)


async def test_a_stale_cursor_is_told_and_starts_over(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc:
        await rpc.call("publish", channel="a", type="n", data=1)
        for number, cursor in enumerate(({"epoch": "other", "offset": 1}, {"epoch": "x", "offset": 99})):
            reply = await rpc.call("subscribe", channel="a", after=cursor)
            assert (reply["recovered"], reply["after"]) == (False, 0), number
            assert reply["state"] == {"version": 0, "value": {}}
            await rpc.call("unsubscribe", channel="a")


async def test_state_comes_with_now_and_changes_by_patches(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc:
        ops = [{"op": "add", "path": "/tea", "value": {"kind": "white"}}]
        cursor = await rpc.call("publish", channel="board", type="state.patch", data={"ops": ops})
        reply = await rpc.call("subscribe", channel="board")
        assert reply["state"] == {"version": cursor["offset"], "value": {"tea": {"kind": "white"}}}
        assert reply["messages"] == []
        error = await rpc.refused(
            "publish", channel="board", type="state.patch", data={"ops": [{"op": "remove", "path": "/coffee"}]}
        )
        assert error["data"] == {"code": "invalid_patch", "pointer": "/params/data/ops/0", "retryable": False}
        assert (await rpc.call("state", channel="board"))["value"] == {"tea": {"kind": "white"}}


async def test_a_key_is_honoured_once(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc:
        event = {"channel": "a", "type": "n", "data": 1, "idempotency_key": "k"}
        replies = await asyncio.gather(*[await rpc.send("publish", **event) for _ in range(20)])
        assert {reply["result"]["offset"] for reply in replies} == {1}
        error = await rpc.refused("publish", **{**event, "data": 2})
        assert error["data"]["code"] == "key_conflict"
        assert error["data"]["pointer"] == "/params/idempotency_key"


async def test_one_stream_carries_several_channels_and_resumes_them_all(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc:
        for number in range(3):
            await rpc.call("publish", channel="a", type="n", data=number)
            await rpc.call("publish", channel="b", type="n", data=number)
        seen: list[tuple[str, int]] = []
        last = "start"
        while len(seen) < 6:
            async with event_stream(server.url, ["a", "b"], last) as entries:
                async for name, data, cursors in entries:
                    last = cursors
                    if name == "message":
                        seen.append((data["channel"], data["offset"]))
                        break  # drop the connection after each event
        assert sorted(seen) == [(channel, offset) for channel in "ab" for offset in (1, 2, 3)]


async def test_publishing_over_http_and_sockets_is_one_log(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc, httpx2.AsyncClient(base_url=server.url, timeout=DEADLINE_S) as http:
        await rpc.call("subscribe", channel="a")
        answer = await http.post("/api/channels/a/events", json={"type": "n", "data": {"x": [1, "ü", None]}})
        event = await rpc.next("event")
        assert answer.json()["offset"] == event["offset"] == 1
        assert (event["data"], event["by"]) == ({"x": [1, "ü", None]}, "local")
        page = (await http.get("/api/channels/a/events")).json()
        assert page["events"] == [event]


async def test_search_goes_backwards_in_slices(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc:
        for number in range(50):
            await rpc.call("publish", channel="a", type="n", data={"text": f"line {number} Needle"})
        found = await rpc.call("search", channel="a", text="Needle", limit=20)
        assert [hit["offset"] for hit in found["hits"]] == list(range(50, 30, -1))
        assert (found["count"], found["scanned_to"], found["complete"]) == (20, 31, False)
        rest = await rpc.call("search", channel="a", text="Needle", limit=0, before=found["scanned_to"])
        assert (rest["count"], rest["complete"]) == (30, True)
        assert (await rpc.call("search", channel="a", text="needle", limit=0))["count"] == 0
        assert (await rpc.call("search", channel="a", text="needle", limit=0, ignore_case=True))["count"] == 50
        assert (await rpc.call("search", channel="a", text="text", limit=0))["count"] == 0  # a key is no text


async def test_stopping_in_order_says_goodbye(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc, event_stream(server.url, ["a"], "now") as entries:
        await rpc.next("welcome")
        assert (await anext(entries))[0] == "subscribed"
        stopping = asyncio.create_task(server.stop())
        goodbye = await rpc.next("goodbye")
        assert goodbye["reason"] == "stopping"
        assert goodbye["reconnect_after_s"] > 0
        names = [name async for name, _, _ in entries]
        assert names[-1] == "goodbye"
        assert await stopping == 0
        await rpc.socket.wait_closed()
        assert rpc.socket.close_code == 1012


async def test_connections_are_listed_and_the_last_ones_remembered(server: RealServer) -> None:
    async with Rpc.connect(server.live, user_agent_header="first") as rpc:
        async with Rpc.connect(server.live, user_agent_header="second") as other:
            await other.call("subscribe", channel="a")
            rows = (await rpc.call("connection.list"))["connections"]
            second = next(row for row in rows if row["user_agent"] == "second")
            assert second["subscriptions"] == [{"channel": "a", "phase": "live", "lag": 0}]
            await other.socket.close(4001, "enough")
        async with asyncio.timeout(DEADLINE_S):
            while not (recent := (await rpc.call("connection.list"))["recent"]):
                pass
        assert (recent[0]["user_agent"], recent[0]["code"]) == ("second", 4001)


async def test_openapi_describes_what_is_served(server: RealServer) -> None:
    async with httpx2.AsyncClient(base_url=server.url, timeout=DEADLINE_S) as http:
        paths = (await http.get("/openapi.json")).json()["paths"]
    assert {"/api/channels/{channel}/events", "/api/stream", "/api/processes/{name}/{action}"} <= paths.keys()
    body = paths["/api/channels/{channel}/events"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"type", "data", "idempotency_key"}
    assert json.dumps(paths)
