"""Centrifugo (Go), built through the Go module proxy where both are to be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.delivery.peers.base import Peer, Publication, Receiver, Unavailable
from bench.delivery.places import HOST, INSTALLED

FOLDER = INSTALLED / "go"
MODULE = "github.com/centrifugal/centrifugo/v6@v6.2.0"
KEY = "bench"


class Centrifugo(Peer):
    """With history, as we have."""

    name = "centrifugo"
    title = "Centrifugo (Go), history on"

    def install(self) -> None:
        if (FOLDER / "centrifugo").exists():
            return
        if shutil.which("go") is None:
            raise Unavailable("this machine has no Go")
        environment = {**os.environ, "GOBIN": str(FOLDER)}
        answer = subprocess.run(["go", "install", MODULE], env=environment, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise Unavailable(f"`go install` of {MODULE.rpartition('/')[0]} failed: the module could not be built")

    def command(self, home: Path, port: int) -> Sequence[str | Path]:
        rules = {"allow_subscribe_for_client": True, "history_size": 10_000, "history_ttl": "1h"}
        settings = {
            "http_server": {"address": HOST, "port": port},
            "http_api": {"key": KEY},
            "client": {"insecure": True},
            "channel": {"without_namespace": rules},
            "log": {"level": "error"},
        }
        (home / "config.json").write_text(json.dumps(settings))
        return [FOLDER / "centrifugo", "--config", home / "config.json"]

    def receiver(self, channels: Sequence[str]) -> Receiver:
        subscribe = (f'{{"id":{i},"subscribe":{{"channel":"{name}"}}}}' for i, name in enumerate(channels, 2))
        hello = ('{"id":1,"connect":{}}', *subscribe)
        return Receiver("/connection/websocket", hello, '"subscribe":{', len(channels), ping="{}", pong="{}")

    def publication(self, channel: str, data: str) -> Publication:
        body = f'{{"channel":"{channel}","data":{data}}}'
        return Publication("/api/publish", body, header=f"X-API-Key: {KEY}")
