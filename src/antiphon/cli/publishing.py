"""Append events from arguments or standard input."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import typer

import antiphon
from antiphon import AsyncLive, Cursor
from antiphon.cli.ending import say, status_of
from antiphon.cli.json_input import decode
from antiphon.errors import AntiphonError, InputError

IN_FLIGHT = 100


def publish_one(channel: str, kind: str, text: str, key: str | None) -> None:
    """Append one event and print its cursor. Raises InputError if `text` is no JSON."""
    data = decode(text.encode(), "DATA")
    with antiphon.connect(first_connection_s=0) as live:
        typer.echo(live.publish(channel, kind, data, idempotency_key=key))


def publish_stream(channel: str, kind: str, key: str | None) -> None:
    """Append one event per line of standard input; stops at the first that fails."""
    failure = asyncio.run(_publish_stream(channel, kind, key))
    if failure is not None:
        raise typer.Exit(status_of(failure))


async def _publish_stream(channel: str, kind: str, key: str | None) -> AntiphonError | None:
    """Many are under way at once, on one connection and so in order; the cursors are printed in order."""
    under_way: deque[tuple[int, asyncio.Task[Cursor | AntiphonError]]] = deque()
    failure: AntiphonError | None = None
    async with antiphon.connect(first_connection_s=0) as live, asyncio.TaskGroup() as tasks:
        async for number, line in _lines():
            try:
                data = decode(line, f"line {number}")
            except InputError as exc:
                failure = exc
                say(exc.message)
                break
            line_key = None if key is None else f"{key}-{number}"
            under_way.append((number, tasks.create_task(_publish(live, channel, kind, data, line_key))))
            if len(under_way) >= IN_FLIGHT and (failure := await _finish(under_way)):
                break
        while under_way:
            failure = await _finish(under_way) or failure
    return failure


async def _publish(live: AsyncLive, channel: str, kind: str, data: Any, key: str | None) -> Cursor | AntiphonError:
    try:
        return await live.publish(channel, kind, data, idempotency_key=key)
    except AntiphonError as exc:
        return exc  # a result, not a fault: the others that are under way shall end in their own way


async def _finish(under_way: deque[tuple[int, asyncio.Task[Cursor | AntiphonError]]]) -> AntiphonError | None:
    """Wait for the oldest and tell how it went."""
    number, task = under_way.popleft()
    outcome = await task
    if isinstance(outcome, AntiphonError):
        say(f"line {number}: {outcome.message}")
        return outcome
    typer.echo(outcome)
    return None


async def _lines() -> AsyncIterator[tuple[int, bytes]]:
    """Non-empty lines of standard input with their numbers, read without stopping the event loop."""
    number = 0
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        number += 1
        if line.strip():
            yield number, line
