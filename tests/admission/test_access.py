"""What grants allow."""

from __future__ import annotations

import pytest

from antiphon.errors import Forbidden
from antiphon.server.access import LOCAL, Action, User, check_grant, require


@pytest.mark.parametrize(
    ("grant", "action", "resource", "allowed"),
    [
        ("*", "control", "process:web", True),
        ("read log:*", "read", "log:web", True),
        ("read log:*", "read", "log:", True),
        ("read log:*", "read", "logs", False),
        ("read log:*", "publish", "log:web", False),
        ("read *", "read", "anything:at:all", True),
        ("read *", "control", "process:web", False),
        ("read a*z", "read", "a:b:z", True),
        ("read a*z", "read", "a:b", False),
        ("read a.c", "read", "abc", False),
        ("publish news:tea", "publish", "news:tea", True),
        ("publish news:tea", "publish", "news:teapot", False),
        ("control process:*", "control", "process:web", True),
        ("control process:web", "control", "process:db", False),
        ("control *", "control", "process:web", True),
        ("read  log:*", "read", "log:web", True),
    ],
)
def test_a_grant_covers(grant: str, action: Action, resource: str, *, allowed: bool) -> None:
    assert User("ann", (grant,)).may(action, resource) is allowed


@pytest.mark.parametrize(
    "text", ["", "read", "write x", "READ x", "read x y", "control web", "read [a-z]", "**", "read é"]
)
def test_what_is_no_grant(text: str) -> None:
    with pytest.raises(ValueError, match=r"grant|kind"):
        check_grant(text)


def test_the_missing_grant_is_named() -> None:
    with pytest.raises(Forbidden, match="'ann' lacks the grant 'read log:web'"):
        require(User("ann"), "read", "log:web")


def test_local_may_do_everything() -> None:
    require(LOCAL, "control", "process:web")
    assert LOCAL.has_all
    assert not User("ann", ("read *", "publish *", "control *")).has_all
