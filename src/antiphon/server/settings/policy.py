"""What admission needs to know, from the settings."""

from __future__ import annotations

from collections.abc import Iterable

from antiphon.server.admission import Policy
from antiphon.server.names import Host, parse_host, parse_origin
from antiphon.server.settings.model import ServerSettings, Settings

_WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104  these are recognised, not bound


def policy_of(settings: Settings, *, ports: Iterable[int], mounted_without_auth: bool = False) -> Policy:
    """The admission policy of a server.

    Args:
        settings: The effective settings.
        ports: Where this process listens, once it does.
        mounted_without_auth: The app is part of another one that gave no `auth=`.
    """
    server = settings.server
    origins = (parse_origin(text) for text in server.allowed_origins)
    return Policy(
        ports=frozenset(ports),
        allowed_hosts=(*_own_name(server), *(host for text in server.allowed_hosts if (host := parse_host(text)))),
        allowed_origins=frozenset(origin for origin in origins if origin),
        trusted_proxies=server.trusted_proxies,
        auth=settings.auth and not mounted_without_auth,
        mounted_without_auth=mounted_without_auth,
    )


def _own_name(server: ServerSettings) -> tuple[Host, ...]:
    """The address that the server was told to listen on is one of its names, unless it stands for all of them."""
    name = server.host.strip("[]")
    host = parse_host(f"[{name}]" if ":" in name else name)
    return (host,) if host and name not in _WILDCARDS else ()
