"""A program that watches runs: `python -m bench.answers.viewers WS_URL VIEWERS RUN...`.

Prints `ready` when all is subscribed, and at the end of all runs the delays of first tokens in ms, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

import orjson
import websockets

PER_CONNECTION = 50
FIRST = re.compile(rb'"delta":"@([0-9.]+) ')
ENDED = re.compile(rb'"type":"run\.(?:succeeded|failed|cancelled|lost)"')


async def subscribed(socket: websockets.ClientConnection, runs: list[str]) -> None:
    """Ask for all at once, and wait for the last answer."""
    for number, run_id in enumerate(runs, 1):
        params = {"channel": f"run:{run_id}", "after": "start"}
        message = {"jsonrpc": "2.0", "id": number, "method": "subscribe", "params": params}
        await socket.send(orjson.dumps(message), text=True)
    left = len(runs)
    while left:
        left -= b'"id":' in await socket.recv(decode=False)


async def watch(socket: websockets.ClientConnection, runs: int, delays: list[float]) -> None:
    """Note how late each first token comes, until all runs have ended."""
    while runs:
        text = await socket.recv(decode=False)
        if found := FIRST.search(text):
            delays.append((time.monotonic() - float(found[1])) * 1000)
        elif ENDED.search(text):
            runs -= 1


async def main(url: str, viewers: int, runs: list[str]) -> None:
    parts = [runs[start : start + PER_CONNECTION] for start in range(0, len(runs), PER_CONNECTION)] * viewers
    sockets = [await websockets.connect(url, max_size=None, max_queue=None, compression=None) for _ in parts]
    await asyncio.gather(*(subscribed(socket, part) for socket, part in zip(sockets, parts, strict=True)))
    print("ready", flush=True)
    delays: list[float] = []
    await asyncio.gather(*(watch(socket, len(part), delays) for socket, part in zip(sockets, parts, strict=True)))
    print(json.dumps(delays), flush=True)
    await asyncio.gather(*(socket.close() for socket in sockets))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
