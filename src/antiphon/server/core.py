"""The parts that everything in the server hands around, assembled once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from antiphon.hub import Hub
from antiphon.server.auth import Authenticator
from antiphon.server.canary import Canary
from antiphon.server.connections import Connections
from antiphon.server.rates import Rates
from antiphon.server.readiness import Readiness
from antiphon.server.runnables import Runnable
from antiphon.server.settings import Settings
from antiphon.services.forum import Forum
from antiphon.services.logs import Logs
from antiphon.services.processes import Processes
from antiphon.services.questions import Questions
from antiphon.services.runs import Runs
from antiphon.services.tools import Tools
from antiphon.transports.base import Limits
from antiphon.transports.crew import Crew

if TYPE_CHECKING:  # it needs the extra
    from antiphon.services.agents.service import Agents

FEATURES = ("processes", "logs", "runs", "questions", "tools")


@dataclass(slots=True)
class Core:
    """A running server, seen from its transports."""

    settings: Settings
    hub: Hub
    processes: Processes
    logs: Logs
    runs: Runs
    questions: Questions
    tools: Tools
    agents: Agents | None  # None = the extra is not installed
    forum: Forum | None  # None = it is turned off
    runnables: Mapping[str, Runnable]  # functions that can be started, by name
    authenticator: Authenticator
    connections: Connections
    rates: Rates
    crew: Crew  # owns the tasks of connections
    canary: Canary
    readiness: Readiness
    started: float = field(default_factory=time.monotonic)
    cancels: int = 0  # how many were asked for
    active_path: str = "asgi"  # which way hot sockets take: lean, asgi

    @property
    def features(self) -> tuple[str, ...]:
        """What this server offers, as `welcome` says it."""
        extra = (("agents", self.agents), ("forum", self.forum))
        return (*FEATURES, *(name for name, service in extra if service is not None))

    @property
    def limits(self) -> Limits:
        """What one connection may use of a transport."""
        limits = self.settings.limits
        return Limits(limits.message_bytes, limits.queued_bytes, limits.stalled_s)
