"""Tokens of runs: signed, bound to one run, and ending."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.errors import Busy, Unauthenticated
from antiphon.server.access import User
from antiphon.server.admission import Facts
from antiphon.server.auth import Authenticator, RunTokens
from antiphon.server.rates import Rates
from antiphon.server.settings import load


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def authenticator(directory: Path, clock: Clock, *, auth: bool = True) -> Authenticator:
    settings = load(None, {"server.data": str(directory), "server.auth": auth}, cwd=directory).settings
    return Authenticator.open(settings, wall=clock, monotonic=clock)


def asking(token: str) -> Facts:
    return Facts("GET", "/live", [(b"authorization", f"Bearer {token}".encode())], "127.0.0.1")


def test_a_token_is_for_one_run_and_ends(tmp_path: Path) -> None:
    clock = Clock()
    users = authenticator(tmp_path, clock)
    issued = users.issue_run_token("run_1", 60)
    assert issued is not None
    assert issued.expires_at == 1_000_060
    found = users.authenticate(asking(issued.token))
    grants = ("read run:run_1", "publish run:run_1", "read questions")
    assert found == User("run:run_1", grants, 1_000_060)
    clock.now += 60
    with pytest.raises(Unauthenticated):
        users.authenticate(asking(issued.token))


def test_a_token_outlives_a_restart_but_not_the_key(tmp_path: Path) -> None:
    clock = Clock()
    issued = authenticator(tmp_path, clock).issue_run_token("run_1", 60)
    assert issued is not None
    assert authenticator(tmp_path, clock).authenticate(asking(issued.token)) is not None
    (tmp_path / "session-key").unlink()
    with pytest.raises(Unauthenticated):
        authenticator(tmp_path, clock).authenticate(asking(issued.token))


def test_a_token_that_was_altered_is_no_token() -> None:
    tokens = RunTokens(b"k" * 32, clock=Clock())
    token = tokens.sign("run_1", 60).token
    assert tokens.read(token) is not None
    for altered in (
        token[:-1],
        token.replace("run_1", "run_2"),
        token.replace("1000060", "9000060"),
        token.upper(),
        "",
    ):
        assert tokens.read(altered) is None
    assert RunTokens(b"x" * 32, clock=Clock()).read(token) is None


def test_a_token_opens_no_session_and_is_not_needed_without_auth(tmp_path: Path) -> None:
    users = authenticator(tmp_path, Clock())
    issued = users.issue_run_token("run_1", 60)
    assert issued is not None
    with pytest.raises(Unauthenticated):
        users.open_session(issued.token)
    assert authenticator(tmp_path, Clock(), auth=False).issue_run_token("run_1", 60) is None


def test_several_events_run_ahead_and_the_next_wait() -> None:
    clock = Clock()
    rates, user = Rates(10, clock=clock), User("ann")
    rates.take(user, 30)
    with pytest.raises(Busy):
        rates.take(user)
    clock.now += 2.2
    rates.take(user)
