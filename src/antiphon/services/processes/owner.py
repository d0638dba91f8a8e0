"""The owner of one process: one task that starts, stops and watches it, one job after another.

Everything that may take long without being a stop (waiting for dependencies, health checks, delays before a restart,
waiting for the end) runs beside it and comes back as a job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict

import structlog

from antiphon.errors import AntiphonError, Busy, ConflictError
from antiphon.hub import Hub
from antiphon.services.backoff import Backoff
from antiphon.services.processes.beside import Beside
from antiphon.services.processes.config import ProcessConfig
from antiphon.services.processes.health import HealthClient, changes, has_probe
from antiphon.services.processes.ingest import Ingestor
from antiphon.services.processes.life import Life, launch
from antiphon.services.processes.mailbox import Mailbox, Waiters, give
from antiphon.services.processes.row import PLAN, ProcessRow, why_ended
from antiphon.services.processes.states import Status, Step, advance, restarts
from antiphon.services.processes.usage import Usage, steady
from antiphon.services.processes.wrapped import CANCEL_GRACE_S, Voice, Voices
from antiphon.services.table import Row, StateTable

_RUN_GRACE_S = 10.0  # for what `antiphon run` started
_log = structlog.get_logger(__name__)

Answer = asyncio.Future[Row]


class _Stopping(TypedDict):
    signal: str
    grace_s: float


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all owners share."""

    hub: Hub
    table: StateTable
    root: Path  # DATA/processes
    client: HealthClient
    known: Callable[[str], None]  # told the key of a start made here
    dependencies: Callable[[str], Awaitable[None]]  # starts them and waits; raises ConflictError
    voices: Voices | None = None  # of programs that are runs; None = there are no runs


