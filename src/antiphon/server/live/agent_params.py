"""What enters about agents, threads and tools, for JSON-RPC and HTTP alike."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from antiphon.server.live.params import MAX_LIMIT, SINGLE_LINE, Params
from antiphon.services.agents.values import MAX_TITLE
from antiphon.services.names import Name
from antiphon.services.runs import RunId, ThreadId


class ThreadParams(Params):
    thread_id: ThreadId


class ThreadListParams(Params):
    """Which threads: newest first, behind `before`."""

    agent: Name | None = None
    before: ThreadId | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 100


class ThreadForkParams(ThreadParams):
    """`run_id`: the last run that the new thread remembers; None = the last that has ended."""

    run_id: RunId | None = None


class ThreadRenameParams(ThreadParams):
    title: Annotated[str, Field(pattern=SINGLE_LINE, min_length=1, max_length=MAX_TITLE)]


class ToolCallParams(Params):
    """A call of a tool; what `arguments` must be is the tool's own schema."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    arguments: dict[str, Any] = Field(default_factory=dict)
