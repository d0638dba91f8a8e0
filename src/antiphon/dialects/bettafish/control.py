"""HTTP: starting and stopping, the configuration dialog, and what nobody answers any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from antiphon.dialects.base import Ask, Reply, Route
from antiphon.dialects.bettafish import config
from antiphon.dialects.bettafish.answers import caller_of
from antiphon.dialects.bettafish.apps import APPS, ENGINES, FORUM
from antiphon.dialects.bettafish.bodies import agreed, object_of, refused
from antiphon.dialects.bettafish.desk import Desk

CONFIG: Final = "/api/config"
NEEDS_CONFIG: Final = "control server:config"
SEARCH: Final = "/api/search"
SYSTEM_START, SYSTEM_RESTART, SYSTEM_SHUTDOWN = "/api/system/start", "/api/system/restart", "/api/system/shutdown"
FORUM_START, FORUM_STOP = "/api/forum/start", "/api/forum/stop"
START, STOP, TEST_LOG = "/api/start/{app}", "/api/stop/{app}", "/api/test_log/{app}"
BY_GET: Final = (START, STOP, TEST_LOG, FORUM_START, FORUM_STOP)
"""Changed by GET in the original; here a GET must come from a page of ours."""

NO_FILE: Final = (
    "these values cannot be stored here: the programs are configured in antiphon.toml; "
    "set dialect.bettafish.env_file to keep them in a file"
)
NO_SEARCH: Final = "no search API answers for this app; open its own page instead"


class Control:
    """What changes something."""

    def __init__(self, desk: Desk) -> None:
        self._system = desk.system
        self._keeping = desk.keeping

    def routes(self) -> Sequence[Route]:
        both = {START: self._start, STOP: self._stop, TEST_LOG: self._test_log}
        both |= {FORUM_START: self._forum_start, FORUM_STOP: self._forum_stop}
        return (
            Route("POST", SYSTEM_START, self._system_start),
            Route("POST", SYSTEM_RESTART, self._system_restart),
            Route("POST", SYSTEM_SHUTDOWN, self._system_shutdown),
            Route("GET", CONFIG, self._config, needs=NEEDS_CONFIG),
            Route("POST", CONFIG, self._configure, needs=NEEDS_CONFIG),
            Route("POST", SEARCH, self._search),
            *(Route(method, path, answer) for path, answer in both.items() for method in ("GET", "POST")),
        )

    # the system

    async def _system_start(self, asked: Ask) -> Reply:
        """Answers when everything runs."""
        if self._system.is_starting:
            return Reply(refused("the system is starting", logs=[]), status=400)
        if self._system.is_started:
            return Reply(refused("the system is started", logs=[]), status=400)
        return await self._start_all(asked, "the system is started")

    async def _system_restart(self, asked: Ask) -> Reply:
        if self._system.is_starting:
            return Reply(refused("the system is starting", logs=[]), status=400)
        caller = caller_of(asked)
        stopped = await self._system.stop_all(caller)
        if stopped.errors:
            why = "not everything could be stopped"
            return Reply(refused(why, logs=stopped.logs, errors=stopped.errors), status=500)
        return await self._start_all(asked, "the system was restarted", stopped.logs)

    async def _start_all(self, asked: Ask, message: str, before: Sequence[str] = ()) -> Reply:
        done = await self._system.start_all(caller_of(asked))
        logs = [*before, *done.logs]
        if done.errors:
            return Reply(refused("the system was not started", logs=logs, errors=done.errors), status=500)
        return Reply(agreed(message, logs=logs))

    async def _system_shutdown(self, asked: Ask) -> Reply:
        """Stops the programs; the server itself goes on, with all that it keeps."""
        done = await self._system.stop_all(caller_of(asked))
        if done.errors:
            return Reply(refused("not everything was stopped", logs=done.logs, errors=done.errors), status=500)
        return Reply(agreed("the programs were stopped; the server goes on", logs=done.logs))

    # single apps

    async def _start(self, asked: Ask) -> Reply:
        app = asked.path["app"]
        if app == FORUM:
            return await self._forum_start(asked)
        if app not in ENGINES:
            return _unknown(app)
        why = await self._system.start(caller_of(asked), app)
        return Reply(agreed(f"{app} is running") if why is None else refused(why))

    async def _stop(self, asked: Ask) -> Reply:
        app = asked.path["app"]
        if app == FORUM:
            return await self._forum_stop(asked)
        if app not in ENGINES:
            return _unknown(app)
        why = await self._system.stop(caller_of(asked), app)
        return Reply(agreed(f"{app} is stopped") if why is None else refused(why))

    async def _test_log(self, asked: Ask) -> Reply:
        """A line like any other: it is counted, pushed and kept."""
        app = asked.path["app"]
        if app not in ENGINES:
            return _unknown(app)
        await self._system.say(caller_of(asked), app, f"test message for {app}")
        return Reply(agreed(f"a line was added to the log of {app}"))

    async def _forum_start(self, asked: Ask) -> Reply:
        caller_of(asked).require("read", "processes")
        if self._system.has_forum:
            return Reply(agreed("the forum is running"))
        return Reply(refused("the forum is turned off in antiphon.toml ([forum] enabled)"))

    async def _forum_stop(self, asked: Ask) -> Reply:
        caller_of(asked).require("read", "processes")
        if not self._system.has_forum:
            return Reply(agreed("the forum is stopped"))
        return Reply(refused("the forum belongs to the server: turn it off in antiphon.toml ([forum] enabled)"))

    # configuration and search

    async def _config(self, _: Ask) -> Reply:
        return Reply({"success": True, "config": config.shown(await self._keeping.read())})

    async def _configure(self, asked: Ask) -> Reply:
        given = object_of(asked.body)
        if not given:
            return Reply(refused("nothing was sent"), status=400)
        kept = await self._keeping.read()
        try:
            wanted = config.merged(kept, given)
        except config.WrongValue as exc:
            return Reply(refused(str(exc)), status=400)
        if wanted != kept:
            if not self._keeping.is_possible:
                return Reply(refused(NO_FILE), status=400)
            await self._keeping.write(wanted)
        return Reply({"success": True, "config": config.shown(wanted)})

    async def _search(self, asked: Ask) -> Reply:
        """Nothing listened on the other side of this, and nothing does."""
        query: Any = object_of(asked.body).get("query")
        if not isinstance(query, str) or not query.strip():
            return Reply(refused("query must not be empty"))
        results = {app: {"success": False, "message": NO_SEARCH} for app in ENGINES}
        return Reply(refused(NO_SEARCH, query=query.strip(), results=results))


def _unknown(app: str) -> Reply:
    return Reply(refused(f"unknown app: {app[:80]}; there are {', '.join(APPS)}"))
