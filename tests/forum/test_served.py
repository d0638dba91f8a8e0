"""The forum of a real server: programs that write as BettaFish's agents do, an agent as host, kills, both ways in."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.agents.model_script import text_of
from tests.forum.kit import START, ScriptedModel, logged, output, spread
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.workspace import ask, python, refusal, serving, write_settings

import antiphon
from antiphon.services.forum.grammar import Record, parse

# Says a line whenever it is told to by one on its standard input; so tests decide the order.
AGENT = """
import sys, json
for line in sys.stdin:
    for said in json.loads(line):
        print(said, flush=True)
"""


def tables(*, model: ScriptedModel | None = None, **forum: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        f"process.{app}": python(AGENT, autostart=True, stdin=True, grace_s=1) for app in ("insight", "media", "query")
    }
    found["forum"] = {"file": "logs/forum.log", "threshold": 2, **forum}
    if model is not None:
        found["model.scripted"] = {"name": "scripted", "base_url": model.url}
        found["agent.host"] = {"model": "scripted"}
    return found


async def tell(server: RealServer, app: str, *lines: str) -> None:
    """Have an agent print lines."""
    await ask(server, "process.write", name=app, text=json.dumps(lines) + "\n")


class Follower:
    """What a client of `forum:main` has seen."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self.events: list[dict[str, Any]] = []

    async def until(self, type_: str, count: int = 1, **wanted: Any) -> list[dict[str, Any]]:
        """The data of the first so many events of a type with these fields, once they have come."""
        while len(found := self.of(type_, **wanted)) < count:
            self.events.append(await self._rpc.next("event"))
        return found

    def of(self, type_: str, **wanted: Any) -> list[dict[str, Any]]:
        found = [event["data"] for event in self.events if event["type"] == type_]
        return [data for data in found if all(data[key] == value for key, value in wanted.items())]


async def up(server: RealServer) -> None:
    """Wait until all three programs run."""
    async with asyncio.timeout(DEADLINE_S), Rpc.connect(server.live) as rpc:
        await rpc.call("subscribe", channel="processes")
        while True:
            rows = (await rpc.call("state", channel="processes"))["value"]
            if len(rows) == 3 and all(row["status"] == "running" for row in rows.values()):
                return
            await rpc.next("event")


async def test_three_programs_talk_and_the_offline_host_quotes_them(tmp_path: Path) -> None:
    async with serving(tmp_path, tables()) as server, Rpc.connect(server.live) as rpc:
        await up(server)
        await rpc.call("subscribe", channel="forum:main", after="start")
        room = Follower(rpc)
        await tell(server, "insight", START, logged("正在生成首次段落总结"), *spread("舆情正在升温。\n第二句。"))
        await room.until("forum.speech")
        await tell(server, "media", logged("boom", "ERROR"), "Traceback", logged("ok"), output("Two videos. 舆情 too."))
        [host] = await room.until("forum.speech", kind="host")
        assert "offline" in host["text"]
        assert "舆情正在升温。" in host["text"]
        assert [found["text"] for found in room.of("forum.speech", kind="agent")] == [
            "舆情正在升温。\n第二句。",
            "Two videos. 舆情 too.",
        ]
        grown = "".join(found["delta"] for found in room.of("message.append"))
        assert grown == host["text"]
        state = (await rpc.call("forum.get"))["forum"]
        lines = [event["data"]["text"] for event in (await rpc.call("history", channel="log:forum"))["events"][1:]]
    records = (tmp_path / "logs" / "forum.log").read_text("utf-8").splitlines()
    assert records == lines
    assert [found.source for line in records if isinstance(found := parse(line), Record)] == [
        "SYSTEM",
        "SYSTEM",
        "INSIGHT",
        "MEDIA",
        "HOST",
    ]
    assert {found.session for line in records if isinstance(found := parse(line), Record)} == {state["session"]}
    assert state["host"] == {"status": "idle", "agent": None, "run_id": None, "speech_id": None, "message": None}


async def test_a_model_is_the_host_and_is_stopped_in_mid_sentence(tmp_path: Path) -> None:
    async with ScriptedModel() as model, serving(tmp_path, tables(model=model)) as server:
        await up(server)
        async with Rpc.connect(server.live) as rpc:
            await rpc.call("subscribe", channel="forum:main", after="start")
            room = Follower(rpc)
            await tell(server, "query", START, output("one"), output("one"))
            [first] = await room.until("forum.speech", kind="host")
            assert "[" in first["text"]
            assert first["text"].count("Query Engine:\none") == 2, "the model repeats what it was asked"
            model.script = json.dumps({"rounds": [[{"text": "I begin", "size": 4}, {"wait": "never"}]]})
            await tell(server, "query", output("three"), output("four"))
            await room.until("message.append", message_id=await speaking(room))
            host = (await rpc.call("forum.stop_host"))["host"]
            assert host["status"] == "idle"
            await room.until("message.close", status="cancelled")
            assert len(room.of("forum.speech", kind="host")) == 1
            request = await model.until(2)
            await asyncio.wait_for(request.over.wait(), DEADLINE_S)
            assert request.closed_by == "client", "the model's work ends"
            rows = (await rpc.call("thread.get", thread_id="forum-main"))["runs"]
            assert [row["status"] for row in rows] == ["succeeded", "cancelled"]
            assert text_of({"content": model.prompts[0]}).count("one") == 2


async def speaking(room: Follower) -> str:
    found = await room.until("message.open", 2)
    return str(found[1]["message_id"])


