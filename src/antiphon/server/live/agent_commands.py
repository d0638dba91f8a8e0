"""Agents and their threads, as clients may ask about them. Asking an agent something is `run.start`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antiphon.errors import NotFound
from antiphon.server.access import User, require
from antiphon.server.core import Core
from antiphon.server.live.agent_params import ThreadForkParams, ThreadListParams, ThreadParams, ThreadRenameParams
from antiphon.server.live.params import NoParams

if TYPE_CHECKING:  # it needs the extra
    from antiphon.services.agents.service import Agents


async def list_agents(core: Core, user: User, _: NoParams) -> dict[str, Any]:
    """Those that the caller may ask."""
    rows = [] if core.agents is None else core.agents.rows
    return {"agents": [row for row in rows if user.may("control", f"run:{row['name']}")]}


async def list_threads(core: Core, user: User, wanted: ThreadListParams) -> dict[str, Any]:
    require(user, "read", "threads")
    if core.agents is None:
        return {"threads": []}
    return {"threads": core.agents.threads(agent=wanted.agent, before=wanted.before, limit=wanted.limit)}


async def get_thread(core: Core, user: User, wanted: ThreadParams) -> dict[str, Any]:
    require(user, "read", f"thread:{wanted.thread_id}")
    agents = the_agents(core)
    return {"thread": agents.thread(wanted.thread_id), "runs": agents.runs_of(wanted.thread_id)}


async def fork_thread(core: Core, user: User, wanted: ThreadForkParams) -> dict[str, Any]:
    require(user, "read", f"thread:{wanted.thread_id}")
    agents = _controlled(core, user, wanted)
    return {"thread": await agents.fork(wanted.thread_id, wanted.run_id, by=user.name)}


async def rename_thread(core: Core, user: User, wanted: ThreadRenameParams) -> dict[str, Any]:
    agents = _controlled(core, user, wanted)
    return {"thread": await agents.rename(wanted.thread_id, wanted.title)}


async def delete_thread(core: Core, user: User, wanted: ThreadParams) -> dict[str, Any]:
    agents = _controlled(core, user, wanted)
    await agents.delete(wanted.thread_id)
    return {}


def the_agents(core: Core) -> Agents:
    """Raises NotFound where the extra is not installed."""
    if core.agents is None:
        raise NotFound("this server has no agents: they need pip install 'antiphon[agents]'")
    return core.agents


def _controlled(core: Core, user: User, wanted: ThreadParams) -> Agents:
    """The agents, if the caller may change this thread. Raises NotFound, Forbidden."""
    agents = the_agents(core)
    require(user, "control", f"thread:{agents.thread(wanted.thread_id)['agent']}")
    return agents
