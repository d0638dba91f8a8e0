"""The owner of a run as a script: plain requests, each over a socket of its own; a restarted server is no matter."""

from __future__ import annotations

import asyncio
from typing import Any, Self

from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.workspace import ask

LEASE = "a-lease-for-tests-0123456789"


class Agent:
    """One run; what it says is committed when a call returns."""

    def __init__(self, server: RealServer, run_id: str) -> None:
        self.server = server
        self.run_id = run_id

    @classmethod
    async def open(cls, server: RealServer, name: str, **wanted: Any) -> Self:
        """Begin a run whose lease outlasts every test."""
        opened = await ask(server, "run.open", name=name, lease=LEASE, lease_s=3600, client="agent.py", **wanted)
        return cls(server, opened["run_id"])

    @property
    def page(self) -> str:
        return f"{self.server.url}/runs/{self.run_id}"

    async def say(self, *events: tuple[str, dict[str, Any]]) -> None:
        said = [{"type": type_, "data": data} for type_, data in events]
        await ask(self.server, "run.emit", run_id=self.run_id, lease=LEASE, events=said)

    async def write(self, message_id: str, text: str) -> None:
        """Add to a message that is open."""
        await self.say(("message.append", {"message_id": message_id, "delta": text}))

    async def ask(self, prompt: str, **question: Any) -> str:
        """Ask people something; the question's id."""
        asked = await ask(self.server, "question.ask", run_id=self.run_id, lease=LEASE, prompt=prompt, **question)
        return str(asked["question_id"])

    async def finish(self, status: str = "succeeded", **outcome: Any) -> None:
        await ask(self.server, "run.finish", run_id=self.run_id, lease=LEASE, status=status, **outcome)

    async def until(self, type_: str) -> dict[str, Any]:
        """Wait until the run's channel has an event of this type; its data."""
        async with asyncio.timeout(DEADLINE_S), Rpc.connect(self.server.live) as rpc:
            await rpc.call("subscribe", channel=f"run:{self.run_id}", after="start")
            while True:
                event = await rpc.next("event")
                if event["type"] == type_:
                    data: dict[str, Any] = event["data"]
                    return data
