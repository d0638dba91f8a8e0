"""The agent engine's dialect over the server's own agents and tools."""

from __future__ import annotations

from functools import partial

from antiphon.dialects.agent_engine import AgentEngine, Answerer
from antiphon.dialects.base import Dialect
from antiphon.server.core import Core

DEFAULT_AGENT = "assistant"
UNKNOWN_VENDOR = "unknown"


def make_agent_engine(core: Core) -> Dialect:
    return AgentEngine(partial(_answerer, core), partial(_checks, core)).dialect()


def _answerer(core: Core) -> Answerer:
    """Who is set, else `assistant`, else the first agent."""
    rows = {row["name"]: row for row in core.agents.rows} if core.agents is not None else {}
    name = core.settings.dialect.agent_engine.agent
    if name is None:
        name = DEFAULT_AGENT if DEFAULT_AGENT in rows or not rows else next(iter(rows))
    row = rows.get(name)
    if row is None:
        return Answerer(name, UNKNOWN_VENDOR, "continue")
    return Answerer(name, _vendor(core, row["model"]), row["on_disconnect"])


def _vendor(core: Core, model: str | None) -> str:
    """Whose model it is: the provider of `[model.NAME]`, or what stands before the colon."""
    if not model:
        return UNKNOWN_VENDOR
    configured = core.settings.model.get(model)
    return configured.provider if configured is not None else model.partition(":")[0]


def _checks(core: Core) -> dict[str, bool]:
    """By the protocol's own names."""
    can_answer = _answerer(core).name in core.runs.names
    return {
        "engine": can_answer,
        "llm": can_answer,
        "tools": bool(core.tools.rows),
        "memory": core.hub.has_room,
    }
