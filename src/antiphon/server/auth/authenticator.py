"""Find out who asks: a bearer token, a ticket, or a session cookie.

A host's own `auth=` callable takes the place of `authenticate`; what it returns can still be given a ticket
(`issue_ticket`) that `redeem` accepts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs

from antiphon.errors import Unauthenticated
from antiphon.server.access import ALL, LOCAL, User
from antiphon.server.admission import Facts
from antiphon.server.auth import tokens
from antiphon.server.auth.runtokens import PREFIX, RunToken, RunTokens
from antiphon.server.auth.secrets import operator_token, session_key
from antiphon.server.auth.sessions import LIFETIME_S, Sessions
from antiphon.server.auth.tickets import Ticket, Tickets
from antiphon.server.settings import Settings

COOKIE_NAME = "antiphon_session"
OPERATOR = "operator"
TICKET_PATHS = ("/live", "/api/stream")


class Authenticator:
    """Knows all users of one server.

    Where authentication is off everybody is LOCAL and credentials are not looked at.

    Args:
        enabled: Whether authentication is on.
        users: Each user, and the SHA-256 of that user's token.
        sessions: Signs cookies.
        runs: Signs the tokens of runs; None = there are none.
        tickets: Those not yet used.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        users: dict[User, str],
        sessions: Sessions,
        runs: RunTokens | None = None,
        tickets: Tickets | None = None,
    ) -> None:
        self.enabled = enabled
        self._users = {user.name: user for user in users}
        self._digests = {user.name: digest for user, digest in users.items()}
        self._sessions = sessions
        self._runs = runs
        self._tickets = tickets or Tickets()

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> Authenticator:
        """Assemble it from the settings and the secrets of the data directory, which are made if missing.

        Raises:
            OSError: The data directory cannot be read or written.
        """
        data: Path = settings.server.data
        users = {User(name, user.grants): user.token_sha256 for name, user in settings.users.items()}
        users[User(OPERATOR, (ALL,))] = tokens.digest(operator_token(data))
        key = session_key(data)
        return cls(
            enabled=settings.auth,
            users=users,
            sessions=Sessions(key, clock=wall),
            runs=RunTokens(key, clock=wall),
            tickets=Tickets(clock=monotonic),
        )

    def authenticate(self, facts: Facts) -> User | None:
        """Who asks; None where nobody says so.

        A stale cookie counts as none, because browsers send it unasked; a wrong token or ticket does not.

        Raises:
            Unauthenticated: A token or ticket was presented that is not valid (any more).
        """
        if not self.enabled:
            return LOCAL
        token = bearer(facts)
        if token is not None:
            return self.by_token(token)
        ticket = _ticket(facts)
        if ticket is not None:
            return self.redeem(ticket)
        return next((user for value in _cookies(facts) if (user := self._by_cookie(value))), None)

    def open_session(self, token: str) -> str:
        """The value of a cookie that stands for the token's user. Raises Unauthenticated; a run's token opens none."""
        user = self._by_user_token(token)
        return self._sessions.sign(user.name, self._digests[user.name])

    def issue_ticket(self, user: User) -> Ticket:
        """A ticket for one socket or stream. Raises Busy."""
        return self._tickets.issue(user)

    def redeem(self, ticket: str) -> User:
        """Use up a ticket. Raises Unauthenticated."""
        user = self._tickets.redeem(ticket)
        if user is None:
            raise Unauthenticated("This ticket was used or has ended: ask for another one")
        return user

    def by_token(self, token: str) -> User:
        """Whose token this is: a user's, or a run's. Raises Unauthenticated."""
        return self.by_run_token(token) or self._by_user_token(token)

    def by_run_token(self, token: str) -> User | None:
        """Who holds this token of a run; None for a token of another kind. Raises Unauthenticated."""
        if not token.startswith(PREFIX):
            return None
        user = None if self._runs is None else self._runs.read(token)
        if user is None:
            raise Unauthenticated("This token of a run has ended, or is not from this server")
        return user

    def issue_run_token(self, run_id: str, ttl_s: float) -> RunToken | None:
        """A token that lets its holder speak in one run for `ttl_s` seconds; None where nobody has to log in."""
        return self._runs.sign(run_id, ttl_s) if self.enabled and self._runs is not None else None

    def _by_user_token(self, token: str) -> User:
        name = tokens.find(token, self._digests)
        if name is None:
            raise Unauthenticated("This token belongs to no user")
        return self._users[name]

    def _by_cookie(self, value: str) -> User | None:
        session = self._sessions.read(value)
        digest = self._digests.get(session.name) if session else None
        if session is None or digest is None or not self._sessions.belongs(session, digest):
            return None
        return self._users[session.name]


def set_cookie(value: str, *, secure: bool, path: str = "/") -> str:
    """The `Set-Cookie` header of a session; `secure` where the client came over https."""
    return _cookie_header(value, LIFETIME_S, secure=secure, path=path)


def clear_cookie(*, secure: bool, path: str = "/") -> str:
    """The `Set-Cookie` header that makes a browser forget its session."""
    return _cookie_header("", 0, secure=secure, path=path)


def _cookie_header(value: str, max_age_s: int, *, secure: bool, path: str) -> str:
    only_https = "; Secure" if secure else ""
    return f"{COOKIE_NAME}={value}; Path={path}; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{only_https}"


def bearer(facts: Facts) -> str | None:
    """The token of `Authorization: Bearer TOKEN`; other schemes are somebody else's (a proxy's, for instance)."""
    presented = [value.partition(" ") for value in facts.values(b"authorization")]
    found = [token.strip() for scheme, _, token in presented if scheme.lower() == "bearer"]
    if len(found) > 1:
        raise Unauthenticated("A request can carry one bearer token")
    return found[0] if found else None


def _ticket(facts: Facts) -> str | None:
    """The ticket in the query; only where browsers cannot send anything else, so that few addresses hold one."""
    if facts.path not in TICKET_PATHS:
        return None
    return parse_qs(facts.query.decode("latin-1")).get("ticket", [None])[0]


def _cookies(facts: Facts) -> Iterator[str]:
    """All values of our cookie: browsers send one for each path it was set on, and other ports share the jar."""
    for header in facts.values(b"cookie"):
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE_NAME:
                yield value
