"""Puts the dialect together from its parts of this server."""

from __future__ import annotations

from starlette.routing import BaseRoute

from antiphon.dialects import bettafish
from antiphon.dialects.base import Dialect
from antiphon.dialects.bettafish import Render
from antiphon.server.core import Core
from antiphon.server.dialects.bettafish.consoles import ConsolesOfHub
from antiphon.server.dialects.bettafish.keeping import EnvFile
from antiphon.server.dialects.bettafish.reports import ReportsOfCore
from antiphon.server.dialects.bettafish.stream import stream_route
from antiphon.server.dialects.bettafish.system import SystemOfCore


def make_bettafish(core: Core) -> tuple[Dialect, tuple[BaseRoute, ...]]:
    """The dialect, and its routes that are no single answer."""
    reports = ReportsOfCore(core)
    desk = bettafish.Desk(
        consoles=ConsolesOfHub(core.hub, _logs()),
        system=SystemOfCore(core),
        keeping=EnvFile(core.settings),
        reports=reports,
    )
    others = {*core.settings.log, *core.settings.process}  # one called `forum` writes the records itself
    dialect = bettafish.make_dialect(desk, reads_records=core.forum is None and bettafish.FORUM in others)
    return dialect, (stream_route(core, reports),)


def _logs() -> dict[str, tuple[str, str, Render]]:
    """By app: the channel, where counting begins, and how it is written."""
    engines = {
        app: (bettafish.channel_of(app), "process.started", bettafish.render_console) for app in bettafish.ENGINES
    }
    forum = (bettafish.channel_of(bettafish.FORUM), bettafish.CLEARED, bettafish.render_forum)
    return {**engines, bettafish.FORUM: forum}
