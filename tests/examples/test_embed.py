"""The embedding example under plain uvicorn: publishes, keeps and serves what was ordered."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "embed" / "main.py"


@contextmanager
def served(folder: Path) -> Iterator[httpx2.Client]:
    """`uvicorn main:app` in `folder`, and a client for it."""
    command = [sys.executable, "-m", "uvicorn", "main:app", "--port", "0"]
    server = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        said = []
        for line in server.stderr:
            said.append(line)
            if found := re.search(r"running on (http://[\d.:]+)", line):
                break
        else:
            raise AssertionError("".join(said))
        with httpx2.Client(base_url=found[1]) as client:
            yield client
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate()


def test_orders_outlive_the_app(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    with served(tmp_path) as client:
        assert "Tea kitchen" in client.get("/").text
        assert client.post("/orders", json={"tea": "Assam"}).json() == {"offset": 1}
    with served(tmp_path) as client:
        assert client.post("/orders", json={"tea": "Ceylon"}).json() == {"offset": 2}
        events = client.get("/antiphon/api/channels/kitchen/events").json()["events"]
        assert [event["data"]["tea"] for event in events] == ["Assam", "Ceylon"]


def test_the_control_room_is_mounted(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    with served(tmp_path) as client:
        page = client.get("/antiphon/")
        assert page.status_code == 200
        assert '<base href="/antiphon/"' in page.text
        assert client.get("/antiphon/api/server").json()["user"] == "local"
