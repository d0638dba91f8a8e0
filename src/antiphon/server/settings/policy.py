"""What admission needs to know, from the settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from antiphon.dialects import FACTS
from antiphon.dialects.base import Facts
from antiphon.server.admission import PUBLIC_PAGES, Policy, Visitors
from antiphon.server.names import Host, is_loopback, parse_host, parse_origin
from antiphon.server.settings.model import Settings

_WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104  these are recognised, not bound


def policy_of(settings: Settings, *, ports: Iterable[int], mounted_without_auth: bool = False) -> Policy:
    """The admission policy of a server.

    Args:
        settings: The effective settings.
        ports: Where this process listens, once it does.
        mounted_without_auth: The app is part of another one that gave no `auth=`.
    """
    server = settings.server
    dialects = [facts for facts in FACTS if getattr(settings.dialect, facts.name).enabled]
    origins = (parse_origin(text) for text in server.allowed_origins)
    return Policy(
        ports=frozenset(ports),
        allowed_hosts=(*_own_names(settings), *(host for text in server.allowed_hosts if (host := parse_host(text)))),
        allowed_origins=frozenset(origin for origin in origins if origin),
        visitors=tuple(_visitors(facts) for facts in dialects),
        public_pages=(*PUBLIC_PAGES, *(page for facts in dialects for page in facts.public)),
        changed_by_get=tuple(path for facts in dialects for path in facts.changed_by_get),
        trusted_proxies=server.trusted_proxies,
        auth=settings.auth and not mounted_without_auth,
        mounted_without_auth=mounted_without_auth,
    )


def _visitors(dialect: Facts) -> Visitors:
    origins = (parse_origin(text) for text in dialect.origins)
    return Visitors(frozenset(origin for origin in origins if origin and is_loopback(origin.name)), dialect.paths)


def _own_names(settings: Settings) -> Iterator[Host]:
    """The addresses that the server was told to listen on are its names, unless they stand for all of them."""
    own = (getattr(settings.dialect, facts.name).address for facts in FACTS)
    for name in (settings.server.host.strip("[]"), *(address.name for address in own if address is not None)):
        host = parse_host(f"[{name}]" if ":" in name else name)
        if host is not None and name not in _WILDCARDS:
            yield host