class Owner:
    """One process and its lives.

    Args:
        name: Of the process.
        config: How to start it; None = it can only be stopped (`antiphon run`, or no longer configured).
        source: `config` or `run`.
        around: What all owners share.
    """

    def __init__(self, name: str, config: ProcessConfig | None, source: str, around: Surroundings) -> None:
        self.name = name
        self.config = config
        self.row = ProcessRow(name, source)
        if config is not None:
            self.row.port, self.row.stdin = config.port, config.stdin
        self.lives: list[Life] = []  # the last is the current one; those wholly dealt with are gone
        self._around = around
        self._mailbox: Mailbox[Row] = Mailbox(name)
        self._ingestor = Ingestor(around.hub, f"log:{name}", fault=self._on_fault, recorded=self._until_recorded)
        self._tasks = asyncio.TaskGroup()
        self._ready: Waiters[Row] = Waiters()  # who waits until it runs
        self._starters: Waiters[Row] = Waiters()  # who waits for a start that waits for dependencies
        self._beside = Beside(name, self._tasks, self._on_fault)
        self._backoff = _backoff_of(config)

    # What others may ask

    async def run(self) -> None:
        """Own the process until cancelled; the program goes on."""
        try:
            async with self._tasks:
                self._tasks.create_task(self._ingestor.run(), name=f"ingest {self.name}")
                await self._mailbox.serve()
        finally:
            for life in self.lives:
                await life.link.close()

    async def start(self) -> Row:
        """Start it if it does not run; returns its row once there is a program (not: once it answers)."""
        return await self._mailbox.ask(self._start)

    async def start_and_wait(self) -> Row:
        """Start it if it does not run, and wait until it runs. Raises ConflictError: it ended before."""
        ready: asyncio.Future[Row] = asyncio.get_running_loop().create_future()
        await self._mailbox.ask(partial(self._start, ready=ready))
        return await ready

    async def stop(self) -> Row:
        """Stop its tree; returns when that is gone."""
        return await self._mailbox.ask(self._stop)

    async def restart(self) -> Row:
        """Stop it if it runs, then start it."""
        return await self._mailbox.ask(self._restart)

    async def write(self, text: str) -> None:
        """Write to its standard input. Raises ConflictError, Busy."""
        if not self.lives or self.lives[-1].ended:
            raise ConflictError(f"{self.name} is {self.row.status}: nobody reads its standard input")
        try:
            await self.lives[-1].link.write(text)
        except TimeoutError:
            raise Busy(f"the supervisor of {self.name} does not answer") from None

    async def restore(self, previous: Row | None, lives: Sequence[Life]) -> Row:
        """Go on from what an earlier server published and the starts that were found, oldest first."""
        return await self._mailbox.ask(partial(self._restore, previous, lives))

    async def adopt(self, life: Life) -> Row:
        """Take over a start that somebody else made just now."""
        return await self._mailbox.ask(partial(self._adopt, life))

    async def absorb(self, life: Life) -> Row:
        """Take in the lines of a start that is over and was never the current one."""
        return await self._mailbox.ask(partial(self._absorb, life))

    async def settled(self) -> None:
        """Wait until everything that ended lives have said is in the log and their directories are gone."""
        for life in [life for life in self.lives if life.ended]:
            await life.done.wait()

    def show_usage(self, usage: Usage) -> None:
        """Take note of what its tree uses now."""
        if self.row.pid is not None:
            shown = self.row.usage
            self.row.usage = steady(shown, usage)
            if self.row.usage != shown:
                self._publish()

    def notice(self) -> int | None:
        """Look whether the program has ended while its tree still lives; returns the pid above its tree, if any."""
        if not self.lives or self.lives[-1].ended:
            return None
        try:
            status = self.lives[-1].link.status
        except AntiphonError:  # somebody deleted its directory
            return None
        if self.row.pid is not None and status.exit is not None and status.alive:
            self.row.describe(status)
            self.row.reason = "it has ended; what it left behind is being stopped"
            self._publish()
        return status.shim_pid

    @property
    def ends_with_server(self) -> bool:
        """Whether a server that is stopped in order stops it too."""
        return self.config is not None and self.config.on_shutdown == "stop"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will ever happen here."""
        return self.config is None and not self.row.is_live and all(life.done.is_set() for life in self.lives)

    # Jobs: starting

    async def _start(self, answer: Answer, ready: asyncio.Future[Row] | None = None) -> None:
        if self.config is None:
            raise ConflictError(f"{self.name} is not in antiphon.toml: it can be stopped, but not started again")
        if ready is not None:
            self._ready.add(ready)
        if self.row.is_live and self.row.status is not Status.STOPPING:
            if self.row.status is Status.RUNNING:
                self._ready.give(self.row.encode())
            self._answer_start(answer)
            return
        if self.row.status is Status.STOPPING:  # a stop that failed
            await self._stop_life(self.lives[-1])
        self._beside.cancel("restart")
        self.row.restarts = 0
        self._backoff.reset()
        await self._begin(answer)

    async def _begin(self, answer: Answer | None) -> None:
        """From standing still to starting; dependencies first."""
        assert self.config is not None
        self.row.begin()
        self._step(Step.START)
        if answer is not None:
            self._starters.add(answer)
        if self.config.depends_on:
            self.row.reason = f"waits for {', '.join(self.config.depends_on)}"
            self._beside.begin("dependencies", self._await_dependencies)
            self._publish()
        else:
            await self._launch()

    async def _await_dependencies(self) -> None:
        try:
            await self._around.dependencies(self.name)
        except AntiphonError as error:
            self._mailbox.post(partial(self._not_started, asyncio.current_task(), str(error)))
        else:
            self._mailbox.post(partial(self._dependencies_ready, asyncio.current_task()))

    async def _dependencies_ready(self, waited: object, answer: Answer) -> None:
        if self._beside.take("dependencies", waited):
            await self._launch()
        give(answer, self.row.encode())

    async def _not_started(self, waited: object, reason: str, answer: Answer) -> None:
        if self._beside.take("dependencies", waited):
            self._fail_start(reason)
        give(answer, self.row.encode())

    async def _launch(self) -> None:
        assert self.config is not None
        self.row.reason = None
        try:
            life = await launch(self._around.root, self.name, self.config, self._around.known)
        except (OSError, AntiphonError) as error:
            _log.warning("process not started", process=self.name, error=str(error))
            self._fail_start(f"could not be started: {str(error) or type(error).__name__}")
            return
        self._take(life)
        self._starters.give(self.row.encode())

    def _fail_start(self, reason: str) -> None:
        self._step(Step.END_BADLY)
        self.row.reason = reason
        self._ready.refuse(f"{self.name} was not started: {reason}")
        self._publish()
        self._starters.refuse(f"{self.name} was not started: {reason}")
        self._restart_if_wanted()

    def _answer_start(self, answer: Answer) -> None:
        if "dependencies" in self._beside:
            self._starters.add(answer)  # all who ask meanwhile get the one answer
        else:
            give(answer, self.row.encode())

    # A life

    def _take(self, life: Life) -> None:
        """Make `life`, whose status is `starting`, the current one."""
        self.lives = [old for old in self.lives if not old.done.is_set()] + [life]
        self._ingest(life)
        status = life.link.status
        self.row.describe(status)
        self.row.source = life.start.source
        if status.exit is not None and not status.alive:
            self._end(life)
            self._clear_up(life)
            return
        self._beside.begin("end", partial(self._await_end, life))
        if life.voice is not None:
            self._beside.begin("run", partial(self._await_cancel, life, life.voice))
        if status.lost:
            pass  # what is left of it is being stopped; its row says so soon
        elif has_probe(self.config):
            self._beside.begin("health", partial(self._watch_health, life, status.started_at_ms / 1000))
        else:
            self._up()
        self._publish()

    def _ingest(self, life: Life) -> None:
        ticket = None if life.start.run is None else life.start.run.ticket
        if ticket is not None and self._around.voices is not None:
            life.voice = self._around.voices.voice(ticket, life.start.key)
        self._ingestor.add(life)

    async def _await_cancel(self, life: Life, voice: Voice) -> None:
        """A run that was cancelled is a program that is stopped."""
        await voice.cancelled()
        self._mailbox.post(partial(self._cancelled, life))

    async def _cancelled(self, life: Life, answer: Answer) -> None:
        if not life.ended:
            await self._stop_life(life, grace_s=CANCEL_GRACE_S)
        give(answer, self.row.encode())

    async def _await_end(self, life: Life) -> None:
        """Wait until the tree is gone; what outlived its supervisor is stopped."""
        backoff = Backoff()
        while True:
            try:
                await life.link.wait()
                if life.link.status.lost:
                    self._mailbox.post(
                        partial(self._health, life, "its supervisor was killed; its tree is being stopped")
                    )
                life.record = await life.link.stop(**self._stopping())
                break
            except (AntiphonError, OSError) as error:
                _log.warning("process not watched", process=self.name, error=str(error))
            await asyncio.sleep(backoff.next_s())
        self._mailbox.post(partial(self._ended, life))

    def _clear_up(self, life: Life) -> None:
        """Stop what may have outlived a supervisor that was killed after its program had ended."""
        self._beside.begin(f"clear up {life.start.start_id}", partial(self._stop_orphans, life))

    async def _stop_orphans(self, life: Life) -> None:
        await life.link.stop(**self._stopping())

    def _stopping(self) -> _Stopping:
        if self.config is None:
            return {"signal": "SIGTERM", "grace_s": _RUN_GRACE_S}
        return {"signal": self.config.stop_signal, "grace_s": self.config.grace_s}

    async def _ended(self, life: Life, answer: Answer) -> None:
        self._end(life)
        give(answer, self.row.encode())

    def _end(self, life: Life) -> None:
        """The tree of the current life is gone."""
        if life.ended:
            return
        self._beside.cancel("health")
        self._beside.cancel("run")
        status = life.link.status
        record = status.exit or life.record
        self.row.describe(status)
        self.row.usage = None
        self._step(Step.END_WELL if record is not None and record.exit_code == 0 else Step.END_BADLY)
        self.row.reason = why_ended(record)
        life.over.set()
        if self.config is not None and status.exit is not None:
            lived_s = (status.exit.ended_at_ms - status.started_at_ms) / 1000
            if lived_s >= self.config.restart_reset_after_s:
                self._backoff.reset()
        self._ready.refuse(f"{self.name} ended before it was running: {self.row.reason or 'exit code 0'}")
        self._publish()
        self._restart_if_wanted()

    async def _watch_health(self, life: Life, started_s: float) -> None:
        assert self.config is not None
        async for problem in changes(self.config, self._around.client, started_s):
            self._mailbox.post(partial(self._health, life, problem))

    async def _health(self, life: Life, problem: str | None, answer: Answer) -> None:
        if not life.ended and self.row.status is not Status.STOPPING:
            if problem is None:
                self._up()
            else:
                self._step(Step.DOWN)
                self.row.reason = problem
            self._publish()
        give(answer, self.row.encode())

    def _up(self) -> None:
        self._step(Step.UP)
        self.row.reason = None
        self._ready.give(self.row.encode())

    # Jobs: stopping

    async def _stop(self, answer: Answer) -> None:
        await self._stop_now()
        give(answer, self.row.encode())

    async def _restart(self, answer: Answer) -> None:
        if self.config is None:
            raise ConflictError(f"{self.name} is not in antiphon.toml: it can be stopped, but not started again")
        await self._stop_now()
        await self._start(answer)

    async def _stop_now(self) -> None:
        if "restart" in self._beside:
            self._beside.cancel("restart")
            self._step(Step.STOP)
            self.row.plan = None
            self._publish()
        elif "dependencies" in self._beside:
            self._beside.cancel("dependencies")
            self._step(Step.STOP)
            self._step(Step.END_WELL)
            self.row.reason = None
            self._publish()
            self._starters.refuse(f"{self.name} was stopped before it was started")
            self._ready.refuse(f"{self.name} was stopped before it was running")
        elif self.row.is_live:
            await self._stop_life(self.lives[-1])

    async def _stop_life(self, life: Life, *, grace_s: float | None = None) -> None:
        if self.row.status is not Status.STOPPING:
            self._step(Step.STOP)
        self._publish()
        how = self._stopping()
        life.record = await life.link.stop(signal=how["signal"], grace_s=how["grace_s"] if grace_s is None else grace_s)
        self._end(life)

    # Jobs: restarting by policy

    def _restart_if_wanted(self) -> None:
        if self.config is None or not restarts(self.config.restart, self.row.status):
            return
        delay_s = self._backoff.next_s()
        self.row.plan = f"{PLAN} {delay_s:.1f} s"
        self._publish()
        self._beside.begin("restart", partial(self._await_restart, delay_s))

    async def _await_restart(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        self._mailbox.post(partial(self._restart_due, asyncio.current_task()))

    async def _restart_due(self, waited: object, answer: Answer) -> None:
        if self._beside.take("restart", waited):
            self.row.restarts += 1
            await self._begin(None)
        give(answer, self.row.encode())

    # Jobs: going on after an earlier server

    async def _restore(self, previous: Row | None, lives: Sequence[Life], answer: Answer) -> None:
        if previous is not None:
            self.row.restore(previous)
        for life in lives[:-1]:
            life.over.set()
            self._ingest(life)
            self._clear_up(life)
        self.lives = list(lives[:-1])
        if lives:
            self._restore_life(lives[-1])
        elif self.row.is_live:
            self._restore_nothing()
        if "end" not in self._beside and "restart" not in self._beside:
            self._restart_if_wanted()
        self._publish()
        give(answer, self.row.encode())

    def _restore_life(self, life: Life) -> None:
        known = self.row.started_at
        was = ProcessRow(self.name, self.row.source)
        status = life.link.status
        was.describe(status)
        if not self.row.is_live and known == was.started_at and not (status.alive or status.lost):
            life.over.set()  # its row is there already; only lines may be missing
            self.lives.append(life)
            self._ingest(life)
            self._clear_up(life)
            return
        stopping = self.row.status is Status.STOPPING and known == was.started_at
        self.row.begin()
        self.row.status = Status.STOPPING if stopping else Status.STARTING
        self._take(life)
        if stopping and status.alive:
            self._mailbox.post(self._stop)

    def _restore_nothing(self) -> None:
        """It was live, and nothing of it is there: either it waited for dependencies, or somebody deleted it."""
        self.row.status = Status.STOPPED if self.row.started_at is None else Status.FAILED
        self.row.reason = None if self.row.started_at is None else "its records are gone; how it ended is not known"

    async def _adopt(self, life: Life, answer: Answer) -> None:
        self.row.begin()
        self.row.restarts = 0
        self._step(Step.START)
        self._take(life)
        give(answer, self.row.encode())

    async def _absorb(self, life: Life, answer: Answer) -> None:
        life.over.set()
        self._ingest(life)
        give(answer, self.row.encode())

    # Small things

    def _step(self, step: Step) -> None:
        self.row.status = advance(self.row.status, step)

    def _publish(self) -> None:
        self._around.table.put(self.name, self.row.encode())

    def _on_fault(self, fault: str | None) -> None:
        if self.row.fault != fault:
            self.row.fault = fault
            self._publish()

    async def _until_recorded(self, life: Life) -> None:
        """Wait until the published row tells of the end of `life`."""
        await life.over.wait()
        await self._around.table.committed()


def _backoff_of(config: ProcessConfig | None) -> Backoff:
    if config is None:
        return Backoff()
    return Backoff(config.restart_delay_s, config.restart_max_delay_s, config.restart_jitter)
