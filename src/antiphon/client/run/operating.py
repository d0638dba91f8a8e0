"""What a client can do with runs and questions of others: a part of AsyncLive."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from antiphon.client.address import Address
from antiphon.client.run import rows
from antiphon.client.run.face import OnDisconnect, new_run
from antiphon.client.run.plain import plain
from antiphon.client.run.rows import CancelReceipt, QuestionRow, RunDetails, RunPage, RunResult, RunRow
from antiphon.client.run.transfer import fetch, send

REQUEST_S = 30.0
FILE_S = 120.0
LONGEST_WAIT_S = 600.0  # of one `run.result`; a longer wait is several


class Operating:
    """Starting, watching, cancelling and answering."""

    @abstractmethod
    async def _ask(self, method: str, params: Mapping[str, Any], repeatable: bool, timeout_s: float | None) -> Any: ...

    @property
    @abstractmethod
    def _address(self) -> Address: ...

    async def start_run(
        self,
        name: str,
        input: Any = None,  # noqa: A002  # the protocol's word
        *,
        run_id: str | None = None,
        title: str | None = None,
        thread_id: str | None = None,
        parent: str | None = None,
        labels: Mapping[str, str] | None = None,
        on_disconnect: OnDisconnect = "continue",
        timeout_s: float | None = REQUEST_S,
    ) -> RunRow:
        """Start something that the server offers (`@live.runnable`); it goes on without this program.

        Args:
            run_id: One of your own, so that a program that tries again starts one run; None = made for this call.
            parent: The run that it belongs to: a cancel of that one reaches it.
            on_disconnect: "cancel": cancel it when this client's connection stays away for 5 s.
        Raises:
            NotFound: Nothing of this name can be started; the message says what can.
            InvalidParams: The input does not fit.
            ConflictError: There is a run with this id and another name.
        """
        wanted = new_run(
            name,
            input=input,
            run_id=run_id,
            title=title,
            thread_id=thread_id,
            parent_run_id=parent,
            labels=labels,
            on_disconnect=on_disconnect,
        )
        return rows.read_run(await self._ask("run.start", wanted, True, timeout_s))

    async def runs(
        self,
        *,
        status: str | Sequence[str] | None = None,
        name: str | None = None,
        by: str | None = None,
        thread_id: str | None = None,
        parent: str | None = None,
        label: Mapping[str, str] | None = None,
        before: str | None = None,
        limit: int = 100,
        timeout_s: float | None = REQUEST_S,
    ) -> RunPage:
        """Runs that fit, newest first, and the names of what can be started. Go on with `before=` the last run's id."""
        params = {
            "status": [status] if isinstance(status, str) else None if status is None else list(status),
            "name": name,
            "by": by,
            "thread_id": thread_id,
            "parent_run_id": parent,
            "label": None if label is None else dict(label),
            "before": before,
            "limit": limit,
        }
        return rows.read_runs(await self._ask("run.list", _given(params), True, timeout_s))

    async def get_run(self, run_id: str, *, timeout_s: float | None = REQUEST_S) -> RunDetails:
        """One run with its input, outcome, children and questions. Raises NotFound."""
        return rows.read_details(await self._ask("run.get", {"run_id": run_id}, True, timeout_s))

    async def cancel_run(
        self, run_id: str, reason: str | None = None, *, timeout_s: float | None = REQUEST_S
    ) -> CancelReceipt:
        """Cancel a run and all below it; twice, or too late, does no harm. Raises NotFound."""
        params = _given({"run_id": run_id, "reason": reason})
        return rows.read_receipt(await self._ask("run.cancel", params, True, timeout_s))

    async def run_result(self, run_id: str, *, timeout_s: float | None = 30.0) -> RunResult:
        """Wait until a run has ended; `status` is `running` if it has not by then. None = for ever. Raises NotFound."""
        now = asyncio.get_running_loop().time
        deadline = None if timeout_s is None else now() + timeout_s
        while True:
            left = LONGEST_WAIT_S if deadline is None else min(LONGEST_WAIT_S, max(0.0, deadline - now()))
            params = {"run_id": run_id, "timeout_s": left}
            found = rows.read_result(await self._ask("run.result", params, True, left + REQUEST_S))
            if found.status in rows.ENDED or (deadline is not None and now() >= deadline):
                return found

    async def questions(
        self,
        status: Literal["open", "answered", "withdrawn"] | None = "open",
        *,
        run_id: str | None = None,
        by: str | None = None,
        timeout_s: float | None = REQUEST_S,
    ) -> tuple[QuestionRow, ...]:
        """Questions by deadline, those without one last. `by`: who started the run, or who answered."""
        params = _given({"status": status, "run_id": run_id, "by": by})
        return rows.read_questions(await self._ask("question.list", params, True, timeout_s))

    async def answer(
        self,
        question_id: str,
        answer: Any = None,
        *,
        action: Literal["answer", "approve", "edit", "reject"] | None = None,
        timeout_s: float | None = REQUEST_S,
    ) -> QuestionRow:
        """Answer a question. The first answer counts.

        Args:
            answer: One of the options' values, what fits the schema, or a text; for `reject` the reason, if any.
            action: For approvals: "approve", "edit" (with the changed value) or "reject".
        Raises:
            AlreadyAnswered: Somebody was first, or it was withdrawn; `.question` is its row.
            InvalidParams: It does not fit; `.pointer` says where.
            ConnectionLost: The connection was lost meanwhile: whether it counts is not known.
        """
        params = _given({"question_id": question_id, "answer": plain(answer), "action": action})
        return rows.read_question(await self._ask("question.answer", params, False, timeout_s))

    async def export_run(self, run_id: str, *, timeout_s: float | None = FILE_S) -> bytes:
        """A run as a file: lines of JSON, a head and then its events. Raises NotFound."""
        return await fetch(self._address, f"/api/runs/{quote(run_id, safe='')}/export", timeout_s=timeout_s)

    async def import_run(self, exported: bytes, *, timeout_s: float | None = FILE_S) -> RunRow:
        """Take such a file in as a new run, to look at. Raises InvalidParams, whose message names the line."""
        return rows.read_run(await send(self._address, "/api/runs/import", exported, timeout_s=timeout_s))


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