async def test_a_kill_loses_and_repeats_nothing(tmp_path: Path) -> None:
    server = RealServer(tmp_path / "data", config=write_settings(tmp_path / "antiphon.toml", tables(threshold=4)))
    await server.start()
    try:
        await up(server)
        await tell(server, "insight", START, *[output("again")] * 3)
        head, *rest = spread("over the kill")
        await tell(server, "media", START, head)
        await server.kill()
        await server.start()
        await up(server)
        await tell(server, "media", *rest)
        async with Rpc.connect(server.live) as rpc:
            await rpc.call("subscribe", channel="forum:main", after="start")
            room = Follower(rpc)
            await room.until("forum.speech", kind="host")
            agents = room.of("forum.speech", kind="agent")
        assert sorted(found["text"] for found in agents) == ["again", "again", "again", "over the kill"]
        assert len(room.of("forum.session")) == 1
        records = (tmp_path / "logs" / "forum.log").read_text("utf-8").splitlines()
        assert sum(record.endswith("again") for record in records) == 3
    finally:
        await server.stop()


async def test_both_ways_in(tmp_path: Path) -> None:
    async with serving(tmp_path, tables()) as server, httpx2.AsyncClient(base_url=server.url) as http:
        async with Rpc.connect(server.live) as rpc:
            welcome = await rpc.next("welcome")
            assert "forum" in welcome["features"]
            said = await rpc.call("forum.post", text="Hello", speech_id="s1")
            assert await rpc.call("forum.post", text="Hello", speech_id="s1") == said
            assert (await rpc.refused("forum.post", text="No", speech_id="s1"))["data"]["code"] == "key_conflict"
            assert (await rpc.refused("forum.post", text="x", source="HOST"))["data"]["pointer"] == "/params/source"
            owned = await rpc.refused("publish", channel="forum:main", type="x", data={})
            assert owned["data"]["code"] == "channel_owned"
        answer = await http.post("/api/forums/main/speeches", json={"text": "By HTTP", "source": "media"})
        assert answer.status_code == 201
        assert answer.json()["speech"]["sender"] == "Media Engine"
        assert (await http.get("/api/forums/main")).json()["forum"]["buffered"] == 1
        muted = (await http.post("/api/forums/main/mute", json={"source": "MEDIA"})).json()["forum"]
        assert muted["speakers"]["MEDIA"]["muted"]
        answer = await http.post("/api/forums/main/threshold", json={"threshold": 7})
        assert answer.json()["forum"]["threshold"] == 7
        assert (await http.post("/api/forums/main/threshold", json={"threshold": 0})).status_code == 422
        assert (await http.post("/api/forums/main/host/call")).json()["host"]["status"] == "speaking"
        assert (await http.post("/api/forums/main/host/stop")).json()["host"]["status"] == "idle"
        assert (await http.get("/api/forums/other")).status_code == 404
        assert (await http.post("/api/forums/other/speeches", json={"text": "x"})).status_code == 409


OLD = """=== ForumEngine booted ===
[23:59:50] [SYSTEM] === ForumEngine 监控开始 - 2025-11-14 23:59:50 ===
[23:59:55] [INSIGHT] 一 发言
[00:00:05] [HOST] first line\\nsecond line
[00:00:06] [QUERY] the same
[00:00:06] [QUERY] the same
[00:00:07] [SYSTEM] === ForumEngine 论坛结束 - 2025-11-15 00:00:07 ===
"""


async def test_an_old_file_is_replayed_once(tmp_path: Path) -> None:
    async with serving(tmp_path, {"forum": {"enabled": True}}) as server, antiphon.connect(server.url) as live:
        found = await live.forum.replay("monday", OLD)
        assert (found.channel, found.speeches, found.sessions, found.skipped) == ("forum:monday", 4, 1, 1)
        assert await live.forum.replay("monday", OLD.splitlines()) == found
        events = [event.data for event in (await live.history("forum:monday")).events if event.type == "forum.speech"]
        assert [event["text"] for event in events] == ["一 发言", "first line\nsecond line", "the same", "the same"]
        moments = [antiphon_time(event["said_at"]) for event in events]
        assert [later - earlier for earlier, later in pairwise(moments)] == [10.0, 1.0, 0.0]
        assert (await live.forum.get("monday")).speakers["QUERY"].speeches == 2
        with pytest.raises(antiphon.errors.ConflictError):
            await live.forum.replay("monday", "other")
        with pytest.raises(antiphon.errors.ConflictError):
            await live.forum.replay("main", OLD)


def antiphon_time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_the_python_client_talks(tmp_path: Path) -> None:
    async with serving(tmp_path, {"forum": {"enabled": True}}) as server:
        async with antiphon.connect(server.url) as live:
            speech = await live.forum.post("Hello")
            assert (speech.kind, speech.source, speech.by) == ("person", "PERSON", "local")
            assert (await live.forum.set_threshold(3)).threshold == 3
            assert (await live.forum.mute("query")).speakers["QUERY"].muted
            assert (await live.forum.stop_host()).status == "idle"
            assert (await live.forum.call_host()).status == "speaking"
        await asyncio.to_thread(_blocking, server.url)


def _blocking(url: str) -> None:
    with antiphon.connect(url) as live:
        assert live.forum.post("Hello", source="QUERY", speech_id="q").muted
        assert live.forum.get().speakers["QUERY"].speeches == 1


async def test_without_apps_there_is_no_forum(tmp_path: Path) -> None:
    async with serving(tmp_path, {"process.web": python("pass")}) as server:
        assert (await refusal(server, "forum.get"))["data"]["code"] == "not_found"
        async with Rpc.connect(server.live) as rpc:
            assert "forum" not in (await rpc.next("welcome"))["features"]
