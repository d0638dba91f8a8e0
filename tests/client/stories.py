"""What the events of a run amount to, however they were cut into pieces."""

from __future__ import annotations

from typing import Any

from antiphon import AsyncLive, Event
from antiphon.hub.patch import Document

OUTCOMES = ("run.succeeded", "run.failed", "run.cancelled", "run.lost")


async def whole_history(live: AsyncLive, channel: str) -> list[Event]:
    events: list[Event] = []
    while True:
        page = await live.history(channel, after=events[-1].offset if events else 0, limit=1000)
        events += page.events
        if not page.events or events[-1].offset == page.head:
            return events


async def story(live: AsyncLive, run_id: str) -> dict[str, Any]:
    """Texts, tools, state, log and outcome of a run that has ended; checks that nothing follows the outcome."""
    events = await whole_history(live, f"run:{run_id}")
    assert [event.type for event in events if event.type in OUTCOMES] == [events[-1].type]
    return fold(events)


def fold(events: list[Event]) -> dict[str, Any]:
    texts: list[list[str]] = []
    tools: dict[str, dict[str, Any]] = {}
    state, log = Document({}), []
    opened: dict[str, int] = {}
    for event in events:
        data = event.data
        match event.type:
            case "message.open":
                opened[data["message_id"]] = len(texts)
                texts.append([data["role"], ""])
            case "message.append":
                texts[opened[data["message_id"]]][1] += data["delta"]
            case "message.close":
                texts[opened[data["message_id"]]].append(data["status"])
            case "tool.start":
                tools[data["tool_call_id"]] = {"name": data["name"], "args": ""}
            case "tool.args":
                tools[data["tool_call_id"]]["args"] += data["delta"]
            case "tool.end":
                tools[data["tool_call_id"]] |= {"status": data["status"], "result": data.get("result")}
            case "state.patch":
                state.apply(data["ops"])
            case "log":
                log.append((data["level"], data["text"]))
    outcome = (events[-1].type, events[-1].data)
    return {"texts": texts, "tools": tools, "state": state.value, "log": log, "outcome": outcome}
