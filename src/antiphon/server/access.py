"""What a user may do: grants such as `read log:*`, `publish news:*`, `control process:web`, `*`.

`*` inside a grant stands for any text, also across `:`. A grant of `control` names kind and name: `process:web`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from antiphon.errors import Forbidden

Action = Literal["read", "publish", "control"]

ALL = "*"
_GRANT = re.compile(rf"({'|'.join(get_args(Action))}) +([A-Za-z0-9_.:~*-]{{1,300}})")


def check_grant(text: str) -> str:
    """Return `text` if it is a grant. Raises ValueError."""
    match = _GRANT.fullmatch(text)
    if text != ALL and match is None:
        raise ValueError(f"{text[:80]!r} is no grant: 'read GLOB', 'publish GLOB', 'control KIND:GLOB' or '*'")
    if match is not None and match[1] == "control" and match[2] != ALL and ":" not in match[2]:
        raise ValueError(f"{text[:80]!r} names no kind: 'control KIND:GLOB', for instance 'control process:*'")
    return text


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who is known by name, and what that user may do."""

    name: str
    grants: tuple[str, ...] = ()  # empty = nothing
    expires_at: float | None = None  # Unix time, seconds; None = the credentials do not end by themselves

    def __post_init__(self) -> None:
        for grant in self.grants:
            check_grant(grant)

    @property
    def has_all(self) -> bool:
        """Whether the user may do everything."""
        return ALL in self.grants

    def may(self, action: Action, resource: str) -> bool:
        """Whether a grant covers `resource`: a channel's name, or `KIND:NAME` for control."""
        return self.has_all or any(_covers(grant, action, resource) for grant in self.grants)


LOCAL = User("local", (ALL,))
"""Everybody, where authentication is off."""


def require(user: User, action: Action, resource: str) -> None:
    """Raise Forbidden, naming the missing grant, unless the user may do this."""
    if not user.may(action, resource):
        raise Forbidden(f"User {user.name!r} lacks the grant '{action} {resource[:255]}'")


def _covers(grant: str, action: Action, resource: str) -> bool:
    if grant == ALL:
        return True
    granted, pattern = _read(grant)
    return granted == action and pattern.fullmatch(resource) is not None


@lru_cache(maxsize=4096)
def _read(grant: str) -> tuple[str, re.Pattern[str]]:
    action, glob = grant.split(maxsplit=1)
    parts = [re.escape(part) for part in re.split(r"\*+", glob)]
    return action, re.compile(".*".join(parts), re.DOTALL)
