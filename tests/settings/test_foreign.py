"""Variables that other systems document: below the file and our own, and never a way to be reached by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.errors import SettingsError
from antiphon.server.settings import Loaded, load, rows

ENGINE = "dialect.agent_engine"


def loaded(cwd: Path, text: str = "", **environ: str) -> Loaded:
    if text:
        (cwd / "antiphon.toml").write_text(text)
    return load(environ=environ, cwd=cwd)


def test_documented_variables_are_honoured(tmp_path: Path) -> None:
    found = loaded(tmp_path, PORT="9000", HOST="127.0.0.2", WS_MAX_CONNECTIONS="7", WS_HEARTBEAT_INTERVAL="12.5")
    settings = found.settings
    assert (settings.server.port, settings.server.host) == (9000, "127.0.0.2")
    assert (settings.dialect.agent_engine.max_connections, settings.dialect.agent_engine.heartbeat_s) == (7, 12.5)
    assert found.warnings == ()


def test_config_shows_where_each_value_came_from(tmp_path: Path) -> None:
    text = "[dialect.agent_engine]\nheartbeat_s = 20\n"
    found = loaded(
        tmp_path, text, PORT="9000", WS_MAX_CONNECTIONS="7", ANTIPHON_DIALECT_AGENT_ENGINE_MAX_CONNECTIONS="9"
    )
    shown = {row.key: (row.value, str(row.origin)) for row in rows(found)}
    assert shown["server.port"] == ("9000", "PORT")
    assert shown["server.host"] == ('"127.0.0.1"', "default")
    assert shown[f"{ENGINE}.max_connections"] == ("9", "ANTIPHON_DIALECT_AGENT_ENGINE_MAX_CONNECTIONS")
    assert shown[f"{ENGINE}.heartbeat_s"] == ("20", f"{tmp_path / 'antiphon.toml'}:2")


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("[server]\nport = 9001\n", {}),
        ("", {"ANTIPHON_PORT": "9001"}),
        ("", {"ANTIPHON_SERVER_PORT": "9001"}),
    ],
)
def test_our_own_settings_win(tmp_path: Path, text: str, environ: dict[str, str]) -> None:
    assert loaded(tmp_path, text, PORT="9000", **environ).settings.server.port == 9001


def test_flags_win(tmp_path: Path) -> None:
    assert load(None, {"port": 9002}, {"PORT": "9000"}, cwd=tmp_path).settings.server.port == 9002


@pytest.mark.parametrize("name", ["laptop", "localhost", "my-machine.example", "x86_64-pc-linux-gnu", ""])
def test_a_shells_host_is_the_machines_name(tmp_path: Path, name: str) -> None:
    found = loaded(tmp_path, HOST=name)
    assert found.settings.server.host == "127.0.0.1"
    assert found.warnings == ()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_a_host_that_others_can_reach_needs_users(tmp_path: Path, host: str) -> None:
    found = loaded(tmp_path, HOST=host, PORT="9000")
    assert (found.settings.server.host, found.settings.server.port) == ("127.0.0.1", 9000)
    (warning,) = found.warnings
    assert f"HOST={host}" in warning
    assert "server.host" in warning
    assert "server.auth" in warning


def test_with_users_it_is_honoured(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[server]\nauth = true\n", HOST="0.0.0.0")
    assert found.settings.server.host == "0.0.0.0"
    assert found.warnings == ()


def test_our_own_host_is_refused_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"server\.host"):
        loaded(tmp_path, '[server]\nhost = "0.0.0.0"\n', HOST="127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("WS_MAX_CONNECTIONS", "0"),
        ("WS_MAX_CONNECTIONS", "many"),
        ("WS_HEARTBEAT_INTERVAL", "0"),
        ("WS_HEARTBEAT_INTERVAL", "nan"),
        ("WS_HEARTBEAT_INTERVAL", "never"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, name: str, value: str) -> None:
    found = loaded(tmp_path, **{name: value})
    assert [warning.startswith(f"{name}={value}: expected ") for warning in found.warnings] == [True]
    assert found.settings == load(cwd=tmp_path).settings


def test_a_dialects_own_port_is_checked_like_the_main_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"antiphon.toml:2: dialect.agent_engine.listen: '0.0.0.0:80' can be reach"):
        loaded(tmp_path, '[dialect.agent_engine]\nlisten = "0.0.0.0:80"\n')
    assert loaded(tmp_path, '[dialect.agent_engine]\nlisten = "[::1]:8010"\n').settings.dialect.agent_engine.is_loopback


@pytest.mark.parametrize("listen", ["8010", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "http://127.0.0.1:1", ":80"])
def test_where_it_listens_must_be_an_address_with_a_port(tmp_path: Path, listen: str) -> None:
    with pytest.raises(SettingsError, match=r"expected HOST:PORT"):
        loaded(tmp_path, f'[dialect.agent_engine]\nlisten = "{listen}"\n')


def test_pages_need_a_port_and_a_directory(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"dialect.agent_engine.pages: needs dialect.agent_engine.listen"):
        loaded(tmp_path, '[dialect.agent_engine]\npages = "."\n')
    with pytest.raises(SettingsError, match=r"dialect.agent_engine.pages: '.*/there' is no directory"):
        loaded(tmp_path, '[dialect.agent_engine]\nlisten = "127.0.0.1:0"\npages = "there"\n')
    (tmp_path / "there").mkdir()
    found = loaded(tmp_path, '[dialect.agent_engine]\nlisten = "127.0.0.1:0"\npages = "there"\n')
    assert found.settings.dialect.agent_engine.pages == tmp_path / "there"
