"""The benchmarks still run, at a thousandth of their size; no figure is looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["long-channel", "ingestion", "publishing", "answering"])
def test_it_runs(name: str) -> None:
    command = [sys.executable, "-m", "bench", name, "--part", "0.001"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "Python:" in done.stdout
    assert "is written" not in done.stdout
