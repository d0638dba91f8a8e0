"""A run whose owner is the test."""

from __future__ import annotations

from typing import Any

from antiphon import Live


class OwnedRun:
    """Opened when made; the test says what it says."""

    def __init__(self, live: Live, name: str, **wanted: Any) -> None:
        opened = live.request("run.open", {"name": name, "lease_s": 600, **wanted})
        self.id: str = opened["run_id"]
        self._lease = opened["lease"]
        self._live = live

    def say(self, kind: str, **data: Any) -> None:
        event = {"type": kind, "data": data}
        self._live.request("run.emit", {"run_id": self.id, "lease": self._lease, "events": [event]})

    def ask(self, prompt: str, **more: Any) -> str:
        asked = self._live.request("question.ask", {"run_id": self.id, "lease": self._lease, "prompt": prompt, **more})
        return str(asked["question_id"])

    def finish(self, status: str = "succeeded", **more: Any) -> None:
        self._live.request("run.finish", {"run_id": self.id, "lease": self._lease, "status": status, **more})

    def row(self) -> Any:
        return self._live.request("run.get", {"run_id": self.id})["run"]
