"""Which dialects there are, and how each is made for a running server."""

from __future__ import annotations

from typing import NamedTuple

from starlette.routing import BaseRoute

from antiphon.dialects import FACTS, agent_engine, bettafish
from antiphon.dialects.base import Dialect
from antiphon.server.core import Core
from antiphon.server.dialects.agent_engine import make_agent_engine
from antiphon.server.dialects.bettafish import make_bettafish
from antiphon.server.dialects.talks import Seats, TalkOpener
from antiphon.server.settings.dialects import DialectSettings
from antiphon.server.sockets import SocketPath
from antiphon.transports.sweep import Beat, Sweep

TICK_S = Beat().tick_s
ANSWER_S = 20.0  # for the answer to a ping


class Served(NamedTuple):
    """A dialect of a running server: what it is, as what it is set, and its sockets."""

    dialect: Dialect
    settings: DialectSettings
    sockets: tuple[SocketPath, ...]
    sweep: Sweep | None = None  # of its own; to be stopped
    routes: tuple[BaseRoute, ...] = ()  # beside the dialect's: what is no question with one answer, such as polling

    @property
    def name(self) -> str:
        return self.dialect.facts.name


def make_all(core: Core) -> list[Served]:
    """All that are turned on."""
    makers = {agent_engine.FACTS.name: _agent_engine, bettafish.FACTS.name: _bettafish}
    turned_on = [facts.name for facts in FACTS if getattr(core.settings.dialect, facts.name).enabled]
    return [makers[name](core) for name in turned_on]


def _agent_engine(core: Core) -> Served:
    settings = core.settings.dialect.agent_engine
    dialect = make_agent_engine(core)
    sweep = Sweep(beat_of(settings.heartbeat_s), stalled_s=core.limits.stalled_s)
    return Served(dialect, settings, talking_paths(core, dialect, settings.max_connections, sweep), sweep)


def _bettafish(core: Core) -> Served:
    dialect, routes = make_bettafish(core)
    return Served(dialect, core.settings.dialect.bettafish, (), routes=routes)


def talking_paths(core: Core, dialect: Dialect, limit: int, sweep: Sweep | None) -> tuple[SocketPath, ...]:
    """The plain sockets of a dialect, which share its seats."""
    seats = Seats(limit)
    return tuple(
        SocketPath(path, TalkOpener(core, dialect, seats, talk), sweep) for path, talk in dialect.sockets.items()
    )


def beat_of(interval_s: float) -> Beat:
    """A ping each `interval_s` seconds; an answer is waited for until the next one, at most 20 s."""
    pings = max(2, round(interval_s / TICK_S))
    return Beat(ping_ticks=pings, answer_ticks=min(round(ANSWER_S / TICK_S), pings - 1))
