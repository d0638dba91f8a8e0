"""The examples of docs/client.md run, each as a program of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.live.real_server import RealServer

PAGE = Path(__file__).parents[2] / "docs" / "client.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
async def url(tmp_path: Path) -> object:
    server = RealServer(tmp_path / "data")
    await server.start()
    yield server.url
    await server.kill()


def test_the_examples_run(url: str) -> None:
    assert len(EXAMPLES) == 5
    for example in EXAMPLES:
        given = {**os.environ, "ANTIPHON_URL": url}
        done = subprocess.run([sys.executable, "-c", example], env=given, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), example
