"""The server's side of a shim: start one, find it again, ask it for things.

No task runs here: a request is a connection of its own to the shim's control socket, and what is true is read from
`status.json` and the process table. A shim that was killed is `lost`; what it leaves behind is found by the mark that
its program inherited in the environment.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon import shim
from antiphon.errors import Busy, ConflictError, InternalError, NotFound, TooLarge
from antiphon.services.processes.orphans import kill_orphans

if TYPE_CHECKING:
    from antiphon.services.processes.spool import Position

LAUNCH_DEADLINE_S = 15.0
ANSWER_DEADLINE_S = 10.0
STOP_MARGIN_S = 10.0  # beyond the grace; then the shim is taken for dead
SETTLE_DEADLINE_S = 5.0  # from the end of a connection to the end of its process
SETTLE_STEP_S = 0.01
SOCKET_PATH_BYTES = 100  # a Unix socket's path has room for 104 (macOS) or 108 (Linux)

_INTERPRETER = (sys.executable, "-I", "-S", shim.__file__)
_CODES = {"full": Busy, "too_large": TooLarge, "no_stdin": ConflictError}


@dataclass(frozen=True, slots=True)
class Spec:
    """What a shim runs. Handed over on a descriptor, never in an argv, never on disk: `env` may hold secrets."""

    command: tuple[str, ...]
    cwd: str  # absolute
    env: dict[str, str]  # the whole environment; nothing is added but ANTIPHON_SHIM
    stdin: bool = False  # True: `write()` reaches the program; False: it reads end of file
    spool_segment_bytes: int = 4 * 1024 * 1024
    spool_limit_bytes: int = 256 * 1024 * 1024  # beyond it the oldest segment is dropped
    line_limit_bytes: int | None = 64 * 1024  # None: a line may be as long as the spool
    echo: bool = False  # set by exec_in_terminal: output there too, and the terminal's stdin for the program
    stop_signal: str = "TERM"  # for descendants that outlive the program, and when the shim itself gets SIGTERM
    grace_s: float = 10.0


@dataclass(frozen=True, slots=True)
class ExitRecord:
    """How the program ended. `exit_code` and `signal` are both None where it never started or nobody saw its end."""

    exit_code: int | None
    signal: str | None  # "SIGKILL"
    ended_at_ms: int
    reason: str | None  # a sentence; None: it ended by itself


@dataclass(frozen=True, slots=True)
class ShimStatus:
    """What is known about a shim and its program."""

    shim_pid: int  # all of the program's tree descends from it
    pid: int | None  # of the program; None: it could not be started
    started_at_ms: int
    exit: ExitRecord | None  # set as soon as the program itself ends, though its descendants may live on for the grace
    alive: bool  # False: the tree is gone and all output is in the spool, or the shim was killed

    @property
    def lost(self) -> bool:
        """The shim died without an exit record; parts of the tree may live on: `stop()` ends them."""
        return not self.alive and self.exit is None


class ShimLink:
    """One shim. Nothing here keeps it alive: it outlives this object and this process."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._record: dict[str, Any] = {"ended": False}
        self._version = (0, 0)  # inode and time of the file that `_record` was read from
        self._watch: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._asked = 0

    @classmethod
    async def launch(cls, directory: Path, spec: Spec) -> ShimLink:
        """Start a shim in `directory` (made if missing; one per life of a program).

        Returns once the program runs, or could not be started: then `status.exit.reason` says why. If cancelled, the
        shim stops what it has started.

        Raises:
            InternalError: The shim itself did not start.
            TimeoutError: It took longer than 15 s.
        """
        quiet = asyncio.subprocess.DEVNULL
        pipe = asyncio.subprocess.PIPE
        launcher = await asyncio.create_subprocess_exec(
            *_INTERPRETER, str(directory), stdin=pipe, stdout=quiet, stderr=pipe, start_new_session=True
        )
        try:
            async with asyncio.timeout(LAUNCH_DEADLINE_S):
                _, complaint = await launcher.communicate(_encode(spec))
        except BaseException:
            with suppress(ProcessLookupError):
                launcher.kill()
            await launcher.wait()
            raise
        if launcher.returncode:
            raise InternalError(f"the shim in {directory} did not start: {_last_words(complaint, directory)}")
        return await cls.attach(directory)

    @classmethod
    async def attach(cls, directory: Path) -> ShimLink:
        """Find the shim of `directory` again, living, ended or lost.

        Raises:
            NotFound: There never was one, or it has not got as far as to say so.
        """
        link = cls(directory)
        link._load()
        return link

    @property
    def status(self) -> ShimStatus:
        """What is true now: a look at the status file and at the process table, some 30 µs."""
        record = self._load()
        end, child = record["exit"], record["child"]
        return ShimStatus(
            shim_pid=record["shim"]["pid"],
            pid=child and child["pid"],
            started_at_ms=record["started_at_ms"],
            exit=end and ExitRecord(**end),
            alive=not record["ended"] and _is_alive(record),
        )

    async def wait(self) -> ExitRecord:
        """Wait until the whole tree is gone. Cancelling is safe.

        Raises:
            InternalError: The shim lives but does not answer.
        """
        await self._ask({"op": "wait"})
        status = await self._settled()
        if status.alive:
            raise InternalError(f"the shim in {self._directory} (pid {status.shim_pid}) does not answer")
        return status.exit or _lost("its supervisor was killed")

    async def stop(self, *, signal: str, grace_s: float) -> ExitRecord:
        """Send `signal` ("TERM") to the whole tree, SIGKILL to what is left after the grace; returns when it is gone.

        Works without the shim too: then the reason of the record says so.

        Raises:
            InternalError: Processes are left that cannot be killed; the message names them.
        """
        shim.signal_number(signal)
        if self.status.alive:
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_s + STOP_MARGIN_S):
                    await self._ask({"op": "stop", "signal": signal, "grace_s": grace_s})
        status = await self._settled()
        if self._record["ended"]:
            return status.exit or _lost("it left no exit record")
        return await self._take_over(status, signal, grace_s)

    async def write(self, text: str) -> None:
        """Write to the program's standard input, all of it or nothing.

        Raises:
            Busy: The program does not read and the buffer (256 KiB) is full.
            TooLarge: More than the buffer holds.
            ConflictError: It has no standard input, or not any more.
        """
        if len(text.encode("utf-8", "replace")) > shim.STDIN_BUFFER_BYTES:
            raise TooLarge(f"at most {shim.STDIN_BUFFER_BYTES} bytes at once can be written to a program")
        async with asyncio.timeout(ANSWER_DEADLINE_S):
            answer = await self._ask({"op": "write", "text": text})
        if answer is None:
            raise ConflictError("the program has ended")
        if not answer["ok"]:
            raise _CODES.get(answer["code"], InternalError)(answer["message"])

    async def new_output(self, position: Position) -> None:
        """Wait until the spool goes beyond `position`; returns also when the shim has ended.

        Rings at most every 20 ms while output is frequent. One caller at a time; cancelling is safe. To miss nothing at
        the end, look at `status.alive` *before* the read that finds nothing.
        """
        try:
            if self._watch is None:
                if not self.status.alive:
                    return
                self._watch = await self._connect()
            request = {"op": "watch", "segment": position.segment, "offset": position.offset}
            if await self._exchange(*self._watch, request) is not None:
                return
        except OSError:
            pass
        await self.close()
        await self._settled()

    async def close(self) -> None:
        """Let go; the shim goes on."""
        if self._watch is not None:
            self._watch[1].close()
            self._watch = None

    def _load(self) -> dict[str, Any]:
        if not self._record["ended"]:
            path = self._directory / shim.STATUS
            try:
                facts = path.stat()
                if (version := (facts.st_ino, facts.st_mtime_ns)) != self._version:
                    self._record, self._version = json.loads(path.read_bytes()), version
            except (OSError, ValueError) as problem:
                raise NotFound(f"there is no shim in {self._directory}: {problem}") from problem
        return self._record

    async def _settled(self) -> ShimStatus:
        """The status once the shim has ended; if it does not, after a while."""
        deadline = time.monotonic() + SETTLE_DEADLINE_S
        while (status := self.status).alive and time.monotonic() < deadline:  # noqa: ASYNC110  the end of a process
            await asyncio.sleep(SETTLE_STEP_S)
        return status

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        path = self._directory / shim.CONTROL
        with ExitStack() as stack:
            if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
                short = Path(stack.enter_context(TemporaryDirectory(prefix="antiphon-"))) / "d"
                short.symlink_to(self._directory.absolute())
                path = short / shim.CONTROL
            return await asyncio.open_unix_connection(str(path))

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None: the shim is not there, or ended before it answered."""
        try:
            reader, writer = await self._connect()
        except OSError:
            return None
        try:
            return await self._exchange(reader, writer, request)
        except OSError:
            return None
        finally:
            writer.close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: dict[str, Any]
    ) -> dict[str, Any] | None:
        self._asked += 1
        asked = self._asked
        writer.write(json.dumps({**request, "id": asked}).encode() + b"\n")
        await writer.drain()
        while text := await reader.readline():
            answer: dict[str, Any] = json.loads(text)
            if answer["id"] == asked:  # an earlier one: its caller was cancelled
                return answer
        return None

    async def _take_over(self, status: ShimStatus, signal: str, grace_s: float) -> ExitRecord:
        if status.alive:  # it does not answer
            with suppress(ProcessLookupError):
                os.kill(status.shim_pid, 9)
        killed = await kill_orphans(self._record, shim.signal_number(signal), grace_s)
        return status.exit or _lost(f"its supervisor was killed; {killed} of its processes lived on and were stopped")


def exec_in_terminal(directory: Path, spec: Spec) -> NoReturn:
    """Become the shim (`antiphon run`): same pid, its terminal, its exit status (128 + signal; 127: no such command).

    Raises:
        OSError: Python could not be started.
    """
    file = TemporaryFile()  # noqa: SIM115  its descriptor goes on into the shim
    file.write(_encode(replace(spec, echo=True)))
    file.seek(0)
    os.set_inheritable(file.fileno(), True)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [*_INTERPRETER, str(directory), str(file.fileno())])  # noqa: S606


def _encode(spec: Spec) -> bytes:
    return json.dumps(asdict(spec)).encode()


def _is_alive(record: dict[str, Any]) -> bool:
    if record["boot_id"] != _boot_id():
        return False
    facts = shim.look(record["shim"]["pid"])
    return facts is not None and not facts.zombie and facts.start == record["shim"]["start"]


@cache
def _boot_id() -> str:
    return shim.boot_id()


def _lost(why: str) -> ExitRecord:
    return ExitRecord(None, None, time.time_ns() // 1_000_000, f"lost: {why}")


def _last_words(complaint: bytes, directory: Path) -> str:
    faults = b""
    with suppress(OSError):
        faults = (directory / shim.LOG).read_bytes()
    return (complaint + faults)[-2000:].decode("utf-8", "replace").strip() or "no reason given"
