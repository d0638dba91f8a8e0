from __future__ import annotations

import hashlib
import json
import os
import tomllib
from pathlib import Path

import pytest
from tests.cli.conftest import Cli, environment
from tests.live.real_server import RealServer

import antiphon

COMMANDS = [
    "serve",
    "run",
    "runs",
    "questions",
    "ps",
    "start",
    "stop",
    "restart",
    "publish",
    "tail",
    "config",
    "token",
    "doctor",
]
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_version(cli: Cli) -> None:
    assert cli("--version").stdout == f"antiphon {antiphon.__version__}\n"


def test_help_lists_every_command(cli: Cli) -> None:
    text = cli("--help").stdout
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_teaches_by_example_and_is_documented(cli: Cli, name: str) -> None:
    done = cli(name, "--help")
    assert done.returncode == 0
    assert f"antiphon {name}" in done.stdout.split("Example")[1]
    assert f"antiphon {name}" in DOCUMENTATION.read_text()


def test_config_shows_where_each_value_was_set(cli: Cli, tmp_path: Path, server: RealServer) -> None:
    (tmp_path / "antiphon.toml").write_text("[limits]\nnesting = 32\n")
    given = {**environment(server.url), "ANTIPHON_PORT": "9000"}
    rows = {row["key"]: row for row in json.loads(cli("config", "--json", "--data", "d", env=given).stdout)}
    assert rows["limits.nesting"]["origin"] == f"{tmp_path / 'antiphon.toml'}:2"
    assert rows["server.port"] == {"key": "server.port", "value": "9000", "origin": "ANTIPHON_PORT"}
    assert rows["server.data"]["origin"] == "--data"
    assert rows["server.host"]["origin"] == "default"
    assert "limits.nesting" in cli("config", env=given).stdout


def test_a_token_and_the_lines_that_accept_it(cli: Cli) -> None:
    token, _, lines = cli("token", "ann", "--grant", "read log:*").stdout.partition("\n\n")
    user = tomllib.loads(lines)["users"]["ann"]
    assert user == {"token_sha256": hashlib.sha256(token.encode()).hexdigest(), "grants": ["read log:*"]}
    assert cli("token", "ann").stdout.partition("\n")[0] != token


def test_a_token_that_the_settings_would_refuse_is_not_made(cli: Cli) -> None:
    for arguments in (["local"], ["ann", "--grant", "everything"], ["a b"]):
        done = cli("token", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


def test_doctor_finds_the_server(cli: Cli) -> None:
    done = cli("doctor", "--json")
    found = {row["topic"]: row for row in json.loads(done.stdout)}
    assert found["server"]["ok"] is True
    assert found["python"]["ok"] is True
    assert "active path" in found
    assert {"sqlite", "platform", "data directory", "port", "settings"} <= found.keys()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_doctor_says_that_a_directory_cannot_be_written(cli: Cli, no_server: str, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = cli("doctor", "--data", str(locked / "data"), url=no_server)
    assert done.returncode == 1
    assert "cannot be written" in done.stdout


def test_doctor_tells_of_wrong_settings(cli: Cli, no_server: str, tmp_path: Path) -> None:
    (tmp_path / "antiphon.toml").write_text("nonsense = 1\n")
    done = cli("doctor", url=no_server)
    assert done.returncode == 1
    assert "nonsense" in done.stdout
