"""A workspace: an `antiphon.toml`, a real server on it, and what its clients are told about its programs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer

Row = dict[str, Any]


def python(code: str, *arguments: object, **fields: Any) -> dict[str, Any]:
    """The settings of a process that runs this code; without site packages, so that it starts quickly."""
    return {"command": [sys.executable, "-I", "-S", "-c", code, *map(str, arguments)], **fields}


def write_settings(path: Path, tables: Mapping[str, Mapping[str, Any]]) -> Path:
    """An `antiphon.toml` of tables by their full names, e.g. `process.web`."""
    lines = [
        f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in t.items()) for name, t in tables.items()
    ]
    path.write_text("\n".join(lines))
    return path


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


@asynccontextmanager
async def serving(home: Path, tables: Mapping[str, Mapping[str, Any]]) -> AsyncIterator[RealServer]:
    """A server with these settings; at the end it stops in order, and its programs with it."""
    server = RealServer(home / "data", config=write_settings(home / "antiphon.toml", tables))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def ask(server: RealServer, method: str, **params: Any) -> Any:
    """The result of one request."""
    async with Rpc.connect(server.live) as rpc:
        return await rpc.call(method, **params)


async def refusal(server: RealServer, method: str, **params: Any) -> dict[str, Any]:
    """The error of one request."""
    async with Rpc.connect(server.live) as rpc:
        return await rpc.refused(method, **params)


async def rows(server: RealServer) -> dict[str, Row]:
    """The process table as it was published."""
    return (await ask(server, "state", channel="processes"))["value"]


async def until_row(server: RealServer, name: str, *, within_s: float = DEADLINE_S, **wanted: Any) -> Row:
    """Wait until the published row of a process has these fields."""
    row: Row = {}
    async with Rpc.connect(server.live) as rpc:
        try:
            async with asyncio.timeout(within_s):
                await rpc.call("subscribe", channel="processes")
                while True:
                    row = (await rpc.call("state", channel="processes"))["value"].get(name, {})
                    if row and all(row[key] == value for key, value in wanted.items()):
                        return row
                    await rpc.next("event")
        except TimeoutError:
            raise AssertionError(f"{name} is {row}, wanted {wanted}") from None


async def until_log(server: RealServer, name: str, wanted: Callable[[list[Any]], bool]) -> list[Any]:
    """Wait until the events of a process's channel are as wanted; returns them."""
    events: list[Any] = []
    async with asyncio.timeout(DEADLINE_S), Rpc.connect(server.live) as rpc:
        await rpc.call("subscribe", channel=f"log:{name}", after="start")
        while not wanted(events):
            events.append(await rpc.next("event"))
        return events


async def until_lines(server: RealServer, name: str, *texts: str) -> None:
    """Wait until a process has said all of this."""
    await until_log(server, name, lambda events: set(texts) <= set(lines(events)))


def lines(events: list[Any]) -> list[str]:
    return [event["data"]["text"] for event in events if event["type"] == "line"]


async def whole_log(server: RealServer, channel: str) -> list[Any]:
    """A channel from its first event to its head."""
    events: list[Any] = []
    async with Rpc.connect(server.live) as rpc:
        while True:
            page = await rpc.call("history", channel=channel, after=len(events), limit=1000)
            events += page["events"]
            if len(events) >= page["head"]:
                return events
