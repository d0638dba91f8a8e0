"""Where things are: sources beside this file, everything made or installed in folders that git ignores."""

from __future__ import annotations

import socket
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
ROOT = SOURCES.parents[1]
INSTALLED = SOURCES.parent / ".peers"
RESULTS = SOURCES.parent / ".results"

HOST = "127.0.0.1"


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
