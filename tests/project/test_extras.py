"""A plain install has no pydantic-ai and no MCP: everything but agents and MCP servers works without them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# What only the extras bring, as far as a module of ours could import it.
BLOCKED = ("pydantic_ai", "pydantic_graph", "openai", "anthropic", "mcp", "mcp_types", "langgraph", "agents", "ag_ui")
WITHOUT = f"import sys; sys.modules.update(dict.fromkeys({BLOCKED!r}))\n"  # None there = cannot be imported


def without_extras(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python code where the extras cannot be imported."""
    command = [sys.executable, "-W", "error", "-c", WITHOUT + program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    "module",
    [
        "antiphon",
        "antiphon.adapters",
        "antiphon.client",
        "antiphon.cli.app",
        "antiphon.server.embed",
        "antiphon.server.run",
        "antiphon.services.agents",
        "antiphon.services.tools",
        "antiphon.testing",
    ],
)
def test_it_imports(module: str, tmp_path: Path) -> None:
    done = without_extras(f"import {module}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_server_runs_and_says_what_it_lacks(tmp_path: Path) -> None:
    done = without_extras(
        """
from pathlib import Path
import antiphon
from antiphon.errors import NotFound
from antiphon.testing import MemoryServer

with MemoryServer(Path("data")) as server, antiphon.connect(server.url) as live:
    print("agents" in live.features, "tools" in live.features)
    print(live.agents.list(), live.threads.list())
    name = next(tool.name for tool in live.tools.list() if tool.name == "calculator")
    print(live.tools.call(name, {"expression": "6 * 7"}))
    for asked in (lambda: live.threads.get("t"), lambda: live.agents.ask("assistant", "?").result()):
        try:
            asked()
        except NotFound as error:
            print(error.message)
""",
        tmp_path,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:3] == ["False True", "() ()", "42"]
    assert "pip install 'antiphon[agents]'" in lines[3]
    assert "assistant" in lines[4]


@pytest.mark.parametrize(
    ("toml", "where", "extra"),
    [
        ("[agent.helpdesk]\ntitle = 'Help'", "antiphon.toml:2: agent.helpdesk", "agents"),
        ("[model.local]\nname = 'x'", "antiphon.toml:2: model.local", "agents"),
        ("[mcp.files]\ncommand = ['files']", "antiphon.toml:2: mcp.files", "mcp"),
    ],
)
def test_settings_that_need_an_extra_name_it(tmp_path: Path, toml: str, where: str, extra: str) -> None:
    (tmp_path / "antiphon.toml").write_text(toml)
    done = without_extras("from antiphon.cli import main; sys.argv[1:] = ['serve', '--port', '0']; main()", tmp_path)
    assert done.returncode == 2
    assert f"{where}: needs an extra: pip install 'antiphon[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr
