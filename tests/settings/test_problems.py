# ruff: noqa: E501  messages stand here as users see them
"""What is wrong with a setting is said where it was written, with the right one beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.errors import SettingsError
from antiphon.server.settings import load

USER = f'[users.ann]\ntoken_sha256 = "{"ab" * 32}"\n'


def problem(directory: Path, toml: str = "", **more: object) -> str:
    path = directory / "antiphon.toml"
    path.write_text(toml)
    with pytest.raises(SettingsError) as error:
        load(cwd=directory, **more)  # type: ignore[arg-type]
    return error.value.message.replace(f"{directory}/", "")


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("[server]\nprot = 1", "antiphon.toml:2: server.prot: there is no such setting; did you mean server.port?"),
        ("[sever]\nport = 1", "antiphon.toml:1: sever: there is no such setting; did you mean server?"),
        ("port = 1", "antiphon.toml:1: port: there is no such setting; did you mean server.port?"),
        ("mesage_bytes = 1", "antiphon.toml:1: mesage_bytes: there is no such setting; did you mean limits.message_bytes?"),
        ("[limits]\nxyzzy = 1", "antiphon.toml:2: limits.xyzzy: there is no such setting"),
        (
            '[retention."log:*"]\nmax_age = "7d"',
            'antiphon.toml:2: retention."log:*".max_age: there is no such setting; did you mean retention."log:*".max_age_s?',
        ),
        (
            USER + "grant = []",
            "antiphon.toml:3: users.ann.grant: there is no such setting; did you mean users.ann.grants?",
        ),
        (
            '[process.web]\ncommand = ["x"]\n\nautostrat = true',
            "antiphon.toml:4: process.web.autostrat: there is no such setting; did you mean process.web.autostart?",
        ),
        (
            'process.web = { command = ["x"], autostrat = true }',
            "antiphon.toml:1: process.web.autostrat: there is no such setting; did you mean process.web.autostart?",
        ),
        (
            '[log.a]\npath = "a"\n[log.b]\npaht = "b"',
            "antiphon.toml:3: log.b.path: is required\n"
            "antiphon.toml:4: log.b.paht: there is no such setting; did you mean log.b.path?",
        ),
    ],
)  # fmt: skip
def test_unknown_settings_suggest_the_right_one(tmp_path: Path, toml: str, expected: str) -> None:
    assert problem(tmp_path, toml) == expected


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ('[server]\n# a comment\nport = "x"', "antiphon.toml:3: server.port: expected a whole number, not 'x'"),
        ("[server]\nport = 70000", "antiphon.toml:2: server.port: expected less than or equal to 65535, not 70000"),
        ("[server]\nauth = 'maybe'", "antiphon.toml:2: server.auth: expected true or false, not 'maybe'"),
        ("[server]\nallowed_hosts = 'a'", "antiphon.toml:2: server.allowed_hosts: expected a list, not 'a'"),
        ("server = 1", "antiphon.toml:1: server: expected a table, not 1"),
        ("users = 1", "antiphon.toml:1: users: expected a table, not 1"),
        ("[storage]\nsynchronous = 'off'", "antiphon.toml:2: storage.synchronous: expected 'full' or 'normal', not 'off'"),
        ("[limits]\nstalled_s = inf", "antiphon.toml:2: limits.stalled_s: expected a finite number, not inf"),
        ("[process.web]\n", "antiphon.toml:1: process.web.command: is required"),
    ],
)  # fmt: skip
def test_wrong_values_say_what_was_expected(tmp_path: Path, toml: str, expected: str) -> None:
    assert problem(tmp_path, toml) == expected


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[limits]\nmessage_bytes = '3 parsec'", ["limits.message_bytes", "'64KiB'", "'3 parsec'"]),
        ("[limits]\nstalled_s = '3 fortnights'", ["limits.stalled_s", "'30s'"]),
        ("[server]\nallowed_hosts = ['*']", ["server.allowed_hosts.0", "'*'"]),
        ("[server]\nallowed_hosts = ['https://a']", ["server.allowed_hosts.0", "no scheme"]),
        ("[server]\nallowed_hosts = ['b\u00fccher.example']", ["server.allowed_hosts.0", "xn--"]),
        ("[server]\nallowed_origins = ['null']", ["server.allowed_origins.0", "'null'"]),
        ("[server]\nallowed_origins = ['https://a/']", ["server.allowed_origins.0", "no path"]),
        ("[server]\ntrusted_proxies = ['10.0.0.0/99']", ["server.trusted_proxies.0", "network"]),
        ("[retention.'a b']\n", ['retention."a b"', "channel"]),
        ("[users.local]\n", ["users.local", "reserved"]),
        ("[users.'a b']\n" + USER.split("\n")[1], ['users."a b"', "cannot be used"]),
        ('[process."a:b"]\ncommand = ["x"]', ['process."a:b"', "cannot be used"]),
        (USER + "grants = ['write x']", ["users.ann.grants.0", "'write x'", "read GLOB"]),
        ("[process.a]\ncommand = ['x']\ndepends_on = ['b']", ["antiphon.toml", "process.a.depends_on", "'b'"]),
        (
            "[process.a]\ncommand = ['x']\ndepends_on = ['b']\n[process.b]\ncommand = ['x']\ndepends_on = ['a']",
            ["antiphon.toml", "circle", "a -> b"],
        ),
        ("[process.a]\ncommand = ['x']\n[log.a]\npath = 'a'", ["antiphon.toml", "log:a"]),
        ("[server]\nhost = '0.0.0.0'", ["antiphon.toml:2", "server.host", "server.auth", "antiphon token"]),
    ],
)
def test_problems_name_the_setting(tmp_path: Path, toml: str, words: list[str]) -> None:
    message = problem(tmp_path, toml)
    assert [word for word in words if word not in message] == []
    assert "antiphon.toml" in message


@pytest.mark.parametrize(
    ("toml", "line"),
    [("[server\n", 1), ("[server]\nport = = 1\n", 2), ("a = 1\na = 2\n", 2), ('a = 1\nb = """x\ny\n', 3)],
)
def test_what_is_no_toml_names_the_line(tmp_path: Path, toml: str, line: int) -> None:
    assert problem(tmp_path, toml).startswith(f"antiphon.toml:{line}: ")


