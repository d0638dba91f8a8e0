"""`live.agents`, `live.threads` and `live.tools`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from antiphon.client.agents import rows
from antiphon.client.agents.answer import AgentAnswer, Asker
from antiphon.client.agents.rows import AgentRow, ThreadDetails, ThreadRow, ToolRow
from antiphon.client.run.face import OnDisconnect
from antiphon.client.run.plain import plain
from antiphon.client.run.port import new_id, new_run_id
from antiphon.errors import ConnectionLost, NotFound

REQUEST_S = 30.0
TOOL_S = 90.0  # a tool has 60 s of its own, usually

Ask = Callable[[str, Mapping[str, Any], bool, float | None], Awaitable[Any]]
"""A request: method, parameters, whether asking twice does no harm, seconds."""


class Agents:
    """Agents that can be asked."""

    def __init__(self, live: Asker, ask: Ask) -> None:
        self._live = live
        self._ask = ask

    async def list(self, *, timeout_s: float | None = REQUEST_S) -> tuple[AgentRow, ...]:
        """Those that one may ask, by name."""
        return rows.read_agents(await self._ask("agent.list", {}, True, timeout_s))

    def ask(
        self,
        agent: str,
        question: str | Mapping[str, Any],
        *,
        thread_id: str | None = None,
        model: str | None = None,
        if_busy: Literal["queue", "interrupt", "reject"] | None = None,
        run_id: str | None = None,
        labels: Mapping[str, str] | None = None,
        on_disconnect: OnDisconnect = "continue",
        timeout_s: float | None = REQUEST_S,
    ) -> AgentAnswer:
        """Ask an agent: `async with live.agents.ask(...) as answer`, or `await live.agents.ask(...).result()`.

        Args:
            question: A text, or the whole input (docs/agents.md): `{"prompt": ..., "instructions": ...}`.
            thread_id: The conversation, `live.threads.new_id()` for a new one; None = the question stands alone.
            model: One of the agent's `models`; None = its first.
            if_busy: What becomes of it while the thread is answering; None = as the agent is set.
            run_id: One of your own, so that a program that tries again asks once.
            on_disconnect: "cancel": stop it when this client's connection stays away for 5 s.
            timeout_s: Seconds for asking, not for the answer.
        Raises (where it is asked):
            NotFound: There is no such agent.
            InvalidParams: The input does not fit; `.pointer` says where.
            ThreadBusy: The thread is answering, and `if_busy` is "reject".
        """
        given = {"prompt": question} if isinstance(question, str) else dict(question)
        asked = {
            "input": given | _given(model=model, if_busy=if_busy),
            "thread_id": thread_id,
            "run_id": new_run_id() if run_id is None else run_id,
            "labels": labels,
            "on_disconnect": on_disconnect,
            "timeout_s": timeout_s,
        }
        return AgentAnswer(self._live, agent, asked)


class Threads:
    """Conversations with agents: what they remember."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def new_id(self) -> str:
        """An id for a new thread; the first question makes the thread."""
        return new_id("thread")

    async def list(
        self,
        *,
        agent: str | None = None,
        before: str | None = None,
        limit: int = 100,
        timeout_s: float | None = REQUEST_S,
    ) -> tuple[ThreadRow, ...]:
        """Threads, newest first. Go on with `before=` the last thread's id."""
        params = _given(agent=agent, before=before, limit=limit)
        return rows.read_threads(await self._ask("thread.list", params, True, timeout_s))

    async def get(self, thread_id: str, *, timeout_s: float | None = REQUEST_S) -> ThreadDetails:
        """A thread and its runs. Raises NotFound."""
        return rows.read_thread_details(await self._ask("thread.get", {"thread_id": thread_id}, True, timeout_s))

    async def fork(
        self, thread_id: str, run_id: str | None = None, *, timeout_s: float | None = REQUEST_S
    ) -> ThreadRow:
        """A new thread that remembers everything up to and including a run; None = the last that has ended.

        Raises:
            NotFound: There is no such thread, or no such run in it.
            ConflictError: That run has not ended.
            ConnectionLost: Whether there is a new thread is not known.
        """
        params = _given(thread_id=thread_id, run_id=run_id)
        return rows.read_thread(await self._ask("thread.fork", params, False, timeout_s))

    async def rename(self, thread_id: str, title: str, *, timeout_s: float | None = REQUEST_S) -> ThreadRow:
        """Give a thread another title. Raises NotFound."""
        params = {"thread_id": thread_id, "title": title}
        return rows.read_thread(await self._ask("thread.rename", params, True, timeout_s))

    async def delete(self, thread_id: str, *, timeout_s: float | None = REQUEST_S) -> None:
        """Forget a thread and what it remembers; its runs stay. Raises NotFound; ThreadBusy while it is answering."""
        was_asked = False
        while True:
            try:
                await self._ask("thread.delete", {"thread_id": thread_id}, False, timeout_s)
            except ConnectionLost:
                was_asked = True
            except NotFound:
                if not was_asked:
                    raise
                return  # the first time was heard
            else:
                return


class Tools:
    """Tools that agents, programs and people can call."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def list(self, *, timeout_s: float | None = REQUEST_S) -> tuple[ToolRow, ...]:
        """Those that one may call, by name."""
        return rows.read_tools(await self._ask("tool.list", {}, True, timeout_s))

    async def call(
        self, name: str, arguments: Mapping[str, Any] | None = None, *, timeout_s: float | None = TOOL_S
    ) -> Any:
        """Call a tool oneself; returns its result as plain JSON.

        Raises:
            NotFound: There is no such tool.
            InvalidParams: The arguments do not fit its schema; `.pointer` says where.
            ToolError: It could not do what it was asked; the message is its own.
            ConnectionLost: The connection was lost meanwhile: whether it was called is not known.
        """
        params = {"name": name, "arguments": plain(dict(arguments or {}))}
        return rows.read_tool_result(await self._ask("tool.call", params, False, timeout_s))


def _given(**params: Any) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
