"""What a server under test is: how it is installed and started, and how receivers and publishers talk to it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.delivery.places import HOST, free_port

START_S = 30.0
STOP_S = 15.0


class Unavailable(Exception):
    """The server cannot be had on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """How a client subscribes.

    Attributes:
        hello: Text frames to send after the handshake; `@I@` is the client's number, `@LAST@` its last event's.
        ready: What an answer contains that tells that a subscription is live; None = live after the handshake.
        answers: How many such answers there are.
        greeted: How the answer to the first of the frames begins, before which the others may not be sent.
        ping: A text that must be answered with `pong`; None = the server has no pings of its own making.
        number, time: What stands before an event's number and before its time; None = as in `event_data`.
    """

    path: str
    hello: tuple[str, ...] = ()
    ready: str | None = None
    answers: int = 0
    ping: str | None = None
    pong: str | None = None
    greeted: str | None = None
    number: str | None = None
    time: str | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """How an event is published: the text of a WebSocket message or the body of a POST, with `@N@` and `@T@`.

    `hello` is what Socket.IO's clients say first; then an event is acknowledged as they have it.
    """

    path: str
    template: str
    is_http: bool = True
    header: str | None = None
    hello: str | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens on 127.0.0.1."""

    pid: int
    port: int


class Peer(ABC):
    """One kind of server. `name` is its name on the command line, `title` the one in tables."""

    name: str
    title: str
    is_general: bool = True  # whether it is measured where a scenario names nobody

    @abstractmethod
    def install(self) -> None:
        """Make sure that it can be started. Raises Unavailable."""

    @abstractmethod
    def command(self, home: Path, port: int) -> Sequence[str | Path]:
        """What to start; `home` is an empty folder of its own."""

    @abstractmethod
    def receiver(self, channels: Sequence[str]) -> Receiver: ...

    @abstractmethod
    def publication(self, channel: str, data: str) -> Publication:
        """`data` is the event's JSON."""

    def environment(self) -> Mapping[str, str]:
        return {}

    @contextmanager
    def running(self, home: Path) -> Iterator[Running]:
        """Start it, yield once it listens, and stop it."""
        home.mkdir(parents=True)
        port = free_port()
        environment = {**os.environ, **self.environment()}
        with (home / "output").open("wb") as output:
            process = subprocess.Popen(
                self.command(home, port), cwd=home, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                _wait_for(process, port)
                yield Running(process.pid, port)
            except Exception as exc:
                exc.add_note(f"server: {self.name}; it said: {(home / 'output').read_text(errors='replace')[-2000:]}")
                raise
            finally:
                _stop(process)


def event_data(size: int = 200) -> str:
    """The JSON of an event of about `size` bytes: its number, the publisher's clock, and text."""
    shortest = len('{"n":1234,"t":123456789012,"text":""}')
    return f'{{"n":@N@,"t":@T@,"text":"{"x" * max(0, size - shortest)}"}}'


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server does not listen")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
