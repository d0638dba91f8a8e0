"""What `antiphon doctor` looks at."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import antiphon
from antiphon.errors import AntiphonError, SettingsError

PACKAGES = ("fastapi", "starlette", "uvicorn", "websockets", "pydantic", "orjson", "psutil", "uvloop", "httptools")
MIN_SQLITE = (3, 37, 0)


class Finding(NamedTuple):
    """One thing that was looked at. `ok` None: a fact, neither right nor wrong."""

    topic: str
    ok: bool | None
    text: str


def diagnose(data: Path | None, config: Path | None) -> list[Finding]:
    """Everything, the machine first."""
    from antiphon.server.settings import load

    found = list(_machine())
    try:
        loaded = load(config, {"data": data}, os.environ)
    except SettingsError as exc:
        return [*found, Finding("settings", False, exc.message)]
    settings = loaded.settings
    found.append(Finding("settings", True, str(loaded.file or "defaults (no antiphon.toml here)")))
    found.append(_directory(settings.server.data.absolute()))
    info = _server(found)
    found.append(_port(settings.server.host.strip("[]"), settings.server.port, info))
    return found


def _machine() -> Iterator[Finding]:
    yield Finding("antiphon", None, f"{antiphon.__version__} in {Path(antiphon.__file__).parent}")
    yield Finding("python", sys.version_info >= (3, 11), f"{platform.python_version()} ({sys.executable})")
    is_known = sys.platform.startswith(("linux", "darwin"))
    yield Finding("platform", is_known, platform.platform() + ("" if is_known else ": servers run on Linux and macOS"))
    is_new = sqlite3.sqlite_version_info >= MIN_SQLITE
    yield Finding("sqlite", is_new, sqlite3.sqlite_version + ("" if is_new else ": 3.37 or newer is needed"))
    yield Finding("packages", None, ", ".join(f"{name} {_version(name)}" for name in PACKAGES))


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _directory(path: Path) -> Finding:
    nearest = next(parent for parent in (path, *path.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as exc:
        return Finding("data directory", False, f"{path}: cannot be written ({exc.strerror})")
    free = os.statvfs(nearest)
    free_gb = free.f_bavail * free.f_frsize / 1e9
    made = "" if path.exists() else ", will be made"
    return Finding("data directory", free_gb > 0.1, f"{path} ({free_gb:.1f} GB free{made})")


def _server(found: list[Finding]) -> dict[str, Any] | None:
    """Ask the server that commands would talk to; that there is none is a fact, not a fault."""
    from antiphon.cli.server_info import ask_server
    from antiphon.client.address import find_address

    try:
        info = ask_server(find_address(None, None))
    except AntiphonError as exc:
        found.append(Finding("server", None, exc.message))
        return None
    text = f"{info.get('server')}, user {info.get('user')}, up {info.get('uptime_s')} s"
    found.append(Finding("server", True, text))
    found.append(Finding("active path", None, str(info.get("active_path"))))
    return info


def _port(host: str, port: int, info: dict[str, Any] | None) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as exc:
        who = _listener(port)
        if info is not None and str(info.get("server", "")).startswith("antiphon/"):
            return Finding("port", None, f"{port} is in use{who}")
        return Finding("port", False, f"{port} cannot be used: {exc.strerror}{who}; choose another with --port")
    return Finding("port", True, f"{port} on {host} is free")


def _listener(port: int) -> str:
    """Who listens there, as far as this user may know."""
    import psutil

    try:
        sockets = psutil.net_connections("tcp")
        listening = [s for s in sockets if s.status == psutil.CONN_LISTEN and s.laddr and s.laddr[1] == port]
        pids = {s.pid for s in listening if s.pid}
        return "".join(f" by pid {pid} ({psutil.Process(pid).name()})" for pid in sorted(pids))
    except psutil.Error:
        return ""
