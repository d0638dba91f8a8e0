"""Who may ask at all: one decision for every request and every socket, on every path.

A server on a developer's machine is reachable by every web page that the developer opens. Three kinds of request must
therefore be told apart by what a page cannot forge: our own page's, another page's, and a program's.

1. The client: without authentication only this machine is answered, and nothing that a proxy or tunnel passed on.
2. `Host`: a page whose name was rebound to 127.0.0.1 still says its own name there.
3. `Origin`: browsers set it on sockets, on everything that is not GET, and on reads across origins.
4. `Sec-Fetch-Site`: browsers set it on the rest (images, scripts, links), which carry no `Origin`.

No GET changes state; the few that other systems' pages rely on (`Policy.changed_by_get`) need proof that the page is
ours. Who the user is and what that user may do is decided afterwards, in `auth` and `access`.
Source: docs/security.md; choices in docs/decisions/0004-admission.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network
from typing import Any, NamedTuple

from antiphon.errors import CrossSiteRefused, HostRefused, OriginRefused, ProxyRefused, Unauthenticated
from antiphon.server.names import Host, IpAddress, Origin, is_loopback, parse_address, parse_host, parse_origin

Network = IPv4Network | IPv6Network

PUBLIC_PAGES = (
    "/",
    "/logs",
    "/logs/*",
    "/runs",
    "/runs/*",
    "/inbox",
    "/connections",
    "/playground",
    "/assets/*",
    "/favicon.ico",
    "/icon.svg",
    "/theme.js",
    "/healthz",
    "/readyz",
)
"""Paths that any page may link to: they hold no data and do nothing. `*` stands for one or more path segments."""

_FORWARDING = re.compile(
    rb"x-forwarded.*|forwarded|via|x-real-ip|x-client-ip|x-cluster-client-ip|x-original-host|x-original-forwarded-for"
    rb"|true-client-ip|cf-connecting-ip|cf-ray|fastly-client-ip|fly-client-ip|tailscale-user-login"
)
_FRAMES = ("iframe", "frame", "fencedframe", "embed", "object")
_SAFE_SITES = ("same-origin", "none")
_HOP_WITH_PORT = re.compile(r"\[(?P<six>[0-9a-fA-F:.]+)\](?::[0-9]+)?|(?P<four>[0-9.]+):[0-9]+")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a request or of a socket's opening handshake (its method is GET)."""

    method: str
    path: str  # decoded, as the router sees it: below the prefix of a mounted app
    headers: Sequence[tuple[bytes, bytes]]  # in order, duplicates kept
    client: str | None  # the peer's address; None = not known, e.g. a Unix socket
    scheme: str = "http"  # of this hop; ws counts as http
    query: bytes = b""

    @classmethod
    def from_scope(cls, scope: Mapping[str, Any]) -> Facts:
        """Read an ASGI scope."""
        client = scope.get("client")
        scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
        return cls(
            method=scope.get("method", "GET"),
            path=_route_path(scope["path"], scope.get("root_path", "")),
            headers=scope["headers"],
            client=client[0] if client else None,
            scheme=scheme,
            query=scope.get("query_string", b""),
        )

    def values(self, name: bytes) -> list[str]:
        """All values of a header, in order."""
        return [value.decode("latin-1").strip(" \t") for key, value in self.headers if key.lower() == name]


class Visitors(NamedTuple):
    """Origins of this machine that may use some paths, and no others."""

    origins: frozenset[Origin]
    paths: tuple[str, ...]  # globs


