"""The processes: who exists, who depends on whom, what happens when the server comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from antiphon.errors import AntiphonError, Busy, ConflictError, NotFound
from antiphon.hub import Hub
from antiphon.services.names import check_name
from antiphon.services.processes.adoption import attach, settle_name
from antiphon.services.processes.config import ProcessConfig, check_dependencies
from antiphon.services.processes.directories import StartDirectory, find
from antiphon.services.processes.discovery import LOOK_INTERVAL_S, looks
from antiphon.services.processes.health import HealthClient
from antiphon.services.processes.life import Life
from antiphon.services.processes.order import stop_in_order
from antiphon.services.processes.owner import Owner, Surroundings
from antiphon.services.processes.sampling import sample
from antiphon.services.processes.wrapped import Voices
from antiphon.services.table import Row, StateTable

FAREWELL_S = 5.0  # for what the stopped programs still said, when the server ends
LATE_GRACE_S = 10.0
PATIENCE_S = 1.0  # for shims that were being started when an earlier server died
SHOWN_WITHIN_S = 1.0  # how long an answer waits for the published table
MAX_ENDED_RUNS = 50  # rows of `antiphon run` kept after their end
_log = structlog.get_logger(__name__)


class Processes:
    """Owns all processes while entered.

    Entering finds again what an earlier server started, then starts what has `autostart`, without waiting for it.
    Leaving stops what has `on_shutdown = "stop"`, dependants first, and lets the rest go on.

    Args:
        hub: Where lines and the table are published; the channels `processes`, `log:...` are claimed.
        configs: What can be started, by name.
        data: The data directory; the starts are in `processes` below it.
        voices: Keeps the runs of programs that are some (`antiphon run`); None = their lines go to `log:NAME` only.

    Raises:
        SettingsError: A name is impossible, a dependency does not exist, or dependencies run in a circle.
    """

    def __init__(
        self, hub: Hub, configs: Mapping[str, ProcessConfig], data: Path, *, voices: Voices | None = None
    ) -> None:
        for name in configs:
            check_name(name, "process")
        check_dependencies(configs)
        hub.claim("processes")
        hub.claim("log:")
        self._configs = dict(configs)
        self._root = data.absolute() / "processes"
        self._table = StateTable(hub, "processes")
        self._known: set[str] = set()  # keys of starts that have an owner
        self._owners: dict[str, Owner] = {}
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._owning: dict[str, asyncio.Task[None]] = {}
        self._around = Surroundings(
            hub, self._table, self._root, HealthClient(), self._known.add, self._dependencies, voices
        )
        self._closing = False

    # What clients may ask

    def rows(self) -> dict[str, Row]:
        """The table as it is now."""
        return {name: dict(row) for name, row in self._table.rows.items()}

    async def start(self, name: str) -> Row:
        """Start a process, its dependencies first; succeeds and changes nothing if it runs.

        Returns:
            Its row once there is a program, or `status` failed with the `reason` where the system refused it.
        Raises:
            NotFound: There is no such process.
            ConflictError: It cannot be started, or a dependency did not come up.
            Busy: The server is stopping.
        """
        return await self._shown(await self._owner(name).start())

    async def start_and_wait(self, name: str) -> Row:
        """Start a process and wait until it runs, however long that takes.

        Raises:
            NotFound: There is no such process.
            ConflictError: It cannot be started, or ended before it ran; a dependency did not come up.
            Busy: The server is stopping.
        """
        return await self._shown(await self._owner(name).start_and_wait())

    async def stop(self, name: str) -> Row:
        """Stop a process; returns when its tree is gone. Raises NotFound, Busy, InternalError."""
        return await self._shown(await self._owner(name).stop())

    async def restart(self, name: str) -> Row:
        """Stop a process if it runs, then start it. Raises as `start` and `stop` do."""
        return await self._shown(await self._owner(name).restart())

    async def write(self, name: str, text: str) -> None:
        """Write to a process's standard input.

        Raises:
            NotFound: There is no such process.
            ConflictError: It does not run, or has no standard input (`stdin = true`).
            Busy: It does not read and its buffer is full.
            TooLarge: More than the buffer holds.
        """
        await self._owner(name).write(text)

    # Coming and going

    async def __aenter__(self) -> Self:
        """Find everything again. Raises StorageError, OSError."""
        await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True, mode=0o700)
        await self._table.load()
        await self._group.__aenter__()
        try:
            self._begin(self._table.run(), "processes table")
            await self._restore()
        except BaseException:
            await self.release()
            raise
        self._begin(sample(self._owners.values()), "processes usage")
        self._begin(self._discover(), "processes discovery")
        for name, config in self._configs.items():
            if config.autostart:
                self._begin(self._autostart(name), f"autostart {name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._stop_all()
        finally:
            await self.release(kind, error, trace)

    async def release(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Let go of everything at once without stopping a program; the next server finds all of it again."""
        self._closing = True
        for task in (*self._owning.values(), *self._tasks):
            task.cancel()
        try:
            await self._group.__aexit__(kind, error, trace)
        finally:
            await self._around.client.aclose()

    async def _stop_all(self) -> None:
        """Stop what is to be stopped, those that depend on others first, and take in what they still said."""
        self._closing = True
        stopping = [owner for owner in self._owners.values() if owner.ends_with_server]
        await stop_in_order(stopping, self._configs)
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                for owner in self._owners.values():
                    await owner.settled()
                await self._table.committed()

    # Owners

    def _owner(self, name: str) -> Owner:
        if self._closing:
            raise Busy("the server is stopping")
        owner = self._owners.get(name)
        if owner is None:
            raise NotFound(f"there is no process {name[:80]!r}", pointer="/params/name")
        return owner

    def _new_owner(self, name: str, source: str) -> Owner:
        owner = Owner(name, self._configs.get(name), source, self._around)
        self._owners[name] = owner
        self._owning[name] = self._group.create_task(owner.run(), name=f"process {name}")
        return owner

    async def _shown(self, row: Row) -> Row:
        """Give the table a moment to say the same, so that whoever is answered finds it there."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SHOWN_WITHIN_S):
                await self._table.flushed()
        return row

    async def _dependencies(self, name: str) -> None:
        """Start what `name` depends on and wait until all of it runs. Raises ConflictError."""
        async with asyncio.TaskGroup() as group:
            results = [group.create_task(self._dependency(other)) for other in self._configs[name].depends_on]
        problems = [problem for result in results if (problem := result.result()) is not None]
        if problems:
            raise ConflictError("; ".join(problems))

    async def _dependency(self, name: str) -> str | None:
        deadline_s = self._configs[name].start_timeout_s
        try:
            async with asyncio.timeout(deadline_s):
                await self._owners[name].start_and_wait()
        except TimeoutError:
            return f"{name} was not running after {deadline_s:g} s"
        except AntiphonError as error:
            return str(error)
        return None

    # Finding again, noticing

    async def _restore(self) -> None:
        """An owner for each process that is configured, published or on disk; returns when all rows are true."""
        previous = {name: dict(row) for name, row in self._table.rows.items()}
        lives = self._name_lives(await self._attach(await asyncio.to_thread(lambda: list(find(self._root)))))
        for name in dict.fromkeys([*self._configs, *previous, *lives]):
            row = previous.get(name, {})
            source = "config" if name in self._configs else row.get("source", "run")
            if name in lives or name in self._configs or row.get("source") == "run":
                self._new_owner(name, lives[name][-1].start.source if name in lives else source)
            else:
                self._table.remove(name)  # was configured once
        async with asyncio.TaskGroup() as group:
            for name, owner in self._owners.items():
                group.create_task(self._restore_one(owner, previous.get(name), lives.get(name, [])))
        self._forget_runs()

    async def _restore_one(self, owner: Owner, previous: Row | None, lives: Sequence[Life]) -> None:
        try:
            await owner.restore(previous, lives)
        except AntiphonError as error:
            _log.error("process not found again", process=owner.name, error=str(error))

    async def _attach(self, starts: Sequence[StartDirectory]) -> list[Life]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(attach(start, patience_s=PATIENCE_S)) for start in starts]
        lives = [life for task in tasks if (life := task.result()) is not None]
        self._known.update(life.start.key for life in lives)
        return lives

    def _name_lives(self, found: Sequence[Life]) -> dict[str, list[Life]]:
        lives: dict[str, list[Life]] = {}
        taken = {life.start.name for life in found if life.start.run is not None and life.start.run.assigned}
        for life in sorted(found, key=lambda life: life.start.start_id):
            living = {name for name, its in lives.items() if its[-1].link.status.alive}
            name = settle_name(life, self._configs.keys() | living | (taken if life.link.status.alive else set()))
            lives.setdefault(name, []).append(life)
        return lives

    async def _discover(self) -> None:
        async for _ in looks(self._root):
            known = set(self._known)
            try:
                starts = await asyncio.to_thread(lambda: list(find(self._root)))
            except OSError as error:
                _log.warning("starts cannot be looked for", error=str(error))
                continue
            self._known -= known - {start.key for start in starts}  # whose directories are gone
            for start in starts:
                if start.key not in self._known:
                    self._known.add(start.key)
                    self._begin(self._adopt(start), f"adopt {start.key}")

    async def _adopt(self, start: StartDirectory) -> None:
        try:
            life = await attach(start, patience_s=LOOK_INTERVAL_S)
            if life is None:
                self._known.discard(start.key)  # looked at again
                return
            if life.start.run is None:
                await self._adopt_late(life)
                return
            living = {name for name, owner in self._owners.items() if owner.row.is_live}
            name = settle_name(life, self._configs.keys() | living)
            owner = self._owners.get(name) or self._new_owner(name, "run")
            await owner.adopt(life)
            self._forget_runs()
        except (AntiphonError, OSError) as error:
            _log.warning("run not taken over", start=start.key, error=str(error))

    async def _adopt_late(self, life: Life) -> None:
        """A start of an earlier server that came to life only after we had looked."""
        name = life.start.name
        owner = self._owners.get(name) or self._new_owner(name, "config")
        if not owner.row.is_live:
            await owner.adopt(life)
            return
        _log.warning("a second program of the same process is stopped", start=life.start.key)
        await life.link.stop(signal="SIGTERM", grace_s=LATE_GRACE_S)
        await owner.absorb(life)

    def _forget_runs(self) -> None:
        """Drop the oldest rows of runs that have ended, beyond a number."""
        ended = [owner for owner in self._owners.values() if owner.is_over]
        ended.sort(key=lambda owner: owner.row.ended_at or "")
        for owner in ended[: max(0, len(ended) - MAX_ENDED_RUNS)]:
            del self._owners[owner.name]
            self._owning.pop(owner.name).cancel()
            self._table.remove(owner.name)

    # Beside

    async def _autostart(self, name: str) -> None:
        try:
            await self._owners[name].start()
        except AntiphonError as error:
            _log.warning("process not started", process=name, error=str(error))

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
