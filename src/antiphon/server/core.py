"""The parts that everything in the server hands around, assembled once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from antiphon.hub import Hub
from antiphon.server.connections import Connections
from antiphon.server.rates import Rates
from antiphon.server.settings import Settings
from antiphon.services.logs import Logs
from antiphon.services.processes import Processes


@dataclass(slots=True)
class Core:
    """A running server, seen from its transports."""

    settings: Settings
    hub: Hub
    processes: Processes
    logs: Logs
    connections: Connections
    rates: Rates
    started: float = field(default_factory=time.monotonic)
    active_path: str = "asgi"  # which way hot sockets take
    features: tuple[str, ...] = ("processes", "logs")
