"""The real command in processes of its own, and a real server to talk to."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.owned import OwnedRun
from tests.live.real_server import RealServer, free_port

import antiphon
from antiphon import Live

CONFIG = f"""
[process.sleeper]
command = ['{sys.executable}', '-c', 'print("up", flush=True); import time; time.sleep(600)']

[process.failing]
command = ['{sys.executable}', '-c', 'import sys; sys.exit(3)']
"""

Done = subprocess.CompletedProcess[str]
Cli = Callable[..., Done]
Begin = Callable[..., subprocess.Popen[str]]
Own = Callable[..., OwnedRun]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "antiphon", *arguments]


def environment(url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
    return {**kept, "ANTIPHON_URL": url, "TERM": "dumb", "COLUMNS": "120", "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    home = tmp_path_factory.mktemp("server")
    config = home / "antiphon.toml"
    config.write_text(CONFIG)
    found = RealServer(home / "data", config=config)
    asyncio.run(found.start())
    yield found
    asyncio.run(found.stop())


@pytest.fixture
def no_server() -> str:
    """The address of nobody."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def cli(server: RealServer, tmp_path: Path) -> Cli:
    """`cli("ps", ...)`: run to its end, talking to `server` unless `url` says otherwise."""

    def run(*arguments: str, url: str | None = None, **options: Any) -> Done:
        given = {"cwd": tmp_path, "env": environment(url or server.url), "timeout": 60, **options}
        return subprocess.run(command(*arguments), capture_output=True, text=True, check=False, **given)

    return run


@pytest.fixture
def begin(server: RealServer, tmp_path: Path) -> Iterator[Begin]:
    """`begin("tail", ...)`: start it and leave it running, until the test ends."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, url: str | None = None, **options: Any) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        given = {"cwd": tmp_path, "env": environment(url or server.url), **pipes, **options}
        running.append(subprocess.Popen(command(*arguments), text=True, **given))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def live(server: RealServer) -> Iterator[Live]:
    with antiphon.connect(server.url) as found:
        yield found


@pytest.fixture
def own(live: Live) -> Own:
    """`own("research", input=...)`: open a run whose owner is the test."""

    def opened(name: str, **wanted: Any) -> OwnedRun:
        return OwnedRun(live, name, **wanted)

    return opened
