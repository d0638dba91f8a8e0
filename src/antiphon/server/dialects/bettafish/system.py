"""BettaFish's programs as processes of this server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

import orjson

from antiphon.dialects.base import Caller, Row
from antiphon.dialects.bettafish import ENGINES, FORUM, Done, channel_of
from antiphon.errors import AntiphonError
from antiphon.messages import NewEvent
from antiphon.server.core import Core
from antiphon.services.processes.states import LIVE

ALL_S: Final = 30.0  # in which each app must answer, when the system is started
ONE_S: Final = 15.0  # the same, when it is started alone
NOTHING: Final = "no program is configured: antiphon.toml needs [process.insight], [process.media], [process.query]"


class SystemOfCore:
    """See `System` of the dialect."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._starting = False

    def rows(self) -> Mapping[str, Row]:
        return self._core.processes.rows()

    @property
    def has_forum(self) -> bool:
        if self._core.forum is not None or FORUM in self._core.settings.log:
            return True
        return self.rows().get(FORUM, {}).get("status") == "running"

    @property
    def configured(self) -> Sequence[str]:
        return [app for app in ENGINES if app in self._core.settings.process]

    @property
    def is_starting(self) -> bool:
        return self._starting

    @property
    def is_started(self) -> bool:
        """One that runs is enough: the pages are locked until then, and show the rest."""
        rows = self.rows()
        runs = [app for app in ENGINES if rows.get(app, {}).get("status") in ("running", "unhealthy")]
        followed = [app for app in ENGINES if app in self._core.settings.log]
        return not self._starting and bool(runs or (followed and not self.configured))

    async def start_all(self, caller: Caller) -> Done:
        configured = self.configured
        for app in configured:
            caller.require("control", f"process:{app}")
        if not configured:
            return Done([NOTHING], [])
        before = self.rows()
        self._starting = True
        try:
            done = await _each(configured, partial(self._up, within_s=ALL_S), "is running")
            if done.errors:
                begun = [app for app in configured if before.get(app, {}).get("status") not in LIVE]
                undone = await _each(begun, self._down, "was stopped again")
                done = Done([*done.errors, *undone.errors], [*done.logs, *undone.logs])
        finally:
            self._starting = False
        missing = [f"{app}: not configured" for app in ENGINES if app not in configured]
        return Done(done.errors, [*done.logs, *missing])

    async def stop_all(self, caller: Caller) -> Done:
        configured = self.configured
        for app in configured:
            caller.require("control", f"process:{app}")
        return await _each(configured, self._down, "is stopped")

    async def start(self, caller: Caller, app: str) -> str | None:
        caller.require("control", f"process:{app}")
        if app not in self.configured:
            return f"{app} is not configured: antiphon.toml needs [process.{app}]"
        return await self._up(app, within_s=ONE_S)

    async def stop(self, caller: Caller, app: str) -> str | None:
        caller.require("control", f"process:{app}")
        return await self._down(app) if app in self.configured else None

    async def say(self, caller: Caller, app: str, text: str) -> None:
        caller.require("control", f"process:{app}")
        payload = orjson.dumps({"text": text, "stream": "stdout"})
        await self._core.hub.publish(NewEvent(channel_of(app), "line", payload, caller.user))

    async def _up(self, app: str, *, within_s: float) -> str | None:
        try:
            async with asyncio.timeout(within_s):
                await self._core.processes.start_and_wait(app)
        except TimeoutError:
            return f"{app} did not answer within {within_s:g} s"
        except AntiphonError as exc:
            return f"{app}: {exc.message}"
        return None

    async def _down(self, app: str) -> str | None:
        try:
            await self._core.processes.stop(app)
        except AntiphonError as exc:
            return f"{app}: {exc.message}"
        return None


async def _each(apps: Sequence[str], act: Callable[[str], Awaitable[str | None]], done: str) -> Done:
    """Do it with all at the same time."""
    found = await asyncio.gather(*(act(app) for app in apps))
    errors = [why for why in found if why is not None]
    return Done(errors, [f"{app} {done}" for app, why in zip(apps, found, strict=True) if why is None])
