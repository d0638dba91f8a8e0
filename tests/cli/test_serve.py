from __future__ import annotations

import signal
import socket
from pathlib import Path

from tests.cli.conftest import Begin, Cli
from tests.live.real_server import RealServer, free_port


def test_it_says_where_it_is_serves_and_leaves_in_order(begin: Begin, cli: Cli, tmp_path: Path) -> None:
    port = free_port()
    serving = begin("serve", "--port", str(port), "--data", "here")
    assert serving.stdout is not None
    assert serving.stdout.readline() == f"Antiphon is ready: http://127.0.0.1:{port}/\n"
    assert str(tmp_path / "here") in serving.stdout.readline()
    assert cli("publish", "a", "t", "1", url=f"http://127.0.0.1:{port}").returncode == 0
    serving.send_signal(signal.SIGTERM)
    _, log = serving.communicate(timeout=30)
    assert serving.returncode == 0
    assert "Traceback" not in log


def test_ctrl_c_is_an_orderly_end_too(begin: Begin) -> None:
    serving = begin("serve", "--port", "0")
    assert serving.stdout is not None
    serving.stdout.readline()
    serving.send_signal(signal.SIGINT)
    _, log = serving.communicate(timeout=30)
    assert serving.returncode == 0
    assert "Traceback" not in log


def test_a_second_server_on_the_same_data_names_the_first(cli: Cli, server: RealServer) -> None:
    done = cli("serve", "--port", "0", "--data", str(server.data))
    assert done.returncode == 1
    assert str(server.pid) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said(cli: Cli, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = cli("serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_settings_name_the_line_and_the_right_word(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "antiphon.toml").write_text('[server]\nhots = "127.0.0.1"\n')
    done = cli("serve")
    assert done.returncode == 2
    assert "antiphon.toml" in done.stderr
    assert "host" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "antiphon.toml").unlink()
    assert cli("serve", "--config", "nowhere.toml").returncode == 2
    beyond = cli("serve", "--host", "0.0.0.0")
    assert beyond.returncode == 2
    assert "auth" in beyond.stderr
