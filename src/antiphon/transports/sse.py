"""Server-Sent Events over plain ASGI. Source: WHATWG HTML, section 9.2."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from antiphon.transports.base import Ending
from antiphon.transports.queue import Idle, QueueSink, Stalled

Message = MutableMapping[str, Any]

KEEP_ALIVE_S = 15.0
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
]


async def serve_stream(
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
    sink: QueueSink,
    *,
    stalled_s: float,
    headers: Sequence[tuple[bytes, bytes]] = (),
    idle: Callable[[], bytes] = lambda: b":\n\n",
) -> Ending:
    """Send the response and what the sink is given, until the peer goes or the sink ends.

    Args:
        headers: More of them.
        idle: What is sent after 15 s of silence.
    """

    async def write(piece: bytes) -> None:
        await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def write_all() -> Ending:
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]})
        try:
            await sink.drain(write, stalled_s=stalled_s, idle=Idle(KEEP_ALIVE_S, idle))
        except Stalled:
            return Ending(None, "slow_consumer")
        except OSError:
            return Ending(None, "connection lost")
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return Ending(None, "the server is stopping")

    async def watch() -> Ending:
        while (await receive())["type"] != "http.disconnect":
            pass
        return Ending(None, "closed by the peer")

    tasks = {asyncio.create_task(write_all(), name="sse writer"), asyncio.create_task(watch(), name="sse watch")}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    finally:
        sink.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
