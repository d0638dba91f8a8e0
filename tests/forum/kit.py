"""Short words for tests of the forum: lines as BettaFish's agents write them, and one life of a server with a forum."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from tests.agents.model_script import text_of
from tests.agents.model_server import Connection, ModelServer

from antiphon.brokers.memory import MemoryBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Hub
from antiphon.messages import Event, NewEvent
from antiphon.services.forum import Forum, ForumConfig
from antiphon.services.forum.listening import Ear
from antiphon.services.runs import LocalPort, ManualClock, RunEvent, Runs

PATIENCE_S = 30
NODE = "InsightEngine.nodes.summary_node:run:1"
START = f"2025-11-14 10:00:00.000 | INFO     | {NODE} - FirstSummaryNode 正在生成首次段落总结"


def logged(text: str, level: str = "INFO", node: str = NODE) -> str:
    """A line as loguru writes it."""
    return f"2025-11-14 10:00:00.000 | {level:<8} | {node} - {text}"


def output(paragraph: str, key: str = "updated_paragraph_latest_state") -> str:
    """A node's cleaned output in one line."""
    return logged("清理后的输出: " + json.dumps({key: paragraph}, ensure_ascii=False))


def spread(paragraph: str) -> list[str]:
    """The same over several lines."""
    body = json.dumps({"paragraph_latest_state": paragraph}, ensure_ascii=False, indent=2).splitlines()
    return [logged("清理后的输出: " + body[0]), *body[1:]]


class Life:
    """One life of a server with a forum."""

    def __init__(self, hub: Hub, runs: Runs, clock: ManualClock) -> None:
        self.hub = hub
        self.runs = runs
        self.clock = clock
        self.forum: Forum

    async def write(self, app: str, *lines: str) -> None:
        """Lines that an agent's program printed."""
        events = [NewEvent(f"log:{app}", "line", orjson.dumps({"text": line, "stream": "stdout"})) for line in lines]
        await self.hub.publish_many(events)

    async def restart(self, app: str) -> None:
        await self.hub.publish(NewEvent(f"log:{app}", "process.started", b'{"pid":1}'))

    async def events(self, channel: str = "forum:main") -> list[Event]:
        found: list[Event] = []
        while page := (await self.hub.history(channel, after=found[-1].offset if found else 0, limit=1000)).events:
            found += page
        return found

    async def until(
        self, wanted: Callable[[list[Event]], bool], channel: str = "forum:main", *, patience_s: float = PATIENCE_S
    ) -> list[Event]:
        """All events of a channel, once they are as wanted."""
        async with asyncio.timeout(patience_s), Ear(self.hub, channel) as ear:
            while True:
                ear.clear()
                events = await self.events(channel)
                if wanted(events):
                    return events
                await ear.wait()

    async def speeches(self, count: int, source: str | None = None) -> list[dict[str, Any]]:
        """The first so many speeches (of a source)."""
        events = await self.until(lambda events: len(said(events, source)) >= count)
        found = said(events, source)
        assert len(found) == count, [speech["text"] for speech in found]
        return found

    async def records(self) -> list[str]:
        """What the file has: the records behind the last time that it was cleared."""
        events = await self.events("log:forum")
        last = max((index for index, event in enumerate(events) if event.type == "forum.cleared"), default=-1)
        return [event.data["text"] for event in events[last + 1 :]]

    async def state(self) -> dict[str, Any]:
        """As it is published."""
        return dict((await self.hub.state("forum:main")).value)

    async def until_state(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S), Ear(self.hub, "forum:main") as ear:
            while True:
                ear.clear()
                state = await self.state()
                if wanted(state):
                    return state
                await ear.wait()


def said(events: Sequence[Event], source: str | None = None) -> list[dict[str, Any]]:
    found = [event.data for event in events if event.type == "forum.speech"]
    return [speech for speech in found if source is None or speech["source"] == source]


def of_type(events: Sequence[Event], kind: str) -> list[Any]:
    return [event.data for event in events if event.type == kind]


Speak = Callable[[LocalPort], Any]


@asynccontextmanager
async def life_on(
    broker: MemoryBroker | SqliteBroker, *, host: Speak | None = None, **settings: Any
) -> AsyncIterator[Life]:
    """Args: host: What the agent `host` does; None = there is none."""
    clock = ManualClock()
    async with Hub(broker) as hub, Runs(hub, clock=clock) as runs:
        if host is not None:
            runs.register("host", host)
        life = Life(hub, runs, clock)
        life.forum = Forum(hub, runs, ForumConfig(**settings), is_agent=lambda _: host is not None)
        runs.resume()
        async with life.forum:
            yield life


class PuppetHost:
    """A host that says what it is told, when it is told: gates hold it back in mid-sentence."""

    def __init__(self, *, fails: int = 0) -> None:
        self.asked: list[str] = []  # prompts
        self.fails = fails  # so many times first
        self.gate: asyncio.Event | None = None
        self.halfway = asyncio.Event()

    async def __call__(self, port: LocalPort) -> str:
        self.asked.append(port.input["prompt"])
        if self.fails:
            self.fails -= 1
            raise ValueError("the model is down")
        await port.emit([RunEvent("message.open", {"message_id": "m", "role": "assistant"})])
        await port.emit([RunEvent("message.append", {"message_id": "m", "delta": "First half, "})])
        if self.gate is not None:
            self.halfway.set()
            await self.gate.wait()
        await port.emit([RunEvent("message.append", {"message_id": "m", "delta": "second half."})])
        await port.emit([RunEvent("message.close", {"message_id": "m", "status": "completed"})])
        return "First half, second half."


class ScriptedModel(ModelServer):
    """A model server that answers every question by the same script, and notes the questions."""

    def __init__(self, script: str = "") -> None:
        super().__init__()
        self.script = script
        self.prompts: list[str] = []

    async def _complete(self, connection: Connection, asked: dict[str, Any], headers: dict[str, str]) -> bool:
        self.prompts.append(text_of(asked["messages"][-1]))
        if self.script:
            asked["messages"][-1]["content"] = self.script
        return await super()._complete(connection, asked, headers)
