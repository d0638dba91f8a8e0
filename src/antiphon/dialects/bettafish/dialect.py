"""The protocol as a whole: what it says over Socket.IO, its routes, its own small page."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from antiphon.dialects.base import Dialect, Facts
from antiphon.dialects.bettafish import answers, control, reporting
from antiphon.dialects.bettafish.apps import ENGINES, FORUM, channel_of, statuses
from antiphon.dialects.bettafish.desk import Desk
from antiphon.dialects.bettafish.forum import CLEARED
from antiphon.dialects.bettafish.space import Room

STREAM: Final = reporting.STREAM
HOME: Final = Path(__file__).parent / "page"
_REPORT = ("status", "log", "log/clear", "templates", "generate")
_OF_TASK = ("progress", "stream", "cancel", "result", "download", "export/pdf", "export/md")

FACTS: Final = Facts(
    name="bettafish",
    paths=(
        *(answers.STATUS, answers.SYSTEM_STATUS, answers.OUTPUT, answers.FORUM_LOG, answers.FORUM_HISTORY),
        *(control.SYSTEM_START, control.SYSTEM_RESTART, control.SYSTEM_SHUTDOWN, control.CONFIG, control.SEARCH),
        *control.BY_GET,
        *(f"{reporting.BASE}/{name}" for name in _REPORT),
        *(f"{reporting.BASE}/{name}/{{task_id}}" for name in _OF_TASK),
        f"{reporting.BASE}/result/{{task_id}}/json",
    ),
    changed_by_get=tuple(path.replace("{app}", "*") for path in control.BY_GET),
    numbered={**{channel_of(app): "process.started" for app in ENGINES}, channel_of(FORUM): CLEARED},
)


def make_dialect(desk: Desk, *, reads_records: bool) -> Dialect:
    """The dialect over a server.

    Args:
        reads_records: Another program writes `forum.log`: what the chat shows is found there.
    """
    system = desk.system
    room = Room(lambda: statuses(system.rows(), has_forum=system.has_forum), reads_records=reads_records)
    return Dialect(
        facts=FACTS,
        sockets={},
        full=lambda _: b"",
        routes=(
            *answers.Answers(desk).routes(),
            *control.Control(desk).routes(),
            *reporting.Reporting(desk.reports).routes(),
        ),
        space=room.space(),
        home=HOME,
    )
