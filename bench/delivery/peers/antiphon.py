"""Antiphon as it comes: publishes durable and acknowledged, history and resume on."""

from __future__ import annotations

import json
import re
import shutil
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.delivery.peers.base import Peer, Publication, Receiver
from bench.delivery.peers.node import socket_io
from bench.delivery.places import HOST, SOURCES

SETTINGS = """
[dialect.bettafish]
enabled = false

[socketio]
import = ["rooms:rooms"]
"""
CAUGHT_UP = '"method":"caught_up"'


class Antiphon(Peer):
    name = "antiphon"
    title = "**Antiphon**"

    def install(self) -> None:
        """The interpreter that runs this has it."""

    def command(self, home: Path, port: int) -> Sequence[str | Path]:
        return [sys.executable, "-m", "antiphon", "serve", "--port", str(port), "--data", home / "data"]

    def receiver(self, channels: Sequence[str]) -> Receiver:
        return subscriber(channels, {})

    def publication(self, channel: str, data: str) -> Publication:
        return publication(channel, "tick", data)


class AntiphonSocketIo(Antiphon):
    """The same server with an application's namespace, which does what the others' programs do."""

    name = "antiphon-socketio"
    title = "**Antiphon**"
    is_general = False

    def command(self, home: Path, port: int) -> Sequence[str | Path]:
        shutil.copy(SOURCES / "peers" / "our_apps" / "rooms.py", home)
        (home / "antiphon.toml").write_text(SETTINGS)
        return [*super().command(home, port), "--config", home / "antiphon.toml"]

    def receiver(self, channels: Sequence[str]) -> Receiver:
        return socket_io(channels)

    def publication(self, channel: str, data: str) -> Publication:
        """One client more, whose events go to a room and are acknowledged when they were given to it."""
        template = f'42@N@["publish","{channel}",{data}]'
        return Publication("/socket.io/?EIO=4&transport=websocket", template, is_http=False, hello="40")


def subscriber(channels: Sequence[str], more: dict[str, Any]) -> Receiver:
    """A client that subscribes; `more` are parameters such as `after`."""
    frames = (call("subscribe", {"channel": channel, **more}, number) for number, channel in enumerate(channels))
    return Receiver("/live", tuple(frames), CAUGHT_UP, len(channels))


def resuming(channel: str, epoch: str) -> tuple[str, ...]:
    """The first messages of a client that goes on after what it received last."""
    after = f'{{"epoch":"{epoch}","offset":@LAST@}}'
    return (call("subscribe", {"channel": channel, "after": "AFTER"}, 0).replace('"AFTER"', after),)


def publication(channel: str, kind: str, data: str) -> Publication:
    """`data` is JSON with places to fill in."""
    frame = call("publish", {"channel": channel, "type": kind, "data": "DATA"}, 0)
    return Publication("/live", frame.replace('"id":0', '"id":@N@').replace('"DATA"', data), is_http=False)


def call(method: str, params: dict[str, Any], number: int) -> str:
    request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return json.dumps(request, separators=(",", ":"))


def epoch(port: int) -> str:
    found: str = json.loads(_get(port, "/api/server"))["epoch"]
    return found


def head(port: int, channel: str) -> int:
    """The offset of a channel's newest event."""
    found: int = json.loads(_get(port, f"/api/channels/{channel}/events?limit=1"))["head"]
    return found


def metric(port: int, name: str) -> float:
    """A counter of /metrics; the sum where it has labels. 0 where the server does not tell it."""
    rows = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", _get(port, "/metrics"), re.MULTILINE)
    return sum(map(float, rows))


def pulling(port: int) -> int:
    """Connections that were over their bound and now read from the log at their own pace."""
    rows = json.loads(_get(port, "/api/server/connections"))["connections"]
    return sum(any(one["phase"] == "pulling" for one in row["subscriptions"]) for row in rows)


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=30) as answer:
        text: str = answer.read().decode()
        return text
