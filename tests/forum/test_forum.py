"""Speeches, sessions and people: from log lines to the room, its records and its state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from tests.forum.kit import START, Life, PuppetHost, life_on, logged, of_type, output, said, spread

from antiphon.brokers.memory import MemoryBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.errors import ConflictError, InvalidParams, KeyConflict, NotFound
from antiphon.hub import Hub
from antiphon.messages import NewEvent

LONG = "This is a remark of the summary node that is long enough to be one."


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    async with life_on(MemoryBroker()) as found:
        yield found


async def test_a_session_starts_with_the_first_summary_and_a_speech_names_its_lines(life: Life) -> None:
    await life.write("insight", output("before the session"), START, "noise", output("舆情\n正在升温"))
    [speech] = await life.speeches(1)
    state = await life.state()
    assert speech | {"said_at": "", "clock": ""} == {
        "speech_id": "insight-4",
        "source": "INSIGHT",
        "sender": "Insight Engine",
        "kind": "agent",
        "text": "舆情\n正在升温",
        "session": state["session"],
        "said_at": "",
        "clock": "",
        "origin": {"channel": "log:insight", "offset": 4, "upto": 4},
        "muted": False,
        "by": None,
    }
    assert len(state["session"]) == 8
    assert state["buffered"] == 1
    records = await life.records()
    assert [record[11:] for record in records[1:]] == [
        f"[SYSTEM] [{state['session']}] === 搜索会话ID: {state['session']} ===",
        f"[INSIGHT] [{state['session']}] 舆情 正在升温",
    ]


async def test_after_a_pause_nobody_is_heard_before_the_session_began(tmp_path: Path) -> None:
    broker = SqliteBroker(tmp_path)
    broker.open()
    async with life_on(broker):
        pass
    broker = SqliteBroker(tmp_path)
    broker.open()
    async with Hub(broker) as hub:  # nobody watches, or the lines came while the server was away
        for time_ms, app, line in (
            *((1000 + n, "media", f"noise {n}") for n in range(1200)),
            (3000, "query", START),
            *((4000 + n, "insight", output(f"i{n}")) for n in range(3)),
            (5000, "media", output("m")),
        ):
            await hub.publish(NewEvent(f"log:{app}", "line", orjson.dumps({"text": line}), time_ms=time_ms))
    broker = SqliteBroker(tmp_path)
    broker.open()
    async with life_on(broker) as life:
        assert [speech["text"] for speech in await life.speeches(4)] == ["i0", "i1", "i2", "m"]


async def test_json_over_several_lines_of_two_apps_at_once(life: Life) -> None:
    await life.write("media", START)
    one, two = spread("one"), spread("two")
    for left, right in zip(one, two, strict=True):
        await life.write("media", left)
        await life.write("query", right)
    found = await life.speeches(2)
    assert {speech["source"]: speech["text"] for speech in found} == {"MEDIA": "one", "QUERY": "two"}
    assert {speech["origin"]["upto"] - speech["origin"]["offset"] for speech in found} == {2}


async def test_the_same_line_twice_is_said_twice(life: Life) -> None:
    await life.write("query", START, output("again"), output("again"), output("again"))
    found = await life.speeches(3)
    assert [speech["text"] for speech in found] == ["again"] * 3
    assert sum(record.endswith("again") for record in await life.records()) == 3


async def test_an_error_blocks_until_the_next_info(life: Life) -> None:
    head, *rest = spread("lost")
    await life.write(
        "insight", START, head, logged("boom", "ERROR"), *rest, 'File "x.py"', logged("on", "INFO"), output("heard")
    )
    assert [speech["text"] for speech in await life.speeches(1)] == ["heard"]


async def test_progress_is_no_speech(life: Life) -> None:
    await life.write("insight", START, logged("成功生成" + LONG), logged("nodes.summary_node short"), logged(LONG))
    assert [speech["text"] for speech in await life.speeches(1)] == [LONG]


async def test_a_restarted_program_ends_the_session(life: Life) -> None:
    await life.write("insight", START, output("one"))
    await life.speeches(1)
    await life.restart("media")
    events = await life.until(lambda events: len(of_type(events, "forum.session")) == 2)
    assert [(found["status"], found["reason"]) for found in of_type(events, "forum.session")] == [
        ("started", None),
        ("ended", "restarted"),
    ]
    assert (await life.state())["session"] is None
    assert (await life.state())["buffered"] == 0
    assert "论坛结束" in (await life.records())[-1]


async def test_a_new_session_begins_the_file_anew(life: Life) -> None:
    await life.write("insight", START, output("one"))
    await life.restart("insight")
    await life.write("insight", START, output("two"))
    await life.speeches(2)
    assert [record.split()[-1] for record in await life.records()][2:] == ["two"]


async def test_a_session_ends_when_nobody_writes(life: Life) -> None:
    await life.write("insight", START, output("one"))
    await life.speeches(1)
    life.clock.advance(7200)
    events = await life.until(lambda events: len(of_type(events, "forum.session")) == 2)
    assert of_type(events, "forum.session")[-1]["reason"] == "idle"


async def test_people_post_and_a_repetition_says_nothing_twice(life: Life) -> None:
    first = await life.forum.post("Hello\nall", by="ann", speech_id="s1")
    again = await life.forum.post("Hello\nall", by="ann", speech_id="s1")
    assert again == first
    with pytest.raises(KeyConflict):
        await life.forum.post("Other", by="ann", speech_id="s1")
    [speech] = said(await life.events())
    assert (speech["source"], speech["sender"], speech["kind"], speech["by"]) == ("PERSON", "ann", "person", "ann")
    assert [record[11:] for record in await life.records()] == ["[PERSON]  Hello\\nall"]


async def test_agents_post_under_their_own_name(life: Life) -> None:
    await life.forum.post("I found it", by="bot", source="Query")
    [speech] = said(await life.events())
    assert (speech["source"], speech["sender"], speech["kind"]) == ("QUERY", "Query Engine", "agent")
    for source in ("HOST", "system"):
        with pytest.raises(InvalidParams):
            await life.forum.post("It is I", by="bot", source=source)


async def test_a_muted_agent_is_noted_but_not_heard(life: Life) -> None:
    await life.forum.mute("INSIGHT", True)
    await life.write("insight", START, output("psst"))
    [speech] = await life.speeches(1)
    assert speech["muted"]
    assert not [record for record in await life.records() if "psst" in record]
    assert (await life.state())["buffered"] == 0
    await life.forum.mute("INSIGHT", False)
    await life.write("insight", output("loud"))
    await life.speeches(2)
    assert (await life.state())["buffered"] == 1
    with pytest.raises(NotFound):
        await life.forum.mute("NOBODY", True)


async def test_the_host_speaks_after_the_threshold_while_capturing_goes_on() -> None:
    host = PuppetHost()
    host.gate = asyncio.Event()
    async with life_on(MemoryBroker(), host=host, threshold=2) as life:
        await life.write("insight", START, output("one"), output("two"))
        async with asyncio.timeout(30):
            await host.halfway.wait()
        await life.write("media", output("three"))
        await life.speeches(3)  # though the host has not finished
        assert (await life.state())["host"]["status"] == "speaking"
        host.gate.set()
        [speech] = await life.speeches(1, "HOST")
        assert (speech["sender"], speech["kind"], speech["text"]) == ("Forum Host", "host", "First half, second half.")
        events = await life.events()
        deltas = "".join(found["delta"] for found in of_type(events, "message.append"))
        assert deltas == speech["text"]
        assert of_type(events, "message.close") == [{"message_id": speech["speech_id"], "status": "completed"}]
        assert "one" in host.asked[0]
        assert "two" in host.asked[0]
        assert "three" not in host.asked[0]
        state = await life.state()
        assert (state["buffered"], state["host"]["status"], state["host"]["agent"]) == (1, "idle", "host")
        assert (await life.records())[-1].endswith("First half, second half.")


async def test_the_host_is_stopped_in_mid_sentence() -> None:
    host = PuppetHost()
    host.gate = asyncio.Event()
    async with life_on(MemoryBroker(), host=host, threshold=1) as life:
        await life.write("insight", START, output("one"))
        await life.until(lambda events: bool(of_type(events, "message.append")))
        row = await life.forum.stop_host(by="ann")
        assert row.status == "idle"
        events = await life.events()
        assert [found["status"] for found in of_type(events, "message.close")] == ["cancelled"]
        assert not said(events, "HOST")
        assert not [record for record in await life.records() if "[HOST]" in record]
        assert await life.forum.stop_host(by="ann") == row  # again does nothing
        assert [found["status"] for found in of_type(events, "forum.host")] == ["stopped"]
        host.gate = None
        await life.write("insight", output("two"))
        await life.speeches(1, "HOST")
        assert "one" not in host.asked[1]


async def test_a_host_that_fails_tries_again_and_lets_go_after_three_times() -> None:
    host = PuppetHost(fails=3)
    async with life_on(MemoryBroker(), host=host, threshold=2) as life:
        await life.write("insight", START, output("s1"), output("s2"))
        await life.until(lambda events: len(of_type(events, "forum.host")) == 1)
        assert (await life.state())["host"]["message"] == "the model is down"
        await life.write("insight", output("s3"))
        await life.until(lambda events: len(of_type(events, "forum.host")) == 2)
        await life.write("insight", output("s4"))
        await life.write("insight", output("s5"))
        events = await life.until(lambda events: len(of_type(events, "forum.host")) == 3)
        assert [found["status"] for found in of_type(events, "forum.host")] == ["failed", "failed", "let_go"]
        assert of_type(events, "forum.host")[-1]["let_go"] == ["insight-2", "insight-3"]
        await life.write("insight", output("s6"))
        await life.speeches(2, "HOST")  # about what came since
        assert ["s1" in prompt for prompt in host.asked] == [True, True, True, False, False]


async def test_the_host_is_called(life: Life) -> None:
    with pytest.raises(ConflictError):
        await life.forum.call_host()
    await life.forum.post("What do you think?", by="ann")
    await life.forum.call_host()
    [speech] = await life.speeches(1, "HOST")
    assert "offline" in speech["text"]
    assert "“What do you think?”" in speech["text"]
    await life.forum.mute("HOST", True)
    await life.forum.post("And now?", by="ann")
    with pytest.raises(ConflictError):
        await life.forum.call_host()


async def test_the_threshold_can_be_set(life: Life) -> None:
    await life.write("insight", START, output("one"), output("two"))
    await life.speeches(2)
    await life.forum.set_threshold(2)
    [speech] = await life.speeches(1, "HOST")
    assert (await life.state())["threshold"] == 2
    assert "- Insight Engine" in speech["text"]
