from __future__ import annotations

import json

from tests.cli.conftest import Cli


def test_start_ps_restart_stop(cli: Cli) -> None:
    started = cli("start", "sleeper")
    assert (started.returncode, started.stderr) == (0, "")
    assert started.stdout.startswith("sleeper: running (pid ")
    assert cli("start", "sleeper").stdout == started.stdout
    row = next(line for line in cli("ps").stdout.splitlines() if line.startswith("sleeper"))
    assert "running" in row
    table = json.loads(cli("ps", "--json").stdout)
    assert table["sleeper"]["status"] == "running"
    assert cli("restart", "sleeper").stdout != started.stdout
    stopped = cli("stop", "sleeper")
    assert stopped.returncode == 0
    assert "pid" not in stopped.stdout
    assert json.loads(cli("ps", "--json").stdout)["sleeper"]["pid"] is None


def test_what_fails_is_named_and_the_others_are_done(cli: Cli) -> None:
    done = cli("start", "nobody", "sleeper")
    assert done.returncode == 1
    assert "nobody" in done.stderr
    assert "sleeper: running" in done.stdout
    assert cli("stop", "sleeper").returncode == 0


def test_without_a_server_it_says_how_to_start_one(cli: Cli, no_server: str) -> None:
    for arguments in (["ps"], ["start", "x"], ["publish", "a", "t", "1"], ["tail", "a"]):
        done = cli(*arguments, url=no_server)
        assert (done.returncode, done.stdout) == (3, "")
        assert "antiphon serve" in done.stderr
        assert "Traceback" not in done.stderr
