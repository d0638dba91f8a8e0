"""Tokens, sessions and tickets."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.errors import Busy, Unauthenticated
from antiphon.server.access import LOCAL, User
from antiphon.server.admission import Facts
from antiphon.server.auth import COOKIE_NAME, Authenticator, Tickets, new_token, operator_token
from antiphon.server.auth.authenticator import clear_cookie, set_cookie
from antiphon.server.auth.secrets import session_key
from antiphon.server.auth.sessions import LIFETIME_S, Sessions
from antiphon.server.settings import load

TOKEN = new_token("ann", ["read log:*"])
OTHER = new_token("ann")


class Clock:
    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def authenticator(directory: Path, toml: str = TOKEN.toml, clock: Clock | None = None) -> Authenticator:
    (directory / "antiphon.toml").write_text(toml)
    clock = clock or Clock()
    return Authenticator.open(load(cwd=directory).settings, wall=clock, monotonic=clock)


def asking(path: str = "/api/server", query: str = "", **headers: str) -> Facts:
    return Facts("GET", path, [(k.encode(), v.encode()) for k, v in headers.items()], "127.0.0.1", query=query.encode())


def cookie(value: str) -> Facts:
    return asking(cookie=f"theme=dark; {COOKIE_NAME}={value}")


def test_without_users_everybody_is_local(tmp_path: Path) -> None:
    everybody = authenticator(tmp_path, "")
    assert everybody.authenticate(asking()) is LOCAL
    assert everybody.authenticate(asking(authorization="Bearer nonsense")) is LOCAL


def test_a_token_is_its_user(tmp_path: Path) -> None:
    found = authenticator(tmp_path).authenticate(asking(authorization=f"bearer {TOKEN.token}"))
    assert found == User("ann", ("read log:*",))


def test_the_operator_has_a_token_in_the_data_directory(tmp_path: Path) -> None:
    users = authenticator(tmp_path)
    token = operator_token(tmp_path / "data")
    found = users.authenticate(asking(authorization=f"Bearer {token}"))
    assert found is not None
    assert (found.name, found.has_all) == ("operator", True)


def test_nobody_says_nothing(tmp_path: Path) -> None:
    users = authenticator(tmp_path)
    assert users.authenticate(asking()) is None
    assert users.authenticate(asking(authorization="Basic YTpi")) is None


@pytest.mark.parametrize(
    "token",
    ["", "nonsense", TOKEN.token[:-1], TOKEN.token + "x", TOKEN.token.upper(), "é" * 9],
    ids=["empty", "nonsense", "cut", "longer", "upper", "not ascii"],  # the same in every worker
)
def test_a_wrong_token_is_refused_even_beside_a_good_session(tmp_path: Path, token: str) -> None:
    users = authenticator(tmp_path)
    good = f"{COOKIE_NAME}={users.open_session(TOKEN.token)}"
    with pytest.raises(Unauthenticated):
        users.authenticate(asking(authorization=f"Bearer {token}", cookie=good))
    with pytest.raises(Unauthenticated):
        users.open_session(token)


def test_the_digest_is_no_token(tmp_path: Path) -> None:
    digest = TOKEN.toml.split('"')[1]
    with pytest.raises(Unauthenticated):
        authenticator(tmp_path).open_session(digest)


def test_two_tokens_are_refused(tmp_path: Path) -> None:
    both = [(b"authorization", f"Bearer {TOKEN.token}".encode())] * 2
    with pytest.raises(Unauthenticated):
        authenticator(tmp_path).authenticate(Facts("GET", "/api/server", both, "127.0.0.1"))


def test_a_session_survives_a_restart(tmp_path: Path) -> None:
    value = authenticator(tmp_path).open_session(TOKEN.token)
    found = authenticator(tmp_path).authenticate(cookie(value))
    assert found is not None
    assert found.name == "ann"


def test_a_session_ends_after_14_days(tmp_path: Path) -> None:
    clock = Clock()
    users = authenticator(tmp_path, clock=clock)
    value = users.open_session(TOKEN.token)
    clock.now += LIFETIME_S - 1
    assert users.authenticate(cookie(value)) is not None
    clock.now += 1
    assert users.authenticate(cookie(value)) is None


@pytest.mark.parametrize("later", [OTHER.toml, "[server]\nauth = true\n", TOKEN.toml.replace("ann", "bob")])
def test_a_session_ends_with_its_token_or_user(tmp_path: Path, later: str) -> None:
    value = authenticator(tmp_path).open_session(TOKEN.token)
    assert authenticator(tmp_path, later).authenticate(cookie(value)) is None


def test_new_grants_apply_to_open_sessions(tmp_path: Path) -> None:
    value = authenticator(tmp_path).open_session(TOKEN.token)
    found = authenticator(tmp_path, TOKEN.toml.replace("read log:*", "read news:*")).authenticate(cookie(value))
    assert found == User("ann", ("read news:*",))


def test_a_session_of_another_server_is_none(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    value = authenticator(tmp_path / "other").open_session(TOKEN.token)
    assert authenticator(tmp_path).authenticate(cookie(value)) is None


def test_a_stale_cookie_beside_a_good_one_does_no_harm(tmp_path: Path) -> None:
    users = authenticator(tmp_path)
    value = users.open_session(TOKEN.token)
    assert users.authenticate(asking(cookie=f"{COOKIE_NAME}=old; {COOKIE_NAME}={value}")) is not None


SESSIONS = Sessions(b"k" * 32, clock=Clock())
VALUE = SESSIONS.sign("ann", "d" * 64)


@given(at=st.integers(0, len(VALUE) - 1), char=st.characters(codec="latin-1"))
@example(at=len(VALUE) - 1, char=" ")
def test_a_changed_cookie_never_authenticates(at: int, char: str) -> None:
    changed = VALUE[:at] + char + VALUE[at + 1 :]
    assert (SESSIONS.read(changed) is not None) == (changed == VALUE)


@given(cut=st.integers(0, len(VALUE) - 1), more=st.text(min_size=1, max_size=20))
def test_a_cut_or_longer_cookie_never_authenticates(cut: int, more: str) -> None:
    assert SESSIONS.read(VALUE[:cut]) is None
    assert SESSIONS.read(VALUE + more) is None
    assert SESSIONS.read(more + VALUE) is None


@given(st.text(max_size=300))
def test_an_invented_cookie_never_authenticates(text: str) -> None:
    assert SESSIONS.read(text) is None
    assert SESSIONS.read(f"1.9999999999.{text}") is None


@given(key=st.binary(min_size=32, max_size=32))
def test_another_key_signs_nothing_of_ours(key: bytes) -> None:
    assert (Sessions(key, clock=Clock()).read(VALUE) is not None) == (key == b"k" * 32)


def test_a_ticket_lets_in_once(tmp_path: Path) -> None:
    users = authenticator(tmp_path)
    ticket = users.issue_ticket(User("ann", ("read log:*",))).ticket
    asked = asking("/live", f"ticket={ticket}")
    assert users.authenticate(asked) == User("ann", ("read log:*",))
    with pytest.raises(Unauthenticated):
        users.authenticate(asked)


def test_a_ticket_ends_after_30_seconds(tmp_path: Path) -> None:
    clock = Clock()
    users = authenticator(tmp_path, clock=clock)
    ticket = users.issue_ticket(LOCAL)
    assert ticket.expires_in_s == 30
    clock.now += 30
    with pytest.raises(Unauthenticated):
        users.redeem(ticket.ticket)


def test_a_ticket_is_for_sockets_and_streams_only(tmp_path: Path) -> None:
    users = authenticator(tmp_path)
    ticket = users.issue_ticket(LOCAL).ticket
    assert users.authenticate(asking("/api/server", f"ticket={ticket}")) is None
    assert users.authenticate(asking("/api/stream", f"channel=a&ticket={ticket}")) is LOCAL


def test_tickets_are_bounded() -> None:
    clock = Clock()
    tickets = Tickets(clock=clock, max_open=2)
    first = tickets.issue(LOCAL)
    tickets.issue(LOCAL)
    with pytest.raises(Busy):
        tickets.issue(LOCAL)
    assert tickets.redeem(first.ticket) is LOCAL
    tickets.issue(LOCAL)
    clock.now += 30
    assert tickets.issue(LOCAL)


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    token, key = operator_token(data), session_key(data)
    assert (operator_token(data), session_key(data)) == (token, key)
    assert {stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()} == {0o600}
    assert sorted(path.name for path in data.iterdir()) == ["operator-token", "session-key"]


@pytest.mark.parametrize("left", ["", "antiphon_", "\x00\xff", "two words that are long enough"])
def test_a_half_written_secret_is_made_anew(tmp_path: Path, left: str) -> None:
    (tmp_path / "operator-token").write_text(left)
    (tmp_path / "session-key").write_text(left)
    assert operator_token(tmp_path) == operator_token(tmp_path) != left
    assert session_key(tmp_path) == session_key(tmp_path)


def test_modes_that_were_lost_are_set_again(tmp_path: Path) -> None:
    token = operator_token(tmp_path)
    (tmp_path / "operator-token").chmod(0o644)
    assert operator_token(tmp_path) == token
    assert stat.S_IMODE((tmp_path / "operator-token").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["ann", "ann.smith", "ann@example"])
def test_the_printed_lines_are_settings(tmp_path: Path, name: str) -> None:
    fresh = new_token(name)
    users = authenticator(tmp_path, fresh.toml)
    assert users.authenticate(asking(authorization=f"Bearer {fresh.token}")) == User(name, ("*",))
    assert fresh.token not in fresh.toml


def test_cookies_are_kept_from_scripts_and_other_sites() -> None:
    assert set_cookie("v", secure=False) == ("antiphon_session=v; Path=/; Max-Age=1209600; HttpOnly; SameSite=Strict")
    assert set_cookie("v", secure=True, path="/antiphon").endswith(
        "Path=/antiphon; Max-Age=1209600; HttpOnly; SameSite=Strict; Secure"
    )
    assert "Max-Age=0" in clear_cookie(secure=False)
