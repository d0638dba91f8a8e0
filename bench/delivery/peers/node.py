"""Node's `ws` and Socket.IO, versions pinned in node_apps/package-lock.json."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.delivery.peers.base import Peer, Publication, Receiver, Unavailable
from bench.delivery.places import INSTALLED, SOURCES

FOLDER = INSTALLED / "node"
PROGRAMS = SOURCES / "peers" / "node_apps"


class NodePeer(Peer):
    program: str

    def install(self) -> None:
        if shutil.which("npm") is None:
            raise Unavailable("this machine has no Node.js with npm")
        FOLDER.mkdir(parents=True, exist_ok=True)
        for source in PROGRAMS.iterdir():
            shutil.copy2(source, FOLDER)  # Node looks for packages beside the program
        lock, installed = FOLDER / "package-lock.json", FOLDER / ".installed"
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            answer = subprocess.run(["npm", "ci", "--silent"], cwd=FOLDER, capture_output=True, text=True, check=False)
            if answer.returncode != 0:
                raise Unavailable(f"npm ci failed: {answer.stderr.strip()[:300]}")
            shutil.copy2(lock, installed)

    def command(self, home: Path, port: int) -> Sequence[str | Path]:
        return ["node", FOLDER / self.program, str(port)]

    def environment(self) -> Mapping[str, str]:
        return {"NODE_ENV": "production"}

    def publication(self, channel: str, data: str) -> Publication:
        return Publication(f"/publish/{channel}", data)


class NodeWs(NodePeer):
    name = "ws"
    title = "Node `ws`"
    program = "ws.mjs"

    def receiver(self, channels: Sequence[str]) -> Receiver:
        return Receiver("/", tuple(channels), ready="subscribed", answers=len(channels))


class NodeSocketIo(NodePeer):
    name = "socket.io"
    title = "Node Socket.IO"
    program = "socketio.mjs"

    def receiver(self, channels: Sequence[str]) -> Receiver:
        return socket_io(channels)


class NodeSocketIoRecovery(NodeSocketIo):
    name = "socket.io-recovery"
    title = "Node Socket.IO with state recovery"
    program = "socketio-recovery.mjs"


def socket_io(channels: Sequence[str]) -> Receiver:
    """Socket.IO 5 over Engine.IO 4: connect to the main namespace, then ask for rooms."""
    hello = ("40", *(f'42["subscribe","{channel}"]' for channel in channels))
    return Receiver(
        "/socket.io/?EIO=4&transport=websocket",
        hello,
        ready='42["subscribed"',
        answers=len(channels),
        ping="2",
        pong="3",
        greeted="40",
    )
