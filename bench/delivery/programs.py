"""The two C programs: compiled when they are needed, then spoken to in lines."""

from __future__ import annotations

import json
import select
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.delivery.peers.base import Publication, Receiver
from bench.delivery.places import INSTALLED, SOURCES

PATIENCE_S = 330.0  # longer than anything that the programs wait for
COMPILE = ("gcc", "-O2", "-Wall", "-Wextra")

Report = dict[str, Any]


def program(name: str) -> Path:
    """The compiled program, compiled again where its source is newer."""
    sources = [SOURCES / f"{name}.c", SOURCES / "wire.c"]
    target = INSTALLED / name
    newest = max(path.stat().st_mtime for path in [*sources, SOURCES / "wire.h"])
    if not target.exists() or target.stat().st_mtime < newest:
        INSTALLED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=INSTALLED) as folder:  # another run may be executing the old one
            fresh = Path(folder, name)
            subprocess.run([*COMPILE, "-o", fresh, *sources], check=True)
            fresh.replace(target)
    return target


class Load:
    """Many receivers in one process; see load.c for the commands."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder

    def connect(self, hello: tuple[str, ...] | None = None) -> Report:
        """Connect all that are not; returns when they are ready. Raises RuntimeError if they do not become it."""
        return self._say("connect" if hello is None else f"connect {_write(self._folder, hello)}")

    def expect(self, number: int, *, within_s: float) -> Report:
        """Wait until every reading connection has received this number."""
        return self._say(f"expect {number} {within_s}")

    def report(self) -> Report:
        return self._say("report")

    def reset(self) -> Report:
        return self._say("reset")

    def stall(self, count: int) -> Report:
        return self._say(f"stall {count}")

    def cut(self) -> Report:
        return self._say("cut")

    def _say(self, command: str) -> Report:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            raise RuntimeError(f"the load generator did not answer {command!r}")
        report: Report = json.loads(line)
        return report


@contextmanager
def load(
    port: int,
    receiver: Receiver,
    count: int,
    *,
    in_flight: int = 200,
    small_buffers: int = 0,
    options: tuple[str, ...] = (),
) -> Iterator[Load]:
    """Connected receivers; they are gone afterwards.

    Args:
        in_flight: Connections under way at a time.
        small_buffers: How many of the first connections have a small receive buffer, so that they stall soon.
        options: More of load.c's options.
    """
    with tempfile.TemporaryDirectory(prefix="antiphon-load-") as folder:
        hello = ("--hello", str(_write(Path(folder), receiver.hello)))
        flags = _flags(
            port=port, path=receiver.path, count=count, in_flight=in_flight, small_buffers=small_buffers,
            ready=receiver.ready, answers=receiver.answers, ping=receiver.ping, pong=receiver.pong,
            greeted=receiver.greeted, number=receiver.number, time=receiver.time,
        )  # fmt: skip
        command: list[str | Path] = [program("load"), *flags, *hello, *options]
        with _connected(command, Path(folder), count) as clients:
            yield clients


@contextmanager
def polling(port: int, receiver: Receiver, count: int) -> Iterator[Load]:
    """Connected clients that poll, as Engine.IO has it; the first messages are one packet each."""
    with tempfile.TemporaryDirectory(prefix="antiphon-poll-") as folder:
        more = "\x1e".join(receiver.hello[1:])  # the first one enters the namespace
        flags = _flags(
            port=port, path=receiver.path.partition("?")[0], count=count, ready=receiver.ready,
            number=receiver.number, time=receiver.time, hello=_write(Path(folder), (more,)),
        )  # fmt: skip
        with _connected([program("poll"), *flags], Path(folder), count) as clients:
            yield clients


@contextmanager
def _connected(command: Sequence[str | Path], folder: Path, count: int) -> Iterator[Load]:
    """The receivers of this program, all of them ready."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            clients = Load(process, folder)
            answer = clients.connect()
            if answer["open"] != count:
                raise RuntimeError(f"only {answer['open']} of {count} connections became ready")
            yield clients
        finally:
            process.kill()


class Publishing:
    """Events on their way."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def finish(self) -> Report:
        """Wait until all are acknowledged. Raises RuntimeError if some were refused."""
        out, _ = self._process.communicate(timeout=PATIENCE_S)
        if self._process.returncode != 0:
            raise RuntimeError("the publisher failed")
        report: Report = json.loads(out)
        if report["errors"]:
            raise RuntimeError(f"{report['errors']} events were refused")
        return report


@contextmanager
def publishing(
    port: int,
    publication: Publication,
    count: int,
    *,
    first: int = 1,
    rate: float = 0,
    burst: int = 1,
    connections: int = 1,
    window: int = 64,
    limit_s: float = 120,
) -> Iterator[Publishing]:
    """A publisher that runs meanwhile. `rate` 0: as fast as they are acknowledged."""
    with tempfile.TemporaryDirectory(prefix="antiphon-publish-") as folder:
        template = _write(Path(folder), (publication.template,))
        flags = _flags(
            port=port, path=publication.path, template=template, header=publication.header, hello=publication.hello,
            count=count, first=first, rate=rate, burst=burst, connections=connections, window=window, limit=limit_s,
        )  # fmt: skip
        command: list[str | Path] = [program("publish"), *flags, *(["--http"] if publication.is_http else [])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield Publishing(process)
            finally:
                process.kill()


def publish(port: int, publication: Publication, count: int, **pace: Any) -> Report:
    """Publish events and wait until all are acknowledged; see `publishing`."""
    with publishing(port, publication, count, **pace) as events:
        return events.finish()


def _flags(**values: object) -> list[str]:
    """`--in-flight 5` for `in_flight=5`; nothing for what is None or empty."""
    pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in values.items() if value not in (None, ""))
    return [text for pair in pairs for text in pair]


def _write(folder: Path, lines: tuple[str, ...]) -> Path:
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
        file.write("\n".join(lines))
    return Path(file.name)