@dataclass(frozen=True, slots=True)
class Policy:
    """What this server answers to; made from the settings by `settings.policy_of`."""

    ports: frozenset[int] = frozenset()  # that this process listens on
    allowed_hosts: tuple[Host, ...] = ()  # beside loopback names; port None = any
    allowed_origins: frozenset[Origin] = frozenset()
    visitors: tuple[Visitors, ...] = ()  # pages of other systems, on the paths of their protocols
    trusted_proxies: tuple[Network, ...] = ()
    auth: bool = False  # whether users must show who they are
    mounted_without_auth: bool = False  # in somebody else's app, which gave no `auth=`
    public_pages: tuple[str, ...] = PUBLIC_PAGES
    changed_by_get: tuple[str, ...] = ()  # globs of paths where a GET changes state, as another system's pages expect


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request may be answered: by whom it was sent, as far as that can be believed."""

    client: str | None  # behind trusted proxies the address that the outermost of them saw
    host: Host
    scheme: str  # http or https, as the client used it
    cross_origin: str | None  # another origin that may read the answer (CORS); None = same origin, or no browser
    public: bool  # needs no user
    preflight: bool  # asks what a cross-origin request may do; carries no credentials by design


def admit(facts: Facts, policy: Policy) -> Admitted:
    """Decide whether a request is answered at all.

    Raises:
        Unauthenticated: The client is not this machine, and nobody can log in.
        ProxyRefused: A proxy or tunnel passed it on that is not trusted, or what it says cannot be read.
        HostRefused: `Host` names neither this machine nor one of `server.allowed_hosts`.
        OriginRefused: A page of another origin asks.
        CrossSiteRefused: Another site's page embeds or links to something that is not public.
    """
    client, trusted = _client(facts, policy)
    host = _host(facts, policy, trusted=trusted)
    scheme = _scheme(facts, trusted=trusted)
    origin = _origin(facts, policy, host, scheme, client)
    public = is_public(facts, policy)
    if origin is None:
        _check_site(facts, public=public)
    _check_get(facts, policy, origin)
    foreign = origin is not None and not origin.is_of(host)
    preflight = facts.method == "OPTIONS" and bool(facts.values(b"access-control-request-method"))
    return Admitted(
        client=None if client is None else str(client),
        host=host,
        scheme=scheme,
        cross_origin=facts.values(b"origin")[0] if foreign else None,
        public=public,
        preflight=foreign and preflight,
    )


def is_public(facts: Facts, policy: Policy) -> bool:
    """Whether the path is a page that holds no data and does nothing."""
    if facts.method not in ("GET", "HEAD") or ".." in facts.path.split("/") or facts.values(b"upgrade"):
        return False
    return any(
        fnmatchcase(facts.path, page) if page.endswith("/*") else facts.path == page for page in policy.public_pages
    )


def _client(facts: Facts, policy: Policy) -> tuple[IpAddress | None, bool]:
    """The client's address, and whether a trusted proxy vouches for it."""
    peer = parse_address(facts.client or "")
    local = peer is not None and peer.is_loopback
    header = next((name for name, _ in facts.headers if _FORWARDING.fullmatch(name.lower())), None)
    if policy.mounted_without_auth and (header is not None or not local):
        raise Unauthenticated(
            "This app is mounted without auth= and answers only this machine, not through a proxy: "
            "pass auth= to Antiphon(...)"
        )
    trusted = header is not None and peer is not None and _is_in(peer, policy.trusted_proxies)
    if header is not None and not trusted and not policy.auth:
        raise ProxyRefused(
            f"A proxy passed this request on ({header.decode('latin-1').lower()}): turn on server.auth, "
            f"or name the proxy {facts.client or 'in question'} in server.trusted_proxies"
        )
    if not trusted and not local and not policy.auth:
        raise Unauthenticated("Without server.auth only clients on this machine are answered")
    return (_outermost(peer, facts, policy) if trusted else peer), trusted


def _outermost(peer: IpAddress | None, facts: Facts, policy: Policy) -> IpAddress | None:
    """Walk `X-Forwarded-For` from the right, past the trusted ones: what stands further left could be anything."""
    client = peer
    for hop in reversed([part.strip() for value in facts.values(b"x-forwarded-for") for part in value.split(",")]):
        client = _hop(hop)
        if client is None:
            raise ProxyRefused(f"X-Forwarded-For holds {hop[:80]!r}, which is no address")
        if not _is_in(client, policy.trusted_proxies):
            break
    return client


def _hop(text: str) -> IpAddress | None:
    match = _HOP_WITH_PORT.fullmatch(text)
    return parse_address(text if match is None else match["six"] or match["four"])


