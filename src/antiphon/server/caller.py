"""The server on behalf of one user, for dialects: the same commands as on `/live`, so the same grants and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from antiphon.dialects.base import Row
from antiphon.hub import History
from antiphon.server.access import User, require
from antiphon.server.core import Core
from antiphon.server.live import question_commands, run_commands, tool_commands
from antiphon.server.live.agent_params import ToolCallParams
from antiphon.server.live.params import check
from antiphon.server.live.question_params import QuestionAnswerParams
from antiphon.server.live.run_params import RunCancelParams, RunParams, RunStartParams
from antiphon.services.runs import run_channel


class UserCaller:
    """What a dialect's `Caller` is.

    Args:
        connection: Id of the socket that asks, for `on_disconnect`; None = it came over HTTP.
    """

    __slots__ = ("_connection", "_core", "_user")

    def __init__(self, core: Core, user: User, connection: str | None = None) -> None:
        self._core = core
        self._user = user
        self._connection = connection

    @property
    def user(self) -> str:
        return self._user.name

    def require(self, action: Literal["read", "publish", "control"], resource: str) -> None:
        require(self._user, action, resource)

    async def start(
        self,
        name: str,
        *,
        input: Any,  # noqa: A002 - the word of the wire
        run_id: str | None = None,
        thread_id: str | None = None,
        on_disconnect: str = "continue",
        labels: Mapping[str, str] | None = None,
    ) -> Row:
        given = {
            "name": name,
            "input": input,
            "run_id": run_id,
            "thread_id": thread_id,
            "labels": dict(labels or {}),
            "on_disconnect": "continue" if self._connection is None else on_disconnect,
        }
        wanted = check(RunStartParams, given, at="/params")
        row: Row = (await run_commands.start(self._core, self._user, wanted, self._connection))["run"]
        return row

    async def cancel(self, run_id: str, *, reason: str | None = None) -> Row:
        wanted = check(RunCancelParams, {"run_id": run_id, "reason": reason}, at="/params")
        return await run_commands.cancel(self._core, self._user, wanted)

    def row(self, run_id: str) -> Row:
        require(self._user, "read", run_channel(run_id))
        return run_commands.row_of(self._core, run_id)

    async def details(self, run_id: str) -> Row:
        return await run_commands.get(self._core, self._user, check(RunParams, {"run_id": run_id}, at="/params"))

    async def answer(self, question_id: str, *, answer: Any = None, action: str | None = None) -> Row:
        given = {"question_id": question_id, "answer": answer, "action": action}
        wanted = check(QuestionAnswerParams, given, at="/params")
        row: Row = (await question_commands.answer(self._core, self._user, wanted))["question"]
        return row

    def questions(self, run_id: str) -> list[Row]:
        require(self._user, "read", run_channel(run_id))
        return list(self._core.questions.list(status="open", run_id=run_id))

    async def history(
        self, channel: str, *, after: int | None = None, before: int | None = None, limit: int = 100
    ) -> History:
        require(self._user, "read", channel)
        return await self._core.hub.history(channel, after=after, before=before, limit=limit)

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> Any:
        wanted = check(ToolCallParams, {"name": name, "arguments": dict(arguments)}, at="/params")
        return (await tool_commands.call_tool(self._core, self._user, wanted))["result"]

    def agents(self) -> list[Row]:
        rows = [] if self._core.agents is None else self._core.agents.rows
        return [row for row in rows if self._user.may("control", f"run:{row['name']}")]
