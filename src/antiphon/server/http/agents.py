"""Agents, their threads, and tools over HTTP. Asking an agent something is `POST /api/runs/start`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from antiphon.server.body import documented, read_object
from antiphon.server.http.answers import Json, TheCore, TheUser
from antiphon.server.live import agent_commands, tool_commands
from antiphon.server.live.agent_params import (
    ThreadForkParams,
    ThreadListParams,
    ThreadParams,
    ThreadRenameParams,
    ToolCallParams,
)
from antiphon.server.live.params import NoParams, Params, check

router = APIRouter(prefix="/api", tags=["agents"])

P = TypeVar("P", bound=Params)
TheThreadId = Annotated[str, Path(description="Id of a thread")]
TheToolName = Annotated[str, Path(description="Name of a tool")]


def of_thread(model: type[P]) -> Callable[[Request, str], Awaitable[P]]:
    """A dependency that reads the body as `model`; the path says which thread."""

    async def read(request: Request, thread_id: TheThreadId) -> P:
        return check(model, await read_object(request, thread_id=thread_id), at="")

    return read


def documented_of_thread(model: type[Params]) -> dict[str, Any]:
    return documented(model, "thread_id")


async def _call(request: Request, name: TheToolName) -> ToolCallParams:
    return check(ToolCallParams, await read_object(request, name=name), at="")


@router.get("/agents")
async def list_agents(core: TheCore, user: TheUser) -> Response:
    """The agents that one may ask."""
    return Json(await agent_commands.list_agents(core, user, NoParams()))


@router.get("/threads")
async def list_threads(
    core: TheCore,
    user: TheUser,
    agent: str | None = None,
    before: Annotated[str | None, Query(description="Id of a thread: only those behind it")] = None,
    limit: int = 100,
) -> Response:
    """Threads, the newest first."""
    wanted = check(ThreadListParams, {"agent": agent, "before": before, "limit": limit}, at="")
    return Json(await agent_commands.list_threads(core, user, wanted))


@router.get("/threads/{thread_id}")
async def get_thread(core: TheCore, user: TheUser, thread_id: TheThreadId) -> Response:
    """A thread and its runs, the oldest first."""
    wanted = check(ThreadParams, {"thread_id": thread_id}, at="")
    return Json(await agent_commands.get_thread(core, user, wanted))


@router.post("/threads/{thread_id}/fork", status_code=201, openapi_extra=documented_of_thread(ThreadForkParams))
async def fork_thread(
    core: TheCore, user: TheUser, wanted: Annotated[ThreadForkParams, Depends(of_thread(ThreadForkParams))]
) -> Response:
    """A new thread that remembers everything up to and including a run."""
    return Json(await agent_commands.fork_thread(core, user, wanted), status_code=201)


@router.post("/threads/{thread_id}", openapi_extra=documented_of_thread(ThreadRenameParams))
async def rename_thread(
    core: TheCore, user: TheUser, wanted: Annotated[ThreadRenameParams, Depends(of_thread(ThreadRenameParams))]
) -> Response:
    """Give a thread another title."""
    return Json(await agent_commands.rename_thread(core, user, wanted))


@router.delete("/threads/{thread_id}")
async def delete_thread(core: TheCore, user: TheUser, thread_id: TheThreadId) -> Response:
    """Forget a thread and what it remembers; its runs stay."""
    wanted = check(ThreadParams, {"thread_id": thread_id}, at="")
    return Json(await agent_commands.delete_thread(core, user, wanted))


@router.get("/tools")
async def list_tools(core: TheCore, user: TheUser) -> Response:
    """The tools that one may call, and the servers that bring some of them."""
    return Json(await tool_commands.list_tools(core, user, NoParams()))


@router.post("/tools/{name}/call", openapi_extra=documented(ToolCallParams, "name"))
async def call_tool(core: TheCore, user: TheUser, wanted: Annotated[ToolCallParams, Depends(_call)]) -> Response:
    """Call a tool."""
    return Json(await tool_commands.call_tool(core, user, wanted))