def _host(facts: Facts, policy: Policy, *, trusted: bool) -> Host:
    """The host that the client asked for.

    A trusted proxy's `X-Forwarded-Host` must pass beside `Host`, never instead of it: where the proxy is on this
    machine, so is the browser of somebody who looks at a rebound page, and that page may set any header.
    """
    values = facts.values(b"host")
    if len(values) != 1:
        raise HostRefused(f"A request needs exactly one Host header, this one has {len(values)}")
    host = _allowed_host(values[0], policy)
    forwarded = _last(facts, b"x-forwarded-host") if trusted else None
    return host if forwarded is None else _allowed_host(forwarded, policy)


def _allowed_host(text: str, policy: Policy) -> Host:
    host = parse_host(text)
    if host is None:
        raise HostRefused(f"{text[:80]!r} is no host name")
    if not is_loopback(host.name) and not any(_matches(host, allowed) for allowed in policy.allowed_hosts):
        raise HostRefused(f"This server does not answer to the name {text[:80]!r}: add it to server.allowed_hosts")
    return host


def _matches(host: Host, allowed: Host) -> bool:
    return host.name == allowed.name and allowed.port in (None, host.port)


def _scheme(facts: Facts, *, trusted: bool) -> str:
    forwarded = (_last(facts, b"x-forwarded-proto") or "").lower() if trusted else ""
    scheme = {"ws": "http", "wss": "https"}.get(forwarded, forwarded)
    return scheme if scheme in ("http", "https") else facts.scheme


def _origin(facts: Facts, policy: Policy, host: Host, scheme: str, client: IpAddress | None) -> Origin | None:
    """The origin of the page that asks, if it may; None where no page says so."""
    values = facts.values(b"origin")
    if not values:
        return None
    origin = parse_origin(values[0]) if len(values) == 1 else None
    local = client is not None and client.is_loopback
    if origin is None or not (
        _is_ours(origin, policy, host, scheme, local=local) or (local and _is_visitor(origin, policy, facts.path))
    ):
        shown = ", ".join(values)[:80]
        raise OriginRefused(f"Pages of {shown!r} may not use this server: add their origin to server.allowed_origins")
    return origin


def _is_visitor(origin: Origin, policy: Policy, path: str) -> bool:
    """Whether it is a documented page of a system whose protocol is spoken on this path: on this machine only."""
    return is_loopback(origin.name) and any(
        origin in visitors.origins and any(fnmatchcase(path, glob) for glob in visitors.paths)
        for visitors in policy.visitors
    )


def _is_ours(origin: Origin, policy: Policy, host: Host, scheme: str, *, local: bool) -> bool:
    if origin in policy.allowed_origins:
        return True
    if origin.scheme not in ("http", "https"):
        return False
    if origin.is_of(host):
        return origin.scheme == "https" or scheme == "http"  # whoever can alter plain http must not reach into https
    # A loopback page is one of this process only where the browser runs on this machine.
    return local and is_loopback(origin.name) and origin.port in policy.ports


def _check_site(facts: Facts, *, public: bool) -> None:
    """Judge a request without `Origin` by where the browser says that it comes from."""
    if all(site in _SAFE_SITES for site in facts.values(b"sec-fetch-site")):
        return
    framed = any(kind in _FRAMES for kind in facts.values(b"sec-fetch-dest"))
    if framed or not public:
        raise CrossSiteRefused(
            f"Another site's page asked for {facts.path[:80]!r}: open it yourself, "
            "or let that page fetch it after adding its origin to server.allowed_origins"
        )


def _check_get(facts: Facts, policy: Policy, origin: Origin | None) -> None:
    changes = facts.method in ("GET", "HEAD") and any(fnmatchcase(facts.path, path) for path in policy.changed_by_get)
    if changes and origin is None and facts.values(b"sec-fetch-site") != ["same-origin"]:
        raise CrossSiteRefused(
            f"GET {facts.path[:80]} changes something, so it is only for this server's own pages: POST"
        )


def _is_in(address: IpAddress, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _last(facts: Facts, name: bytes) -> str | None:
    """What the nearest proxy said; earlier values may come from the client."""
    values = facts.values(name)
    return values[-1].rsplit(",", 1)[-1].strip() if values else None


def _route_path(path: str, root: str) -> str:
    if root and (path == root or path.startswith(f"{root.rstrip('/')}/")):
        return path[len(root.rstrip("/")) :] or "/"
    return path
