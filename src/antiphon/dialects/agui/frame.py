"""The beginning and the end of an AG-UI run: its names, its outcome, and what it has used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.dialects.agui.parts import Said

PROTOCOL = "1.0"
_COUNTS = {"input_tokens": "inputTokens", "output_tokens": "outputTokens", "total_tokens": "totalTokens"}


class Frame:
    """What opens and closes a run; see `AguiTranslator` for the arguments."""

    def __init__(self, row: Mapping[str, Any], run_id: str | None, thread_id: str | None, *, legacy: bool) -> None:
        self._row = row
        self._run_id = run_id
        self._thread_id = thread_id
        self._legacy = legacy
        self._usage: dict[str, Any] = {}

    def name(self, run_id: str, thread_id: str) -> None:
        """What the run's starter called it; whoever asked for another name keeps that."""
        self._run_id = self._run_id or run_id
        self._thread_id = self._thread_id or thread_id

    def count(self, usage: Mapping[str, Any]) -> None:
        """Totals so far."""
        self._usage |= {name: value for name, value in usage.items() if value is not None}

    @property
    def _ids(self) -> Said:
        run_id = self._run_id or self._row["run_id"]
        return {"threadId": self._thread_id or self._row["thread_id"] or run_id, "runId": run_id}

    @property
    def _used(self) -> Said:
        used = {word: self._usage[name] for name, word in {**_COUNTS, "model": "model"}.items() if name in self._usage}
        return {"usage": [used]} if used and not self._legacy else {}

    def started(self) -> Said:
        said: Said = {"type": "RUN_STARTED", **self._ids}
        if not self._legacy:
            said["protocolVersion"] = PROTOCOL
            said["metadata"] = {"antiphon": {"run_id": self._row["run_id"], "name": self._row["name"]}}
        if self._row["parent_run_id"] is not None:
            said["parentRunId"] = self._row["parent_run_id"]
        return said

    def succeeded(self, data: Any, pending: list[str]) -> Said:
        """`pending`: the calls that are left to the client."""
        found: Said = {} if data["result"] is None else {"result": data["result"]}
        if pending and not self._legacy:
            found["outcome"] = {"type": "success", "pendingToolCallIds": pending}
        return self._finished(found)

    def interrupted(self, interrupts: list[Said]) -> Said:
        return self._finished({"outcome": {"type": "interrupt", "interrupts": interrupts}})

    def cancelled(self, data: Any) -> Said:
        """Never a success: a client from before 1.0 would read the outcome as one."""
        if self._legacy:
            return self._error(data["reason"] or "the run was cancelled", "cancelled")
        why = {name: data[name] for name in ("reason", "by") if data.get(name) is not None}
        return self._finished({"outcome": {"type": "cancelled"}, **({"metadata": {"antiphon": why}} if why else {})})

    def failed(self, data: Any) -> Said:
        error = data["error"] or {}
        return self._error(error.get("message") or "the run failed", error.get("type") or "failed")

    def lost(self, data: Any) -> Said:
        return self._error(data["reason"] or "the run was lost", "lost")

    def _finished(self, found: Said) -> Said:
        return {"type": "RUN_FINISHED", **self._ids, **found, **self._used}

    def _error(self, message: str, code: str) -> Said:
        return {"type": "RUN_ERROR", "message": message, "code": code, **self._used}
