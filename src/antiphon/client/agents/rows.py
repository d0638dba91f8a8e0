"""What the service says about agents, threads and tools: plain values, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from antiphon.client.answers import read
from antiphon.client.run.rows import RunRow
from antiphon.client.wire import Wire


@dataclass(frozen=True, slots=True)
class ToolRow:
    """Something that agents, programs and people can call."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)  # JSON Schema of an object
    needs_approval: bool = False  # whether a person is asked before an agent calls it
    source: str = "built-in"  # built-in, python, mcp:NAME


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent that can be asked."""

    name: str
    title: str | None = None
    description: str | None = None
    model: str | None = None  # what answers, unless a question names another one
    models: tuple[str, ...] = ()  # which a question may name
    is_offline: bool = False  # whether no model is asked: it answers with what tools say
    tools: tuple[ToolRow, ...] = ()
    if_busy: str = "queue"  # queue, interrupt, reject
    on_disconnect: str = "continue"
    source: str = ""
    problem: str | None = None  # why it cannot answer now, e.g. that a key is not set


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A row of the table of threads."""

    thread_id: str
    title: str = ""
    agent: str = ""
    by: str | None = None  # who began it
    created_at: datetime | None = None
    updated_at: datetime | None = None
    runs: int = 0  # how many answers it has
    running: str | None = None  # the run that is answering now
    queued: tuple[str, ...] = ()  # runs that wait for their turn
    forked_from: dict[str, Any] | None = None  # {thread_id, run_id}
    usage: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ThreadDetails:
    """A thread and its runs, oldest first; what was said is in the runs' channels."""

    thread: ThreadRow
    runs: tuple[RunRow, ...] = ()


class _Agents(Wire):
    agents: tuple[AgentRow, ...]


class _Threads(Wire):
    threads: tuple[ThreadRow, ...]


class _Thread(Wire):
    thread: ThreadRow
    runs: tuple[RunRow, ...] = ()


class _Tools(Wire):
    tools: tuple[ToolRow, ...]


class _Result(Wire):
    result: Any


def read_agents(result: Any) -> tuple[AgentRow, ...]:
    """The result of `agent.list`."""
    return read(_Agents, result).agents


def read_threads(result: Any) -> tuple[ThreadRow, ...]:
    """The result of `thread.list`."""
    return read(_Threads, result).threads


def read_thread(result: Any) -> ThreadRow:
    """The result of `thread.fork` and `thread.rename`."""
    return read(_Thread, result).thread


def read_thread_details(result: Any) -> ThreadDetails:
    """The result of `thread.get`."""
    found = read(_Thread, result)
    return ThreadDetails(found.thread, found.runs)


def read_tools(result: Any) -> tuple[ToolRow, ...]:
    """The result of `tool.list`."""
    return read(_Tools, result).tools


def read_tool_result(result: Any) -> Any:
    """The result of `tool.call`."""
    return read(_Result, result).result
