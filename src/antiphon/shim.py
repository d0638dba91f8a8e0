"""The shim: a small supervisor that runs one program and outlives the server that asked for it.

Standard library only, imports nothing of ours, started as a file: `python -I -S shim.py DIRECTORY [FD]`. The spec comes
as JSON on descriptor FD (default 0), so that neither the command nor its environment appears in our argv or on disk:
`{command, cwd, env, stdin, spool_segment_bytes, spool_limit_bytes, line_limit_bytes, echo, stop_signal, grace_s}`.

DIRECTORY (0700, one per life of a program) then holds
  status.json          identities (pid, start time, boot id), exit record, `ended`; replaced atomically
  spool-00000001.log   output in records (see HEADER), rotated; the reader deletes what it has taken. When all segments
                       together would pass the limit the oldest is dropped: records carry the number of lines and bytes
                       before them, so a reader sees exactly how much is missing, and where
  control.sock (0600)  one JSON object per line: {op, id?} -> {id, ok: true, ...} or {id, ok: false, code, message}
                         status                  what status.json holds
                         write {text}            to the program's stdin; else `full`, `too_large` or `no_stdin`
                         watch {segment, offset} answered once, when the spool goes beyond that position
                         stop {signal, grace_s}  answered when the tree is gone
                         wait                    the same without stopping anything
  shim.log             faults of the shim itself

The tree (the program and all its descendants; on Linux we are their subreaper, so none can slip away) belongs to the
program: when it ends, what is left gets the stop signal and after the grace SIGKILL until nothing is left. Then the
rest of the output is taken, the spool is synced, the exit record is on disk, and the shim ends. One selector loop, no
threads. With `echo` (antiphon run) it stays in the foreground of the user's terminal and shows the output there too.
"""

# pathlib would cost each shim start-up time and memory:
# ruff: noqa: PTH103, PTH105, PTH108, PTH110, PTH116, PTH123, PTH208

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any, BinaryIO, NamedTuple

LINUX = sys.platform.startswith("linux")
STATUS, CONTROL, LOG = "status.json", "control.sock", "shim.log"
TOKEN = "ANTIPHON_SHIM"  # in the program's environment: descendants are known by it if the shim is killed

MAGIC = b"\xa7SP1"
# magic, crc32 of payload + rest, payload size, time_ms, lines before, bytes before, lines, stream
HEADER = struct.Struct("<4sIQQQQHBx")
STREAMS = ("stdout", "stderr")
MAX_RECORD_LINES = 1000  # a record is lines joined by \n; readers bound their batches by whole records

CHUNK_BYTES = 64 * 1024
IN_MEMORY_BYTES = 1024 * 1024  # an unfinished line beyond this waits in a nameless file
STDIN_BUFFER_BYTES = 256 * 1024
REQUEST_BYTES = 2 * 1024 * 1024
RING_EVERY_S = 0.02  # a busy program rings its watcher no more often
READS_PER_S, READ_BURST = 200, 20  # a program that writes line by line is read in gulps once it is busy
SWEEP_EVERY_S = 0.05
SAVE_ATTEMPTS = 60  # one a second, while the disk is full


# --- Who is who -------------------------------------------------------------------------------------------------------


class Facts(NamedTuple):
    """What the system says about a process; pid + `start` + boot id never come twice."""

    parent: int
    group: int
    session: int
    zombie: bool
    start: str


def boot_id() -> str:
    """Names this run of the machine."""
    if LINUX:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    return _output("sysctl", "-n", "kern.bootsessionuuid").strip()


def look(pid: int) -> Facts | None:
    """Facts about one process; None if there is none."""
    if not LINUX:
        return _ps("-p", str(pid)).get(pid)
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()  # the name before it may hold anything
    except OSError:
        return None
    return Facts(int(fields[1]), int(fields[2]), int(fields[3]), fields[0] in (b"Z", b"X"), fields[19].decode())


