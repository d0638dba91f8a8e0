"""The parts that everything in the server hands around, assembled once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from antiphon.hub import Hub
from antiphon.server.canary import Canary
from antiphon.server.connections import Connections
from antiphon.server.rates import Rates
from antiphon.server.readiness import Readiness
from antiphon.server.settings import Settings
from antiphon.services.logs import Logs
from antiphon.services.processes import Processes
from antiphon.transports.base import Limits
from antiphon.transports.crew import Crew


@dataclass(slots=True)
class Core:
    """A running server, seen from its transports."""

    settings: Settings
    hub: Hub
    processes: Processes
    logs: Logs
    connections: Connections
    rates: Rates
    crew: Crew  # owns the tasks of connections
    canary: Canary
    readiness: Readiness
    started: float = field(default_factory=time.monotonic)
    active_path: str = "asgi"  # which way hot sockets take: lean, asgi
    features: tuple[str, ...] = ("processes", "logs")

    @property
    def limits(self) -> Limits:
        """What one connection may use of a transport."""
        limits = self.settings.limits
        return Limits(limits.message_bytes, limits.queued_bytes, limits.stalled_s)
