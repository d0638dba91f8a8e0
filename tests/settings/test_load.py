"""Where settings come from, and which one wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from antiphon.errors import SettingsError
from antiphon.server.settings import Loaded, load, policy_of, rows

HASH = "ab" * 32
FULL = f"""\
[server]
port = 9000
data = "store"
allowed_hosts = ["Control.Example"]

[limits]
message_bytes = "2MiB"
stalled_s = "1m"

[retention."log:*"]
max_events = "unlimited"
max_age_s = "7d"

[users.ann]
token_sha256 = "{HASH.upper()}"
grants = ["read log:*"]

[process.web]
command = [
    "python",
    "-m", "http.server",
]
cwd = "site"
env = {{ API_KEY = "hush", MODE = "test" }}

[process.worker]
command = ["true"]
depends_on = ["web"]

[log.nginx]
path = "logs/nginx.log"
"""


@pytest.fixture
def full(tmp_path: Path) -> Path:
    path = tmp_path / "antiphon.toml"
    path.write_text(FULL)
    return path


def values(loaded: Loaded) -> dict[str, str]:
    return {row.key: row.value for row in rows(loaded)}


def origins(loaded: Loaded) -> dict[str, str]:
    return {row.key: str(row.origin) for row in rows(loaded)}


def test_defaults_need_nothing(tmp_path: Path) -> None:
    loaded = load(cwd=tmp_path)
    server = loaded.settings.server
    assert (server.host, server.port, server.data) == ("127.0.0.1", 8003, tmp_path / "data")
    assert loaded.file is None
    assert not loaded.settings.auth
    assert set(origins(loaded).values()) == {"default"}


def test_units_are_read(full: Path) -> None:
    settings = load(full).settings
    assert (settings.limits.message_bytes, settings.limits.stalled_s) == (2 * 2**20, 60)
    rule = settings.retention["log:*"]
    assert (rule.max_events, rule.max_age_s, rule.max_bytes) == (None, 7 * 86400, None)
    assert settings.users["ann"].token_sha256 == HASH
    assert settings.server.allowed_hosts == ("control.example",)


def test_paths_count_from_the_file(full: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    settings = load(Path("../antiphon.toml"), cwd=elsewhere).settings
    home = elsewhere / ".."
    assert settings.server.data == home / "store"
    assert settings.process["web"].cwd == home / "site"
    assert settings.process["worker"].cwd == home
    assert settings.log["nginx"].path == home / "logs" / "nginx.log"


def test_data_is_beside_the_file_unless_told(full: Path, tmp_path: Path) -> None:
    full.write_text("[server]\n")
    assert load(full, cwd=tmp_path / "elsewhere").settings.server.data == tmp_path / "data"


def test_paths_of_flags_and_variables_count_from_here(full: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    assert load(full, {"data": "d"}, cwd=here).settings.server.data == here / "d"
    assert load(full, environ={"ANTIPHON_DATA": "e"}, cwd=here).settings.server.data == here / "e"


def test_flags_win_over_environment_over_file(full: Path, tmp_path: Path) -> None:
    environ = {"ANTIPHON_PORT": "9001", "ANTIPHON_LIMITS_NESTING": "32"}
    assert load(cwd=tmp_path).settings.server.port == 9000
    assert load(cwd=tmp_path, environ=environ).settings.server.port == 9001
    loaded = load(cwd=tmp_path, environ=environ, flags={"port": 9002, "host": None})
    assert (loaded.settings.server.port, loaded.settings.limits.nesting) == (9002, 32)


def test_every_value_has_an_origin(full: Path, tmp_path: Path) -> None:
    environ = {"ANTIPHON_PORT": "9001", "ANTIPHON_LIMITS_NESTING": "32"}
    found = origins(load(cwd=tmp_path, environ=environ, flags={"port": 9002}))
    assert found["server.port"] == "--port"
    assert found["limits.nesting"] == "ANTIPHON_LIMITS_NESTING"
    assert found["server.data"] == f"{full}:3"
    assert found['retention."log:*".max_age_s'] == f"{full}:12"
    assert found['retention."log:*".max_bytes'] == "default"
    assert found["process.web.command"] == f"{full}:19"
    assert found["process.web.env.MODE"] == f"{full}:24"
    assert found["log.nginx.path"] == f"{full}:31"
    assert found["server.host"] == "default"


def test_secrets_are_not_shown(full: Path) -> None:
    shown = values(load(full))
    assert shown["users.ann.token_sha256"] == '"abababab…"'
    assert shown["process.web.env.API_KEY"] == '"…"'
    assert shown["process.web.env.MODE"] == '"test"'
    assert HASH not in str(shown)
    assert "hush" not in str(shown)


def test_values_are_shown_as_toml(full: Path) -> None:
    shown = values(load(full))
    assert shown["server.allowed_hosts"] == '["control.example"]'
    assert shown["server.auth"] == "not set (on)"
    assert shown['retention."log:*".max_events'] == '"unlimited"'
    assert shown["limits.publishes_per_s"] == '"unlimited"'
    assert shown["limits.stalled_s"] == "60"
    assert shown["process.worker.autostart"] == "false"


def test_the_file_may_be_named_by_a_variable(full: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("[server]\nport = 7000\n")
    assert load(environ={"ANTIPHON_CONFIG": "other.toml"}, cwd=tmp_path).settings.server.port == 7000
    assert load(full, environ={"ANTIPHON_CONFIG": "other.toml"}, cwd=tmp_path).settings.server.port == 9000


def test_lists_in_variables_have_commas(tmp_path: Path) -> None:
    environ = {"ANTIPHON_SERVER_ALLOWED_ORIGINS": "https://a.example, http://b.example:81"}
    assert load(environ=environ, cwd=tmp_path).settings.server.allowed_origins == (
        "https://a.example",
        "http://b.example:81",
    )


def test_empty_and_foreign_variables_are_ignored(tmp_path: Path) -> None:
    environ = {"ANTIPHON_PORT": "", "ANTIPHON_TOKEN": "x", "ANTIPHON_URL": "y", "ANTIPHON_MASCOT": "owl", "SPORT": "1"}
    assert load(environ=environ, cwd=tmp_path).settings.server.port == 8003


def test_settings_cannot_be_changed(full: Path) -> None:
    settings = load(full).settings
    with pytest.raises(ValidationError):
        settings.server.port = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.users["eve"] = settings.users["ann"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("toml", "on"),
    [
        ("", False),
        ("[server]\nauth = true", True),
        (f'[users.ann]\ntoken_sha256 = "{HASH}"', True),
        (f'[server]\nauth = false\n[users.ann]\ntoken_sha256 = "{HASH}"', False),
        ('[server]\ntrusted_proxies = ["10.0.0.1"]', True),
    ],
)
def test_when_users_must_log_in(tmp_path: Path, toml: str, *, on: bool) -> None:
    (tmp_path / "antiphon.toml").write_text(toml)
    assert load(cwd=tmp_path).settings.auth is on


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_needs_no_users(tmp_path: Path, host: str) -> None:
    assert load(flags={"host": host}, cwd=tmp_path).settings.server.is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "box.lan", "localhost.evil.example", "fd00::7"])
def test_beyond_loopback_somebody_must_log_in(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match=r"^--host: server\.host: .*server\.auth = true"):
        load(flags={"host": host}, cwd=tmp_path)
    with pytest.raises(SettingsError, match=r"server\.host"):
        load(flags={"host": host, "server.auth": False}, cwd=tmp_path)
    assert load(flags={"host": host, "server.auth": True}, cwd=tmp_path).settings.auth


def test_the_policy_knows_the_names(tmp_path: Path) -> None:
    flags = {"host": "fd00::7", "server.auth": True, "server.allowed_hosts": ["a.example:81"]}
    policy = policy_of(load(flags=flags, cwd=tmp_path).settings, ports=[8003])
    assert [str(host) for host in policy.allowed_hosts] == ["[fd00::7]", "a.example:81"]
    assert (policy.auth, policy.ports) == (True, {8003})


def test_the_wildcard_address_is_no_name(tmp_path: Path) -> None:
    policy = policy_of(load(flags={"host": "0.0.0.0", "server.auth": True}, cwd=tmp_path).settings, ports=[1])
    assert policy.allowed_hosts == ()


def test_folders_of_tools_and_their_servers_count_from_the_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "antiphon.toml").write_text(
        '[tools.documents]\nfolder = "docs"\n[mcp.files]\ncommand = ["files"]\n'
        '[mcp.other]\ncommand = ["other"]\ncwd = "there"\n[mcp.far]\nurl = "http://127.0.0.1:9/mcp"\n'
    )
    settings = load(home / "antiphon.toml", cwd=tmp_path).settings
    assert settings.tools.documents is not None
    assert settings.tools.documents.folder == home / "docs"
    assert {name: config.cwd for name, config in settings.mcp.items()} == {
        "files": home,
        "other": home / "there",
        "far": None,
    }


def test_a_model_alone_is_a_chain_of_one(tmp_path: Path) -> None:
    (tmp_path / "antiphon.toml").write_text('[agent.a]\nmodel = "openai:gpt-5"\n[agent.b]\n')
    settings = load(cwd=tmp_path).settings
    assert settings.agent["a"].model == ("openai:gpt-5",)
    assert settings.agent["b"].model == ("offline",)
