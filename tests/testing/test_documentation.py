"""The examples of docs/testing.md run, as a project of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
NAMED = re.compile(r"```python\n# (\w+\.py)\n(.*?)```", re.DOTALL)
CONFIG = "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"


def test_the_examples_run(tmp_path: Path) -> None:
    files = dict(NAMED.findall(PAGE.read_text()))
    assert sorted(files) == ["conftest.py", "test_deploy.py"]
    for name, text in (files | {"pytest.ini": CONFIG}).items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[-1][:8]) == (0, "3 passed"), done.stdout