def processes() -> dict[int, Facts]:
    """All processes of the machine that we can see."""
    if not LINUX:
        return _ps("-ax")
    return {int(name): facts for name in os.listdir("/proc") if name.isdigit() and (facts := look(int(name)))}


def descendants(table: dict[int, Facts], roots: set[int]) -> set[int]:
    """The pids in `table` below `roots`, zombies left out."""
    children: dict[int, list[int]] = {}
    for pid, facts in table.items():
        children.setdefault(facts.parent, []).append(pid)
    found: set[int] = set()
    todo = list(roots)
    while todo:
        below = [pid for pid in children.get(todo.pop(), ()) if pid not in found]
        found.update(below)
        todo += below
    return {pid for pid in found if not table[pid].zombie}


def _output(*command: str) -> str:
    env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env).stdout  # noqa: S603


def _ps(*which: str) -> dict[int, Facts]:
    """macOS has no /proc."""
    table: dict[int, Facts] = {}
    for row in _output("ps", *which, "-o", "pid=,ppid=,pgid=,stat=,lstart=").splitlines():
        pid, parent, group, state, start = row.split(None, 4)
        with contextlib.suppress(ProcessLookupError):
            table[int(pid)] = Facts(int(parent), int(group), os.getsid(int(pid)), state.startswith("Z"), start.strip())
    return table


def become_subreaper() -> bool:
    """Let orphaned descendants become our children (Linux); False where that cannot be."""
    if not LINUX:
        return False
    pr_set_child_subreaper = 36
    return bool(ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0) == 0)


# --- Output: bytes -> lines -> spool ----------------------------------------------------------------------------------


def broken_tail(text: bytes) -> int:
    """How many bytes at the end begin a UTF-8 character without finishing it."""
    for back in range(1, min(4, len(text) + 1)):
        byte = text[-back]
        if byte & 0xC0 != 0x80:
            return back if byte >= 0xC0 and back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else 0
    return 0


def marker(cut_bytes: int) -> bytes:
    """What stands at the end of a line that was cut."""
    return b" [... %d bytes cut]" % cut_bytes


class OpenLine:
    """A line that has not ended yet: of what `\\r` separates only the last part that is not empty, cut at `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._memory = bytearray()
        self._file: BinaryIO | None = None
        self._size = self._cut = 0
        self._returned = False  # a \r came last: what follows replaces what is here

    def grow(self, data: bytes) -> None:
        """Add bytes without a line end."""
        tail = data.rstrip(b"\r")
        if tail:
            fresh = tail[tail.rfind(b"\r") + 1 :]
            if self._returned or len(fresh) < len(tail):
                self._clear()
            self._add(fresh)
        self._returned = len(tail) < len(data) or (self._returned and not tail)

    def finish(self) -> bytes | BinaryIO:
        """The line, a very long one as a file, and begin the next."""
        if self._file is None:
            line: bytes | BinaryIO = self._ended(bytes(self._memory))
        else:
            self._file.seek(-4, os.SEEK_END)
            last = self._ended(self._file.read())
            self._file.seek(-4, os.SEEK_END)
            self._file.truncate()
            self._file.write(last)
            line, self._file = self._file, None
        self._clear()
        self._returned = False
        return line

    def __bool__(self) -> bool:
        return self._size > 0

    def _ended(self, text: bytes) -> bytes:
        if not self._cut:
            return text
        broken = broken_tail(text)
        return text[: len(text) - broken] + marker(self._cut + broken)

    def _clear(self) -> None:
        self._memory.clear()
        if self._file is not None:
            self._file.close()
        self._file = None
        self._size = self._cut = 0

    def _add(self, data: bytes) -> None:
        kept = data[: max(0, self._limit - self._size)]
        self._cut += len(data) - len(kept)
        self._size += len(kept)
        if self._file is None and self._size > IN_MEMORY_BYTES:
            self._file = nameless_file()
            self._file.write(self._memory)
            self._memory.clear()
        if self._file is None:
            self._memory += kept
        else:
            self._file.write(kept)


def nameless_file() -> BinaryIO:
    """A file in the directory that goes with its last descriptor."""
    file = open("line.part", "w+b")  # noqa: SIM115
    os.unlink("line.part")
    return file


class Lines:
    """Splits one stream: whole lines come out as blocks joined by `\\n`, whatever the chunks were."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = OpenLine(limit)

    def feed(self, data: bytes) -> list[bytes | BinaryIO]:
        """Take a chunk; return the lines that it finished."""
        first, ended, rest = data.partition(b"\n")
        self._open.grow(first)
        if not ended:
            return []
        blocks = [self._open.finish()]
        body, more, tail = rest.rpartition(b"\n")
        if more:
            tidy = self._tidy(body)
            if isinstance(blocks[0], bytes):
                blocks[0] += b"\n" + tidy
            else:
                blocks.append(tidy)
        self._open.grow(tail)
        return blocks

    def end(self) -> list[bytes | BinaryIO]:
        """The last line, if it has no end."""
        return [self._open.finish()] if self._open else []

    def _tidy(self, body: bytes) -> bytes:
        if b"\r" in body:
            body = body.replace(b"\r\n", b"\n").removesuffix(b"\r")
        if b"\r" in body or len(body) > self._limit:
            return b"\n".join(map(self._tidy_line, body.split(b"\n")))
        return body

    def _tidy_line(self, line: bytes) -> bytes:
        line = line.rstrip(b"\r")
        line = line[line.rfind(b"\r") + 1 :]
        if len(line) <= self._limit:
            return line
        end = self._limit - broken_tail(line[: self._limit])
        return line[:end] + marker(len(line) - end)