def test_tokens_are_not_repeated(tmp_path: Path) -> None:
    message = problem(tmp_path, '[users.ann]\ntoken_sha256 = "antiphon_verysecret"')
    assert "verysecret" not in message
    assert "users.ann.token_sha256" in message


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    assert len(problem(tmp_path, "[server]\nport = 'x'\nprot = 1\n[limits]\nnesting = 0").splitlines()) == 3


def test_variables_and_flags_are_named(tmp_path: Path) -> None:
    assert problem(tmp_path, environ={"ANTIPHON_PORT": "x"}) == (
        "ANTIPHON_PORT: server.port: expected a whole number, not 'x'"
    )
    assert problem(tmp_path, flags={"limits.nesting": 1}).startswith("--limits.nesting: limits.nesting: expected")
    assert problem(tmp_path, environ={"ANTIPHON_PROT": "1"}) == (
        "ANTIPHON_PROT: there is no such setting; did you mean ANTIPHON_PORT?"
    )
    assert problem(tmp_path, environ={"ANTIPHON_LIMITS_XYZZY": "1"}) == (
        "ANTIPHON_LIMITS_XYZZY: there is no such setting"
    )


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: there is no such file \(--config\)"):
        load(Path("nowhere.toml"), cwd=tmp_path)
    with pytest.raises(SettingsError, match="ANTIPHON_CONFIG"):
        load(environ={"ANTIPHON_CONFIG": "nowhere.toml"}, cwd=tmp_path)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "antiphon.toml").write_bytes(b"[server]\xff\n")
    with pytest.raises(SettingsError, match="UTF-8"):
        load(cwd=tmp_path)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (
            '[agent.a]\nmodel = "gone"',
            "antiphon.toml: agent.a.model: there is no [model.gone]; models with a provider read 'provider:name'",
        ),
        ('[agent.a]\nmodle = "x"', "antiphon.toml:2: agent.a.modle: there is no such setting; did you mean agent.a.model?"),
        ("[model.m]\nprovider = \"openai\"", "antiphon.toml:1: model.m.name: is required"),
        ("[tools.fetch]\nalow = []", "antiphon.toml:1: tools.fetch.allow: is required\nantiphon.toml:2: tools.fetch.alow: there is no such setting; did you mean tools.fetch.allow?"),
        ("[mcp.m]\ntimeout_s = 3", "antiphon.toml:1: mcp.m: give either `command` or `url`"),
        (
            '[runnable.a]\nimport = "a:b"\n[agent.a]\ntitle = "A"',
            "antiphon.toml:2: runnable.a: there is an [agent.a]",
        ),
    ],
)  # fmt: skip
def test_agents_and_models_and_tools(tmp_path: Path, toml: str, expected: str) -> None:
    found = problem(tmp_path, toml)
    assert found.partition(", not ")[0] == expected
