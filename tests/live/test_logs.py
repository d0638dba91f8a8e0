"""Twenty programs that write 5 000 lines a second each, while the server is killed twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import httpx2
import pytest
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.workspace import ask, python, rows, write_settings

PROGRAMS, LINES_PER_S, SECONDS = 20, 5_000, 10
LINES = LINES_PER_S * SECONDS
PAGE = 1000
INGESTED_WITHIN_S = 180
WRITER = """
import hashlib, os, sys, time
name, lines, per_s, digest = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), hashlib.sha256()
began, written, step = time.monotonic(), 0, per_s // 100
while written < lines:
    burst = b"".join(b"%s %07d: the quick brown fox jumps over the lazy dog, and writes a line of usual length\\n"
                     % (name.encode(), number) for number in range(written, written + step))
    digest.update(burst)
    view = memoryview(burst)
    while view:
        view = view[os.write(1, view):]
    written += step
    time.sleep(max(0, began + written / per_s - time.monotonic()))
open(sys.argv[4], "w").write(digest.hexdigest())
"""
"""Keeps its pace by the clock: late, it hurries. Leaves a digest of all that it wrote."""


async def reach(server: RealServer, channel: str, offset: int) -> None:
    """Wait until a channel has this event."""
    async with asyncio.timeout(INGESTED_WITHIN_S), Rpc.connect(server.live) as rpc:
        reply = await rpc.call("subscribe", channel=channel)
        head = reply["head"]
        while head < offset:
            head = (await rpc.next("event"))["offset"]


async def digest_of(client: httpx2.AsyncClient, channel: str) -> tuple[str, int]:
    """The digest of all lines that are stored, page by page, and their number."""
    digest, offset, count = hashlib.sha256(), 0, 0
    while True:
        answer = await client.get(f"/api/channels/{channel}/events", params={"after": offset, "limit": PAGE})
        page = json.loads(answer.content)
        texts = [event["data"]["text"] for event in page["events"] if event["type"] == "line"]
        digest.update("".join(f"{text}\n" for text in texts).encode())
        count += len(texts)
        assert [event["offset"] for event in page["events"]] == [*range(offset + 1, offset + 1 + len(page["events"]))]
        offset += len(page["events"])
        if offset == page["head"]:
            return digest.hexdigest(), count


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_million_lines_over_two_kills_are_stored_once_in_order(tmp_path: Path) -> None:
    names = [f"writer{number}" for number in range(PROGRAMS)]
    tables = {
        f"process.{name}": python(WRITER, name, LINES, LINES_PER_S, tmp_path / f"{name}.sha256") for name in names
    }
    server = RealServer(tmp_path / "data", config=write_settings(tmp_path / "antiphon.toml", tables))
    await server.start()
    try:
        await asyncio.gather(*(ask(server, "process.start", name=name) for name in names))
        for part in (1, 2):
            await reach(server, f"log:{names[0]}", LINES * part // 3)
            await server.kill()
            await server.start()
        async with httpx2.AsyncClient(base_url=server.url, timeout=DEADLINE_S) as client:
            for name in names:
                await reach(server, f"log:{name}", LINES + 2)  # process.started and process.exited beside the lines
                assert await digest_of(client, f"log:{name}") == ((tmp_path / f"{name}.sha256").read_text(), LINES)
        assert {row["exit_code"] for row in (await rows(server)).values()} == {0}
    finally:
        await server.stop()