def segment_name(number: int) -> str:
    """File name of a segment; they count from 1."""
    return f"spool-{number:08d}.log"


def segment_numbers(directory: str = ".") -> list[int]:
    """The segments that exist, oldest first."""
    names = os.listdir(directory)
    return sorted(int(name[6:-4]) for name in names if name.startswith("spool-") and name.endswith(".log"))


def by_line_count(block: bytes) -> Iterator[tuple[bytes, int]]:
    """Pieces of a block with their number of lines, at most MAX_RECORD_LINES."""
    count = block.count(b"\n") + 1
    if count <= MAX_RECORD_LINES:
        yield block, count
        return
    lines = block.split(b"\n")
    for start in range(0, count, MAX_RECORD_LINES):
        piece = lines[start : start + MAX_RECORD_LINES]
        yield b"\n".join(piece), len(piece)


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """A file from its beginning."""
    file.seek(0)
    while chunk := file.read(IN_MEMORY_BYTES):
        yield chunk


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write, whatever the number of calls."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class SpoolWriter:
    """Appends records. What a full disk refuses is lost, and the numbers in the next record say so."""

    def __init__(self, segment_bytes: int, limit_bytes: int) -> None:
        self._segment_bytes, self._limit_bytes = segment_bytes, limit_bytes
        self._fd = -1
        self._segment = self._size = 0
        self._lines = self._bytes = 0
        self._refused = False

    @property
    def end(self) -> tuple[int, int]:
        """(segment, offset) behind the last record."""
        return self._segment, self._size

    def write(self, stream: int, block: bytes | BinaryIO) -> None:
        """Append a block of lines joined by `\n`, or one very long line from a file."""
        if isinstance(block, bytes):
            for text, lines in by_line_count(block):
                header = self._header(stream, len(text), zlib.crc32(text), lines)
                self._append(HEADER.size + len(text), [header + text])
            return
        with block:
            crc = 0
            for chunk in chunks(block):
                crc = zlib.crc32(chunk, crc)
            size = block.tell()
            header = self._header(stream, size, crc, 1)
            self._append(HEADER.size + size, itertools.chain([header], chunks(block)))

    def finish(self) -> None:
        """Tell of lines lost at the very end, and put all on disk."""
        if self._refused:
            self._append(HEADER.size, [self._header(0, 0, 0, 0)])
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.fsync(self._fd)

    def _header(self, stream: int, size: int, crc: int, lines: int) -> bytes:
        now_ms = time.time_ns() // 1_000_000
        rest = HEADER.pack(MAGIC, 0, size, now_ms, self._lines, self._bytes, lines, stream)[8:]
        self._lines += lines
        self._bytes += size + (lines > 0)  # with the end of the last line
        return MAGIC + struct.pack("<I", zlib.crc32(rest, crc)) + rest

    def _append(self, size: int, parts: Iterable[bytes]) -> None:
        try:
            if self._fd < 0 or (self._size and self._size + size > self._segment_bytes):
                self._rotate(size)
            for part in parts:
                write_all(self._fd, part)
            self._size += size
            self._refused = False
        except OSError as problem:
            if not self._refused:
                log(f"output is lost: {problem}")
            self._refused = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._size)

    def _rotate(self, incoming: int) -> None:
        self._drop_oldest(max(incoming, self._segment_bytes))
        fd = os.open(segment_name(self._segment + 1), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._segment, self._size = fd, self._segment + 1, 0

    def _drop_oldest(self, room: int) -> None:
        sizes: dict[int, int] = {}
        for number in segment_numbers():
            with contextlib.suppress(FileNotFoundError):  # the reader deletes too
                sizes[number] = os.stat(segment_name(number)).st_size
        total = sum(sizes.values())
        for number, size in sizes.items():
            if total + room <= self._limit_bytes:
                return
            with contextlib.suppress(FileNotFoundError):
                os.unlink(segment_name(number))
            total -= size


# --- The program's three streams --------------------------------------------------------------------------------------


class Pace:
    """Once output comes often and in drops, sleeps between reads so that the pipe fills."""

    def __init__(self) -> None:
        self._credit, self._at = float(READ_BURST), time.monotonic()

    def after(self, size: int) -> None:
        """Account for a read of so many bytes."""
        if size > CHUNK_BYTES // 4:
            return
        now = time.monotonic()
        self._credit = min(READ_BURST, self._credit + (now - self._at) * READS_PER_S) - 1
        self._at = now
        if self._credit < 0:
            time.sleep(1 / READS_PER_S)


class Output:
    """One output stream of the program on its way to the spool and, with `echo_fd`, to the terminal."""

    def __init__(self, pipe: int, stream: int, lines: Lines, spool: SpoolWriter, echo_fd: int = -1) -> None:
        self._pipe, self._stream, self._lines, self._spool, self._echo_fd = pipe, stream, lines, spool, echo_fd
        self._unseen = memoryview(b"")  # what the terminal has not taken yet; meanwhile the pipe is not read
        self._listening = -1
        os.set_blocking(pipe, False)

    def attach(self, selector: selectors.BaseSelector, pace: Pace) -> None:
        """Be called from now on when there is something to do."""
        self._selector, self._pace = selector, pace
        self._listen(self._pipe, selectors.EVENT_READ, self._read)

    def drain(self) -> None:
        """The tree is gone: take what is left in the pipe, and the last line if it has no end."""
        left: bytes | memoryview = self._unseen
        with contextlib.suppress(BlockingIOError):
            while True:
                if self._echo_fd >= 0:
                    with contextlib.suppress(OSError):
                        write_all(self._echo_fd, left)
                if self._pipe < 0 or not (left := self._take()):
                    break
        self._close()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = self._take()
            if not data:
                self._close()
                return
            self._pace.after(len(data))
            if self._echo_fd >= 0:
                self._unseen = memoryview(data)
                self._show()

    def _show(self) -> None:
        """Write what the terminal takes without waiting; for the rest it is the program who waits."""
        try:
            while self._unseen and select.select((), (self._echo_fd,), (), 0)[1]:
                self._unseen = self._unseen[os.write(self._echo_fd, self._unseen[: select.PIPE_BUF]) :]
        except OSError:  # nobody looks any more (`| head`): the program hears of it as it would without us
            self._unseen, self._echo_fd = memoryview(b""), -1
            self._close()
            return
        if self._unseen:
            self._listen(self._echo_fd, selectors.EVENT_WRITE, self._show)
        else:
            self._listen(self._pipe, selectors.EVENT_READ, self._read)

    def _take(self) -> bytes:
        data = os.read(self._pipe, CHUNK_BYTES)
        for block in self._lines.feed(data):
            self._spool.write(self._stream, block)
        return data

    def _close(self) -> None:
        if self._pipe < 0:
            return
        self._listen(-1)
        os.close(self._pipe)
        self._pipe = -1
        for block in self._lines.end():
            self._spool.write(self._stream, block)

    def _listen(self, fd: int, events: int = 0, callback: Callable[[], None] | None = None) -> None:
        if fd == self._listening:
            return
        if self._listening >= 0:
            self._selector.unregister(self._listening)
        self._listening = fd
        if fd >= 0:
            self._selector.register(fd, events, callback)


class Refused(Exception):
    """A request that cannot be done; `args` are its code and a sentence."""


class Input:
    """The program's stdin: what it does not read at once waits in a bounded buffer."""

    def __init__(self, selector: selectors.BaseSelector, pipe: int) -> None:
        self._selector, self._pipe = selector, pipe
        self._waiting = bytearray()
        os.set_blocking(pipe, False)

    def write(self, data: bytes) -> None:
        """Take all of it or nothing. Raises Refused."""
        if self._pipe < 0:
            raise Refused("no_stdin", "the program has closed its standard input")
        if len(data) > STDIN_BUFFER_BYTES:
            raise Refused("too_large", f"at most {STDIN_BUFFER_BYTES} bytes at once")
        if len(self._waiting) + len(data) > STDIN_BUFFER_BYTES:
            raise Refused("full", "the program does not read its standard input")
        if not data:
            return
        if not self._waiting:
            self._selector.register(self._pipe, selectors.EVENT_WRITE, self._flush)
        self._waiting += data
        self._flush()
        if self._pipe < 0:
            raise Refused("no_stdin", "the program has closed its standard input")

    def _flush(self) -> None:
        try:
            del self._waiting[: os.write(self._pipe, self._waiting)]
        except BlockingIOError:
            return
        except OSError:
            self._waiting.clear()
            self._selector.unregister(self._pipe)
            os.close(self._pipe)
            self._pipe = -1
            return
        if not self._waiting:
            self._selector.unregister(self._pipe)


# --- The control socket -----------------------------------------------------------------------------------------------


class Client:
    """One connection to the control socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.inbox = bytearray()
        self.watch: tuple[Any, tuple[int, int]] | None = None  # request id and the position read so far
        self.ring_at = 0.0  # not before this (monotonic)
        self.waits: list[Any] = []  # ids of requests that are answered when the tree is gone


class Control:
    """Serves control.sock in the current directory; `perform` does what is asked."""

    def __init__(
        self, selector: selectors.BaseSelector, perform: Callable[[Client, dict[str, Any]], dict[str, Any] | None]
    ) -> None:
        self._selector, self._perform = selector, perform
        self._clients: set[Client] = set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.setblocking(False)
        self._listener.bind(CONTROL)  # relative: a Unix socket's path has room for about 100 bytes
        self._listener.listen(64)
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def ring(self, end: tuple[int, int]) -> float | None:
        """Tell watchers that there is more than they have read; returns when to try again (monotonic)."""
        again: float | None = None
        now = time.monotonic()
        for client in [client for client in self._clients if client.watch and client.watch[1] < end]:
            if client.ring_at <= now and client.watch:
                request_id, client.watch, client.ring_at = client.watch[0], None, now + RING_EVERY_S
                self._send(client, {"id": request_id, "ok": True})
            else:
                again = min(again or client.ring_at, client.ring_at)
        return again

    def close(self, status: dict[str, Any]) -> None:
        """Answer all who wait, and end."""
        for client in list(self._clients):
            for request_id in client.waits:
                self._send(client, {"id": request_id, "ok": True, "status": status})
            self._drop(client)
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(CONTROL)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            client = Client(connection)
            self._clients.add(client)
            self._selector.register(connection, selectors.EVENT_READ, lambda: self._receive(client))

    def _receive(self, client: Client) -> None:
        try:
            data = client.connection.recv(CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        client.inbox += data
        if not data or len(client.inbox) > REQUEST_BYTES:
            self._drop(client)
            return
        if b"\n" in data:
            *requests, rest = bytes(client.inbox).split(b"\n")
            client.inbox = bytearray(rest)
            for request in requests:
                self._answer(client, request)

    def _answer(self, client: Client, text: bytes) -> None:
        request_id = None
        try:
            request = json.loads(text)
            request_id = request.get("id")
            answer = self._perform(client, request)
        except Refused as refusal:
            answer = {"ok": False, "code": refusal.args[0], "message": refusal.args[1]}
        except (ValueError, TypeError, AttributeError, LookupError) as problem:
            answer = {"ok": False, "code": "bad_request", "message": repr(problem)}
        if answer is not None:
            self._send(client, {"id": request_id, "ok": True, **answer})

    def _send(self, client: Client, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\n"
        try:
            sent = client.connection.send(data)
        except OSError:
            sent = 0
        if sent < len(data):  # does not read its small answers, or is gone
            self._drop(client)

    def _drop(self, client: Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._selector.unregister(client.connection)
            client.connection.close()


# --- The supervisor ---------------------------------------------------------------------------------------------------


class Shim:
    """One program, from its start until its tree is gone."""

    def __init__(self, spec: dict[str, Any], umask: int) -> None:
        self._spec, self._umask, self._echo = spec, umask, bool(spec["echo"])
        self._selector = selectors.DefaultSelector()
        self._spool = SpoolWriter(spec["spool_segment_bytes"], spec["spool_limit_bytes"])
        self._control = Control(self._selector, self._perform)
        self._outputs: list[Output] = []
        self._input: Input | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._code = 1  # exit status as a shell shows it
        self._reason: str | None = None  # why the program ends, if not by itself
        self._kill_at: float | None = None  # monotonic; the next sweep with SIGKILL
        self._sweeps = 0
        self._tree_gone = False
        self._subreaper = become_subreaper()
        me = look(os.getpid())
        self.status: dict[str, Any] = {
            "boot_id": boot_id(),
            "token": os.urandom(16).hex(),
            "shim": {"pid": os.getpid(), "start": me.start if me else ""},
            "child": None,
            "started_at_ms": now_ms(),
            "exit": None,
            "ended": False,
        }

    def run(self, started: Callable[[], None]) -> int:
        """Run the program to its end; returns the exit status a shell would show."""
        try:
            self._catch_signals()
            runs = self._start()
            if runs:
                self._save()
                started()
            while not self._tree_gone:
                for key, _ in self._selector.select(self._timeout_s()):
                    key.data()
                self._sweep()
            for output in self._outputs:
                output.drain()
            self._spool.finish()
            self._end()
            if not runs:
                started()
        except Exception:  # a fault of ours: leave neither an orphan nor a riddle
            log(traceback.format_exc())
            self._give_up()
        return self._code

    def stop(self, number: int, grace_s: float) -> None:
        """Signal the whole tree; what is left after the grace is killed."""
        deadline = time.monotonic() + grace_s
        self._kill_at = min(self._kill_at or deadline, deadline)
        if self.status["exit"] is None:
            self._reason = f"stopped by {signal.Signals(number).name}"
        self._signal(number)
        self._signal(signal.SIGCONT)  # who is suspended could not react

    def _start(self) -> bool:
        spec = self._spec
        try:
            child = subprocess.Popen(  # noqa: S603
                spec["command"],
                cwd=spec["cwd"],
                env={**spec["env"], TOKEN: self.status["token"]},
                stdin=None if self._echo else subprocess.PIPE if spec["stdin"] else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                umask=self._umask,
                process_group=None if self._echo else 0,  # in a terminal Ctrl-C and Ctrl-Z reach all as usual
            )
        except (OSError, ValueError) as problem:
            self._never_started(problem)
            return False
        self._child = child
        facts = look(child.pid)
        self.status["child"] = {"pid": child.pid, "start": facts.start if facts else ""}
        self._take_pipes(child)
        return True

    def _take_pipes(self, child: subprocess.Popen[bytes]) -> None:
        spec, pace = self._spec, Pace()
        limit = min(spec["line_limit_bytes"] or spec["spool_limit_bytes"], spec["spool_limit_bytes"])
        for stream, pipe in enumerate((child.stdout, child.stderr)):
            if pipe is not None:
                echo_fd = stream + 1 if self._echo else -1
                output = Output(os.dup(pipe.fileno()), stream, Lines(limit), self._spool, echo_fd)
                pipe.close()
                output.attach(self._selector, pace)
                self._outputs.append(output)
        if child.stdin is not None:
            self._input = Input(self._selector, os.dup(child.stdin.fileno()))
            child.stdin.close()

    def _never_started(self, problem: Exception) -> None:
        reason = f"cannot start: {problem}"
        self._code = 127 if isinstance(problem, FileNotFoundError) else 126
        self._tree_gone = True
        self.status["exit"] = exit_record(None, None, reason)
        if self._echo:
            sys.stderr.write(f"antiphon: {reason}\n")

    def _catch_signals(self) -> None:
        """Signals arrive in the loop. Handlers, unlike SIG_IGN, are not inherited by the program."""
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._wakeup = reader, writer
        self._selector.register(reader, selectors.EVENT_READ, self._on_signals)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            if number in (signal.SIGCHLD, signal.SIGTERM) or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, nothing)

    def _on_signals(self) -> None:
        for number in self._wakeup[0].recv(256):
            if number == signal.SIGCHLD:
                self._reap()
            elif number == signal.SIGTERM or (number == signal.SIGHUP and self._echo):
                self.stop(signal_number(self._spec["stop_signal"]), self._spec["grace_s"])
            elif self._echo and number in (signal.SIGINT, signal.SIGQUIT) and not in_foreground():
                self._signal(number)  # in the foreground the terminal has told the program already

    def _reap(self) -> None:
        try:
            while True:
                pid, wait_status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if self._child and pid == self._child.pid:
                    self._child_ended(os.waitstatus_to_exitcode(wait_status))
        except ChildProcessError:  # all our descendants are or become our children: none is left
            self._tree_gone = self._subreaper or not self._members()
        if self.status["exit"] and not self._tree_gone and self._kill_at is None:
            self.stop(signal_number(self._spec["stop_signal"]), self._spec["grace_s"])

    def _child_ended(self, code: int) -> None:
        if self._child:
            self._child.returncode = code
        self._code = code if code >= 0 else 128 - code
        name = None if code >= 0 else signal_name(-code)
        self.status["exit"] = exit_record(code if code >= 0 else None, name, self._reason)
        self._save()

    def _members(self) -> dict[int, Facts]:
        table = processes()
        found = descendants(table, {os.getpid()})
        if not self._subreaper and self._child and not self._echo:
            found |= {pid for pid, facts in table.items() if facts.group == self._child.pid and not facts.zombie}
        return {pid: table[pid] for pid in found}

    def _signal(self, number: int) -> None:
        for pid in self._members():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def _sweep(self) -> None:
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            if self.status["exit"] is None and "killed" not in (self._reason or ""):
                self._reason = f"killed, because it did not end in time ({self._reason})"
            self._signal(signal.SIGKILL)
            self._sweeps += 1
            self._kill_at = now + SWEEP_EVERY_S * self._sweeps  # ever rarer: some (of another user) cannot be killed
        if not self._subreaper and self.status["exit"]:
            self._reap()

    def _timeout_s(self) -> float | None:
        polled = None if self._subreaper or not self.status["exit"] else time.monotonic() + SWEEP_EVERY_S
        due = [at for at in (self._kill_at, polled, self._control.ring(self._spool.end)) if at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _perform(self, client: Client, request: dict[str, Any]) -> dict[str, Any] | None:
        match request["op"]:
            case "status":
                return {"status": self.status}
            case "write":
                if self._input is None:
                    raise Refused("no_stdin", "the program has no standard input")
                self._input.write(request["text"].encode("utf-8", "replace"))
                return {}
            case "watch":
                client.watch = request.get("id"), (int(request["segment"]), int(request["offset"]))
            case "stop":
                self.stop(signal_number(request["signal"]), float(request["grace_s"]))
                client.waits.append(request.get("id"))
            case "wait":
                client.waits.append(request.get("id"))
            case op:
                raise Refused("unknown_op", f"{op!r}")
        return None

    def _save(self) -> bool:
        """Replace status.json, on disk when this returns; False: the disk does not take it."""
        try:
            with open(STATUS + ".tmp", "w", encoding="utf-8") as file:
                json.dump(self.status, file)
                file.flush()
                if self.status["exit"]:
                    os.fsync(file.fileno())
            os.replace(STATUS + ".tmp", STATUS)
        except OSError as problem:
            log(f"{STATUS}: {problem}")
            return False
        return True

    def _end(self) -> None:
        self.status["ended"] = True
        for _ in range(SAVE_ATTEMPTS):
            if self._save():
                break
            time.sleep(1)
        self._control.close(self.status)

    def _give_up(self) -> None:
        deadline = time.monotonic() + 5
        while (members := self._members()) and time.monotonic() < deadline:
            for pid in members:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(SWEEP_EVERY_S)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)
        self.status["exit"] = self.status["exit"] or exit_record(None, None, f"the shim failed: see {LOG}")
        self._end()


def exit_record(code: int | None, name: str | None, reason: str | None) -> dict[str, Any]:
    """How the program ended, now."""
    return {"exit_code": code, "signal": name, "ended_at_ms": now_ms(), "reason": reason}


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def nothing(_number: int, _frame: FrameType | None) -> None:
    """A handler: what counts is the byte in the wake-up socket."""


def signal_number(name: str) -> int:
    """`TERM` or `SIGTERM` -> 15. Raises KeyError."""
    return signal.Signals["SIG" + name.upper().removeprefix("SIG")]


def signal_name(number: int) -> str:
    """15 -> `SIGTERM`; real-time signals have no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def in_foreground() -> bool:
    """Are we in the terminal's foreground group, which gets its Ctrl-C?"""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def log(text: str) -> None:
    """A fault of ours, in words."""
    with contextlib.suppress(OSError), open(LOG, "a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")


def detach() -> Callable[[], None]:
    """Go on in a process and session of our own; returns what tells the one who started us that the program runs."""
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            os._exit(0 if pipe.read() == b"started" else 1)
    os.setsid()
    for fd in map(int, os.listdir("/dev/fd")):  # some event loops leak theirs, and whoever reads them waits for us
        if fd > 2 and fd != writer:
            with contextlib.suppress(OSError):
                os.close(fd)
    null = os.open(os.devnull, os.O_RDWR)
    faults = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for ours, theirs in ((null, 0), (null, 1), (faults, 2)):
        os.dup2(ours, theirs)

    def started() -> None:
        try:
            write_all(writer, b"started")
            os.close(writer)
        except BrokenPipeError:  # the start was called off
            os.kill(os.getpid(), signal.SIGTERM)

    return started


def main(arguments: list[str]) -> int:
    """Read the spec, detach unless in a terminal, run."""
    directory, source = arguments[0], int(arguments[1]) if len(arguments) > 1 else 0
    with open(source, "rb", closefd=source > 2) as file:
        spec = json.load(file)
    umask = os.umask(0o077)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    os.chdir(directory)
    if os.path.exists(STATUS):
        sys.stderr.write(f"{directory} has been used: one directory per life of a program\n")
        return 2
    started = (lambda: None) if spec["echo"] else detach()
    return Shim(spec, umask).run(started)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
