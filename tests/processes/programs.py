"""Small honest programs to watch, and ways to wait for them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import psutil

from antiphon.services.processes import ProcessConfig

SLEEPER = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = r"""
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child == 0:
    if os.fork() == 0:
        os.setsid()
    os.write(1, b"child %d\n" % os.getpid())  # one write: they share the pipe
else:
    os.write(1, b"parent %d\n" % os.getpid())
while True:
    time.sleep(3600)
"""
LISTENER = """
import http.server, os, pathlib, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(pathlib.Path(sys.argv[2]).read_text()))
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
ECHO = """
import sys
for line in sys.stdin:
    print("heard", line.rstrip(), flush=True)
"""
COUNTER = """
import sys
for number in range(int(sys.argv[1]), int(sys.argv[2])):
    print(number)
"""
GATED = """
import sys
print("before", flush=True)
open(sys.argv[1]).read()
print("after", flush=True)
sys.exit(int(sys.argv[2]))
"""
"""Says something, waits until somebody opens the FIFO for writing, says something more, ends."""


def python(code: str, *arguments: object, **fields: Any) -> ProcessConfig:
    """A process that runs this code."""
    return ProcessConfig.model_validate({"command": [sys.executable, "-c", code, *map(str, arguments)], **fields})


def fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


async def open_gate(path: Path) -> None:
    """Let a GATED program go on; returns when it has opened its end."""
    await asyncio.to_thread(lambda: path.open("w").close())


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until_gone(pid: int) -> None:
    """Wait for the end of a process that is not our child."""
    await asyncio.to_thread(psutil.wait_procs, [psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=30)
