"""Python servers under uvicorn: python-socketio, and the loop that every FastAPI tutorial shows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.delivery.peers.base import Peer, Publication, Receiver, Unavailable
from bench.delivery.peers.node import socket_io
from bench.delivery.places import HOST, INSTALLED, SOURCES

FOLDER = INSTALLED / "python"
PROGRAMS = SOURCES / "peers" / "asgi_apps"
REQUIREMENTS = PROGRAMS / "requirements.txt"


class AsgiPeer(Peer):
    app: str

    def install(self) -> None:
        installed = FOLDER / ".installed"
        if installed.exists() and installed.read_bytes() == REQUIREMENTS.read_bytes():
            return
        subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
        pip: list[str | Path] = [
            FOLDER / "bin/python",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
        ]
        answer = subprocess.run(
            [*pip, "--require-hashes", "-r", REQUIREMENTS], capture_output=True, text=True, check=False
        )
        if answer.returncode != 0:
            raise Unavailable(f"pip failed: {answer.stderr.strip()[:300]}")
        installed.write_bytes(REQUIREMENTS.read_bytes())

    def command(self, home: Path, port: int) -> Sequence[str | Path]:
        where: list[str | Path] = ["--app-dir", PROGRAMS, "--host", HOST, "--port", str(port), "--backlog", "4096"]
        quiet = ["--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "1"]
        python: list[str | Path] = [FOLDER / "bin/python", "-B", "-m", "uvicorn"]
        return [*python, self.app, *where, *quiet, "--ws-per-message-deflate", "false"]

    def publication(self, channel: str, data: str) -> Publication:
        return Publication(f"/publish/{channel}", data)


class PythonSocketIo(AsgiPeer):
    name = "python-socketio"
    title = "python-socketio on uvicorn"
    app = "socketio_rooms:app"

    def receiver(self, channels: Sequence[str]) -> Receiver:
        return socket_io(channels)


class FastApiLoop(AsgiPeer):
    name = "fastapi"
    title = "FastAPI, a loop of `await send_text`"
    app = "fastapi_loop:app"

    def receiver(self, channels: Sequence[str]) -> Receiver:
        return Receiver("/ws", tuple(channels), ready="subscribed", answers=len(channels))
