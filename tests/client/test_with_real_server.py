"""The client against the real server, over real sockets, with SIGKILL in between."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.live.real_server import RealServer

import antiphon
from antiphon import AsyncLive, CaughtUp, Cursor, Event, Gap
from antiphon.errors import (
    AntiphonError,
    ChannelOwned,
    Forbidden,
    InvalidParams,
    InvalidPatch,
    KeyConflict,
    NotFound,
    Unauthenticated,
)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RealServer]:
    config = tmp_path / "antiphon.toml"
    config.write_text("")
    found = RealServer(tmp_path / "data", config=config)
    await found.start()
    yield found
    await found.kill()


async def whole_history(live: AsyncLive, channel: str) -> list[Event]:
    events: list[Event] = []
    while True:
        page = await live.history(channel, after=events[-1].offset if events else 0, limit=1000)
        events += page.events
        if not page.events or events[-1].offset == page.head:
            return events


async def test_every_call_understands_the_real_answers(server: RealServer) -> None:
    async with antiphon.connect(server.url) as live:
        assert live.user == "local"
        first = await live.publish("news:tea", "speech", {"text": "Hello"})
        await live.publish("news:tea", "speech", {"text": "bye"})
        page = await live.history("news:tea")
        assert (page.epoch, page.oldest, page.head) == (first.epoch, 1, 2)
        assert [(event.type, event.data["text"], event.by) for event in page.events] == [
            ("speech", "Hello", "local"),
            ("speech", "bye", "local"),
        ]
        assert page.events[0].cursor == first
        assert (await live.history("news:tea", before=2)).events == page.events[:1]
        found = await live.search("news:tea", "hello", ignore_case=True)
        assert found.complete
        assert found.count == 1
        assert found.hits == page.events[:1]
        assert (await live.search("news:tea", "hello")).count == 0
        assert [(row.channel, row.head) for row in await live.channels("news:")] == [("news:tea", 2)]
        assert (await live.connections()).connections[0]["transport"] == "websocket"
        assert (await live.state("board")).value == {}
        changed = await live.patch("board", [{"op": "add", "path": "/a", "value": 1}])
        state = await live.state("board")
        assert (state.version, state.value) == (changed.offset, {"a": 1})
        assert "time" in await live.request("ping")
        assert await live.processes() == {}


async def test_refusals_have_their_classes(server: RealServer) -> None:
    async with antiphon.connect(server.url) as live:
        await live.publish("a", "t", 1, idempotency_key="k")
        assert await live.publish("a", "t", 1, idempotency_key="k") == Cursor((await live.history("a")).epoch, 1)
        with pytest.raises(KeyConflict):
            await live.publish("a", "t", 2, idempotency_key="k")
        with pytest.raises(ChannelOwned):
            await live.publish("log:x", "line", {})
        with pytest.raises(InvalidPatch):
            await live.patch("board", [{"op": "remove", "path": "/nothing"}])
        with pytest.raises(InvalidParams) as wrong:
            await live.history("a", limit=0)
        assert wrong.value.pointer == "/params/limit"
        with pytest.raises(NotFound):
            await live.process_start("nobody")
        assert live.status.phase == "live"


async def test_acknowledged_is_there_once_though_the_server_is_killed_while_publishing(server: RealServer) -> None:
    count, killed_after = 600, (100, 350)
    reached = {number: asyncio.Event() for number in killed_after}
    acknowledged: list[Cursor] = []

    async def publish_all(live: AsyncLive) -> None:
        for start in range(0, count, 20):
            batch = (live.publish("a", "n", number) for number in range(start, start + 20))
            acknowledged.extend(await asyncio.gather(*batch))
            for number, event in reached.items():
                if len(acknowledged) >= number:
                    event.set()

    async with antiphon.connect(server.url) as live:
        publishing = asyncio.create_task(publish_all(live))
        for number in killed_after:
            await reached[number].wait()
            await server.kill()
            await server.start()
        await publishing
        events = await whole_history(live, "a")
    assert [event.data for event in events] == list(range(count))
    assert [event.cursor for event in events] == acknowledged


async def test_a_subscriber_sees_each_event_once_over_two_kills(server: RealServer) -> None:
    count = 400
    seen: list[Event] = []
    progress = {number: asyncio.Event() for number in (100, 250)}

    async def follow(live: AsyncLive) -> None:
        async for item in live.subscribe("a", after="start"):
            assert not isinstance(item, Gap)
            if isinstance(item, Event):
                seen.append(item)
                if item.offset in progress:
                    progress[item.offset].set()
                if item.offset == count:
                    return

    async def publish_all(live: AsyncLive) -> None:
        for number in range(count):
            await live.publish("a", "n", number)

    async with (
        antiphon.connect(server.url) as writer,
        antiphon.connect(server.url) as reader,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(follow(reader))
        tasks.create_task(publish_all(writer))
        for event in progress.values():
            await event.wait()
            await server.kill()
            await server.start()
    assert [event.data for event in seen] == list(range(count))
    assert [event.offset for event in seen] == list(range(1, count + 1))


async def test_a_server_that_stops_in_order_says_goodbye_and_is_come_back_to(server: RealServer) -> None:
    statuses: list[str | None] = []
    lost = asyncio.Event()

    def on_status(status: antiphon.client.Status) -> None:
        if status.phase == "waiting":
            statuses.append(status.reason)
            lost.set()

    async with antiphon.connect(server.url, on_status=on_status) as live, live.subscribe("a") as items:
        await server.stop()
        await lost.wait()
        assert "goodbye" in (statuses[0] or "")
        publishing = asyncio.create_task(live.publish("a", "t", "back"))
        await server.start()
        await publishing
        async for item in items:
            if isinstance(item, Event):
                assert item.data == "back"
                break


async def test_what_retention_took_is_a_gap(server: RealServer, tmp_path: Path) -> None:
    async with antiphon.connect(server.url) as live:
        cursors = await asyncio.gather(*(live.publish("a", "n", number) for number in range(50)))
    await server.stop()
    (tmp_path / "antiphon.toml").write_text('[retention."a"]\nmax_events = 10\n')
    await server.start()
    async with antiphon.connect(server.url) as live:
        while (await live.history("a", limit=1)).oldest == 1:
            await live.request("ping")  # the first sweep is under way
        items = live.subscribe("a", after=cursors[4])
        gap = await anext(items)
        assert isinstance(gap, Gap)
        assert (gap.first, gap.last, gap.reason) == (6, 40, "retention")
        events = [await anext(items) for _ in range(10)]
        assert [event.data for event in events if isinstance(event, Event)] == list(range(40, 50))
        assert isinstance(await anext(items), CaughtUp)


async def test_a_reader_slower_than_the_server_gets_all_with_bounded_memory(server: RealServer) -> None:
    count, text = 5000, "x" * 500
    async with antiphon.connect(server.url) as live:
        for start in range(0, count, 250):
            await asyncio.gather(*(live.publish("a", "n", [number, text]) for number in range(start, start + 250)))
        async with live.subscribe("a", after="start", max_items=200) as items:
            expected = 1
            longest = 0
            while expected <= count:
                item = await anext(items)
                longest = max(longest, len(items._feed))
                if isinstance(item, Event):
                    assert item.offset == expected
                    expected += 1
                if expected % 100 == 0:
                    await live.request("ping")  # others are served meanwhile
            assert longest <= 200
            assert items._feed.pauses > 3


async def test_a_token_opens_what_its_grants_say(server: RealServer, tmp_path: Path) -> None:
    await server.stop()
    digest = hashlib.sha256(b"ann's token").hexdigest()
    grants = '["read news:*", "publish news:*"]'
    (tmp_path / "antiphon.toml").write_text(f'[users.ann]\ntoken_sha256 = "{digest}"\ngrants = {grants}\n')
    await server.start()
    for token in (None, "wrong"):
        with pytest.raises(Unauthenticated):
            async with antiphon.connect(server.url, token=token):
                pass
    async with antiphon.connect(server.url, token="ann's token") as live:
        assert live.user == "ann"
        await live.publish("news:tea", "t", 1)
        with pytest.raises(Forbidden, match="read secret"):
            await anext(live.subscribe("secret"))
        with pytest.raises(Forbidden):
            await live.publish("secret", "t", 1)


async def test_processes_are_started_written_to_and_stopped(server: RealServer, tmp_path: Path) -> None:
    await server.stop()
    program = "import sys\nfor line in sys.stdin: print('heard', line.strip(), flush=True)"
    (tmp_path / "antiphon.toml").write_text(
        f"[process.echo]\ncommand = ['{sys.executable}', '-c', '''{program}''']\nstdin = true\n"
    )
    await server.start()
    async with antiphon.connect(server.url) as live, live.subscribe("log:echo") as lines:
        started = await live.process_start("echo")
        assert started.status == "running"
        assert started.pid is not None
        await live.process_write("echo", "hello\n")
        async for item in lines:
            if isinstance(item, Event) and item.type == "line":
                assert item.data == {"text": "heard hello", "stream": "stdout"}
                break
        assert (await live.process_restart("echo")).pid != started.pid
        assert (await live.process_stop("echo")).status in ("stopped", "exited")
        assert (await live.processes())["echo"].pid is None


def test_the_blocking_face_over_a_kill(tmp_path: Path) -> None:
    server = RealServer(tmp_path / "data")
    asyncio.run(server.start())
    try:
        with antiphon.connect(server.url) as live, live.subscribe("a", after="start") as items:
            live.publish("a", "t", 1)
            asyncio.run(server.kill())
            asyncio.run(server.start())
            live.publish("a", "t", 2)
            data = []
            for item in items:
                if isinstance(item, Event):
                    data.append(item.data)
                if len(data) == 2:
                    break
        assert data == [1, 2]
    finally:
        asyncio.run(server.kill())


async def test_nothing_but_our_own_errors_comes_out_of_a_dying_server(server: RealServer) -> None:
    async with antiphon.connect(server.url) as live:
        asking = [asyncio.create_task(live.process_write("echo", "x")) for _ in range(50)]
        await asyncio.sleep(0)
        await server.kill()
        for outcome in await asyncio.gather(*asking, return_exceptions=True):
            assert isinstance(outcome, AntiphonError)
