# ruff: noqa: E501  a case per line is a table one can read
"""Every kind of request that reaches a server on a developer's machine, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import NamedTuple

import pytest

from antiphon.errors import (
    AccessError,
    CrossSiteRefused,
    HostRefused,
    OriginRefused,
    ProxyRefused,
    Unauthenticated,
)
from antiphon.server.admission import Facts, Policy, admit
from antiphon.server.names import parse_host, parse_origin

HOME = Policy(ports=frozenset({8003, 5000}))
NAMED = replace(
    HOME,
    allowed_hosts=tuple(
        filter(None, [parse_host("control.example"), parse_host("box.lan:8003"), parse_host("[fd00::7]")])
    ),
    allowed_origins=frozenset(
        filter(None, [parse_origin("https://app.example"), parse_origin("vscode-webview://abc")])
    ),
)
LOCKED = replace(NAMED, auth=True)
PROXIED = replace(LOCKED, trusted_proxies=(ip_network("10.0.0.0/8"), ip_network("127.0.0.1")))
MOUNTED = replace(NAMED, mounted_without_auth=True)
LEGACY = replace(HOME, changed_by_get=("/api/start/*",))


class Case(NamedTuple):
    name: str
    headers: dict[str, str] | list[tuple[str, str]]
    refused: type[AccessError] | None = None  # None = admitted
    policy: Policy = HOME
    method: str = "GET"
    path: str = "/api/channels"
    client: str | None = "127.0.0.1"
    scheme: str = "http"


L = "localhost:8003"
NAVIGATE = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
CROSS = {"host": L, "sec-fetch-site": "cross-site"}
SITE = {"host": L, "sec-fetch-site": "same-site"}

CASES = [
    # Host
    Case("a program", {"host": L}),
    Case("no port in the host", {"host": "localhost"}),
    Case("another port, as through ssh -L", {"host": "localhost:9000"}),
    Case("an IPv4 loopback address", {"host": "127.0.0.1:8003"}),
    Case("another IPv4 loopback address", {"host": "127.8.9.1:8003"}),
    Case("the IPv6 loopback address", {"host": "[::1]:8003"}, client="::1"),
    Case("the IPv6 loopback address in full", {"host": "[0:0:0:0:0:0:0:1]"}, client="::1"),
    Case("IPv4 within IPv6", {"host": L}, client="::ffff:127.0.0.1"),
    Case("an upper-case host", {"host": "LocalHost:8003"}),
    Case("a rebound name", {"host": "evil.example:8003"}, HostRefused),
    Case("a rebound name on a public page", {"host": "evil.example:8003"}, HostRefused, path="/"),
    Case("a rebound name on healthz", {"host": "evil.example"}, HostRefused, path="/healthz"),
    Case("a rebound name with its own origin", {"host": "evil.example:8003", "origin": "http://evil.example:8003"}, HostRefused, method="POST"),
    Case("a rebound name that calls itself same-origin", {"host": "evil.example:8003", "sec-fetch-site": "same-origin"}, HostRefused),
    Case("a name that begins with localhost", {"host": "localhost.evil.example"}, HostRefused),
    Case("a name that ends with localhost", {"host": "evillocalhost:8003"}, HostRefused),
    Case("a name below localhost", {"host": "evil.localhost:8003"}, HostRefused),
    Case("a name that begins with an address", {"host": "127.0.0.1.nip.io:8003"}, HostRefused),
    Case("a trailing dot", {"host": "localhost.:8003"}, HostRefused),
    Case("a trailing dot on an address", {"host": "127.0.0.1.:8003"}, HostRefused),
    Case("userinfo", {"host": "localhost@evil.example"}, HostRefused),
    Case("userinfo before localhost", {"host": "evil@localhost:8003"}, HostRefused),
    Case("the wildcard address", {"host": "0.0.0.0:8003"}, HostRefused),
    Case("the IPv6 wildcard address", {"host": "[::]:8003"}, HostRefused),
    Case("a decimal address", {"host": "2130706433:8003"}, HostRefused),
    Case("a hexadecimal address", {"host": "0x7f000001:8003"}, HostRefused),
    Case("an octal address", {"host": "0177.0.0.1:8003"}, HostRefused),
    Case("a short address", {"host": "127.1:8003"}, HostRefused),
    Case("IPv6 without brackets", {"host": "::1"}, HostRefused),
    Case("IPv6 with a zone", {"host": "[fe80::1%25eth0]:8003"}, HostRefused),
    Case("an address of the local network", {"host": "192.168.1.5:8003"}, HostRefused),
    Case("no host", {}, HostRefused),
    Case("an empty host", {"host": ""}, HostRefused),
    Case("two hosts", [("host", L), ("host", L)], HostRefused),
    Case("two hosts in one", {"host": "localhost:8003, evil.example"}, HostRefused),
    Case("a space in the host", {"host": "localhost :8003"}, HostRefused),
    Case("a port that is none", {"host": "localhost:http"}, HostRefused),
    Case("an empty port", {"host": "localhost:"}, HostRefused),
    Case("port 0", {"host": "localhost:0"}, HostRefused),
    Case("a port beyond all", {"host": "localhost:65536"}, HostRefused),
    Case("a path in the host", {"host": "localhost/evil.example"}, HostRefused),
    Case("letters that look like localhost", {"host": "löcalhost:8003"}, HostRefused),
    Case("an IDN as browsers send it", {"host": "xn--lcalhost-n4a:8003"}, HostRefused),
    Case("an allowed name", {"host": "control.example"}, policy=NAMED),
    Case("an allowed name with any port", {"host": "Control.Example:9000"}, policy=NAMED),
    Case("an allowed name and port", {"host": "box.lan:8003"}, policy=NAMED),
    Case("an allowed name with another port", {"host": "box.lan:80"}, HostRefused, NAMED),
    Case("a name below an allowed one", {"host": "evil.control.example"}, HostRefused, NAMED),
    Case("an allowed IPv6 address", {"host": "[FD00:0::7]:1"}, policy=NAMED),
    # Origin
    Case("its own page posts", {"host": L, "origin": "http://localhost:8003", "sec-fetch-site": "same-origin"}, method="POST"),
    Case("its own page opens a socket", {"host": L, "origin": "http://localhost:8003", "upgrade": "websocket"}, path="/live"),
    Case("its own page under another loopback name", {"host": L, "origin": "http://127.0.0.1:8003", "sec-fetch-site": "cross-site"}, method="POST"),
    Case("its own page under the IPv6 name", {"host": L, "origin": "http://[::1]:8003"}, method="POST"),
    Case("a page on its other port", {"host": L, "origin": "http://localhost:5000", "sec-fetch-site": "same-site"}, method="POST"),
    Case("its own page through ssh -L", {"host": "localhost:9000", "origin": "http://localhost:9000"}, method="POST"),
    Case("its own page on port 80", {"host": "localhost", "origin": "http://localhost"}, method="POST"),
    Case("its own page behind https", {"host": "control.example", "origin": "https://control.example"}, policy=NAMED, method="POST"),
    Case("its own page with the port spelt out", {"host": "control.example:443", "origin": "https://control.example"}, policy=NAMED, method="POST"),
    Case("plain http reaching into https", {"host": "control.example", "origin": "http://control.example"}, OriginRefused, NAMED, "POST", scheme="https"),
    Case("https to the port of http", {"host": "control.example:80", "origin": "https://control.example"}, OriginRefused, NAMED, "POST"),
    Case("a program of the same machine on another port", {"host": L, "origin": "http://localhost:3000", "sec-fetch-site": "same-site"}, OriginRefused, method="POST"),
    Case("another port reads", {"host": L, "origin": "http://localhost:3000"}, OriginRefused),
    Case("another port opens a socket", {"host": L, "origin": "http://localhost:3000", "upgrade": "websocket"}, OriginRefused, path="/live"),
    Case("a foreign page posts", {"host": L, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}, OriginRefused, method="POST"),
    Case("a foreign page opens a socket", {"host": L, "origin": "https://evil.example", "upgrade": "websocket"}, OriginRefused, path="/live"),
    Case("a foreign page fetches a public page", {"host": L, "origin": "https://evil.example"}, OriginRefused, path="/healthz"),
    Case("a foreign page asks beforehand", {"host": L, "origin": "https://evil.example", "access-control-request-method": "PUT"}, OriginRefused, method="OPTIONS"),
    Case("a foreign page on a server with users", {"host": L, "origin": "https://evil.example"}, OriginRefused, LOCKED, "POST"),
    Case("a sandboxed page or a file", {"host": L, "origin": "null"}, OriginRefused, method="POST"),
    Case("a sandboxed page opens a socket", {"host": L, "origin": "null", "upgrade": "websocket"}, OriginRefused, path="/live"),
    Case("an empty origin", {"host": L, "origin": ""}, OriginRefused),
    Case("two origins", [("host", L), ("origin", "http://localhost:8003"), ("origin", "http://localhost:8003")], OriginRefused),
    Case("two origins in one", {"host": L, "origin": "http://localhost:8003 https://evil.example"}, OriginRefused),
    Case("an origin with userinfo", {"host": L, "origin": "http://localhost:8003@evil.example"}, OriginRefused),
    Case("an origin with a path", {"host": L, "origin": "http://localhost:8003/"}, OriginRefused),
    Case("an origin that begins like ours", {"host": L, "origin": "http://localhost:8003.evil.example"}, OriginRefused),
    Case("an origin with a trailing dot", {"host": L, "origin": "http://localhost.:8003"}, OriginRefused),
    Case("an origin without a scheme", {"host": L, "origin": "localhost:8003"}, OriginRefused),
    Case("an extension's page", {"host": L, "origin": "chrome-extension://localhost:8003"}, OriginRefused),
    Case("an allowed origin", {"host": L, "origin": "https://app.example", "sec-fetch-site": "cross-site"}, policy=NAMED, method="POST"),
    Case("an allowed origin with its port spelt out", {"host": L, "origin": "https://app.example:443"}, policy=NAMED, method="POST"),
    Case("an allowed origin with another scheme", {"host": L, "origin": "http://app.example"}, OriginRefused, NAMED, "POST"),
    Case("an allowed origin of another kind", {"host": L, "origin": "vscode-webview://abc"}, policy=NAMED, method="POST"),
    Case("a page below an allowed origin", {"host": L, "origin": "https://evil.app.example"}, OriginRefused, NAMED, "POST"),
    Case("a loopback page in a remote browser", {"host": "control.example", "origin": "http://localhost:8003"}, OriginRefused, LOCKED, "POST", client="203.0.113.9"),
    # Sec-Fetch-Site
    Case("typed into the address bar", {"host": L, "sec-fetch-site": "none", **NAVIGATE}),
    Case("its own page reads", {"host": L, "sec-fetch-site": "same-origin"}),
    Case("a foreign image", {**CROSS, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, CrossSiteRefused),
    Case("a foreign script", {**CROSS, "sec-fetch-dest": "script"}, CrossSiteRefused, path="/api/channels/x/events"),
    Case("an image of another port", {**SITE, "sec-fetch-dest": "image"}, CrossSiteRefused),
    Case("a foreign link to the API", {**CROSS, **NAVIGATE}, CrossSiteRefused),
    Case("a foreign link to the metrics", {**CROSS, **NAVIGATE}, CrossSiteRefused, path="/metrics"),
    Case("a foreign link to the docs", {**CROSS, **NAVIGATE}, CrossSiteRefused, path="/docs"),
    Case("a foreign link to the front page", {**CROSS, **NAVIGATE}, path="/"),
    Case("a foreign link to a page", {**CROSS, **NAVIGATE}, path="/logs"),
    Case("a foreign frame of the front page", {**CROSS, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, CrossSiteRefused, path="/"),
    Case("a frame of another port", {**SITE, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, CrossSiteRefused, path="/"),
    Case("a foreign object", {**CROSS, "sec-fetch-dest": "object"}, CrossSiteRefused, path="/assets/a.js"),
    Case("a foreign image of an asset", {**CROSS, "sec-fetch-dest": "image"}, path="/assets/logo.svg"),
    Case("a foreign form to the front page", {**CROSS, **NAVIGATE}, CrossSiteRefused, method="POST", path="/"),
    Case("a foreign form with its origin", {**CROSS, **NAVIGATE, "origin": "https://evil.example"}, OriginRefused, method="POST", path="/"),
    Case("a foreign socket on a public path", {**CROSS, "upgrade": "websocket"}, CrossSiteRefused, path="/"),
    Case("up and out of the assets", {**CROSS, **NAVIGATE}, CrossSiteRefused, path="/assets/../api/channels"),
    Case("the assets without a file", {**CROSS, **NAVIGATE}, CrossSiteRefused, path="/assets"),
    Case("a page's name with more behind it", {**CROSS, **NAVIGATE}, CrossSiteRefused, path="/logsx"),
    Case("a site nobody knows", {"host": L, "sec-fetch-site": "best-friend"}, CrossSiteRefused),
    Case("a site in upper case", {"host": L, "sec-fetch-site": "CROSS-SITE"}, CrossSiteRefused),
    Case("two sites", [("host", L), ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], CrossSiteRefused),
    # GET
    Case("a legacy GET of its own page", {"host": L, "sec-fetch-site": "same-origin"}, policy=LEGACY, path="/api/start/x"),
    Case("a legacy GET of its own page on another port", {"host": L, "origin": "http://localhost:5000"}, policy=LEGACY, path="/api/start/x"),
    Case("a legacy GET without any proof", {"host": L}, CrossSiteRefused, LEGACY, path="/api/start/x"),
    Case("a legacy GET that was typed", {"host": L, "sec-fetch-site": "none"}, CrossSiteRefused, LEGACY, path="/api/start/x"),
    Case("a legacy HEAD", {"host": L}, CrossSiteRefused, LEGACY, "HEAD", path="/api/start/x"),
    Case("a legacy path by POST", {"host": L}, policy=LEGACY, method="POST", path="/api/start/x"),
    # Proxies and clients
    Case("passed on without trust", {"host": L, "x-forwarded-for": "203.0.113.9"}, ProxyRefused),
    Case("passed on by another header", {"host": L, "Forwarded": "for=127.0.0.1"}, ProxyRefused),
    Case("passed on by a tunnel", {"host": "x.tunnel.example", "x-forwarded-host": "x.tunnel.example"}, ProxyRefused),
    Case("passed on by a CDN", {"host": L, "cf-connecting-ip": "127.0.0.1"}, ProxyRefused),
    Case("passed on, says its address", {"host": L, "x-real-ip": "127.0.0.1"}, ProxyRefused),
    Case("passed on via", {"host": L, "via": "1.1 proxy"}, ProxyRefused),
    Case("passed on to a public page", {"host": L, "x-forwarded-proto": "https"}, ProxyRefused, path="/healthz"),
    Case("passed on where users log in", {"host": "control.example", "x-forwarded-for": "203.0.113.9"}, policy=LOCKED),
    Case("from another machine without users", {"host": L}, Unauthenticated, client="192.168.1.9"),
    Case("from another machine with users", {"host": "control.example"}, policy=LOCKED, client="192.168.1.9"),
    Case("from nobody knows where without users", {"host": L}, Unauthenticated, client=None),
    Case("from nobody knows where with users", {"host": L}, policy=LOCKED, client=None),
    Case("a trusted proxy's junk", {"host": L, "x-forwarded-for": "unknown"}, ProxyRefused, PROXIED),
    Case("a trusted proxy's host that is not allowed", {"host": L, "x-forwarded-host": "evil.example"}, HostRefused, PROXIED),
    Case("a rebound page that plays proxy", {"host": "evil.example", "x-forwarded-host": "localhost", "x-forwarded-for": "127.0.0.1"}, HostRefused, PROXIED),
    Case("a foreign page through a trusted proxy", {"host": "control.example", "x-forwarded-for": "203.0.113.9", "origin": "https://evil.example"}, OriginRefused, PROXIED, "POST"),
    Case("its own page through a trusted proxy", {"host": "127.0.0.1:8003", "x-forwarded-host": "control.example", "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9", "origin": "https://control.example"}, None, PROXIED, "POST"),
    Case("plain http through a proxy that speaks https", {"host": "control.example", "x-forwarded-proto": "https", "origin": "http://control.example"}, OriginRefused, PROXIED, "POST"),
    # Mounted in somebody's app
    Case("mounted, from this machine", {"host": L}, policy=MOUNTED),
    Case("mounted, from this machine, IPv6", {"host": "[::1]:8003"}, policy=MOUNTED, client="::1"),
    Case("mounted, from another machine", {"host": "control.example"}, Unauthenticated, MOUNTED, client="203.0.113.9"),
    Case("mounted, from another machine, foreign name", {"host": "www.example"}, Unauthenticated, MOUNTED, client="203.0.113.9"),
    Case("mounted, a public page from another machine", {"host": L}, Unauthenticated, MOUNTED, path="/healthz", client="10.1.1.1"),
    Case("mounted, passed on", {"host": L, "x-forwarded-for": "127.0.0.1"}, Unauthenticated, MOUNTED),
    Case("mounted, passed on by a trusted proxy", {"host": L, "x-forwarded-for": "127.0.0.1"}, Unauthenticated, replace(PROXIED, auth=False, mounted_without_auth=True)),
    Case("mounted, address not known", {"host": L}, Unauthenticated, MOUNTED, client=None),
    Case("mounted, rebound name", {"host": "evil.example"}, HostRefused, MOUNTED),
]  # fmt: skip


def facts(case: Case) -> Facts:
    pairs = case.headers.items() if isinstance(case.headers, dict) else case.headers
    raw = [(name.encode(), value.encode()) for name, value in pairs]
    return Facts(case.method, case.path, raw, case.client, case.scheme)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_admission(case: Case) -> None:
    if case.refused is None:
        admit(facts(case), case.policy)
        return
    with pytest.raises(AccessError) as refusal:
        admit(facts(case), case.policy)
    assert type(refusal.value) is case.refused


def test_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) > 100


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("a rebound name", "server.allowed_hosts"),
        ("a foreign page posts", "server.allowed_origins"),
        ("passed on without trust", "server.trusted_proxies"),
        ("passed on without trust", "server.auth"),
        ("from another machine without users", "server.auth"),
        ("a foreign image", "server.allowed_origins"),
        ("mounted, passed on", "auth="),
    ],
)
def test_a_refusal_names_the_setting(name: str, setting: str) -> None:
    case = next(case for case in CASES if case.name == name)
    with pytest.raises(AccessError, match=setting):
        admit(facts(case), case.policy)


def proxied(client: str, *forwarded_for: str, **more: str) -> Facts:
    headers = [("host", "127.0.0.1:8003"), *(("x-forwarded-for", value) for value in forwarded_for)]
    headers += [(name.replace("_", "-"), value) for name, value in more.items()]
    return Facts("GET", "/api/channels", [(name.encode(), value.encode()) for name, value in headers], client)


@pytest.mark.parametrize(
    ("client", "values", "expected"),
    [
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["junk, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("203.0.113.9", ["127.0.0.1"], "203.0.113.9"),
    ],
)
def test_the_client_is_what_the_outermost_trusted_proxy_saw(client: str, values: list[str], expected: str) -> None:
    assert admit(proxied(client, *values), PROXIED).client == expected


def test_host_and_scheme_of_a_trusted_proxy_are_believed() -> None:
    told = {"x_forwarded_host": "evil.example, control.example", "x_forwarded_proto": "http,https"}
    admitted = admit(proxied("10.0.0.1", "203.0.113.9", **told), PROXIED)
    assert (str(admitted.host), admitted.scheme) == ("control.example", "https")


def test_host_and_scheme_of_other_proxies_are_not() -> None:
    told = {"x_forwarded_host": "control.example", "x_forwarded_proto": "https"}
    admitted = admit(proxied("203.0.113.9", "1.2.3.4", **told), PROXIED)
    assert (str(admitted.host), admitted.scheme, admitted.client) == ("127.0.0.1:8003", "http", "203.0.113.9")


def test_only_another_origin_is_answered_for_cors() -> None:
    same = Facts("POST", "/api/tickets", [(b"host", b"localhost:8003"), (b"origin", b"http://localhost:8003")], "::1")
    other = replace(same, headers=[(b"host", b"localhost:8003"), (b"origin", b"https://app.example")])
    asks = replace(other, method="OPTIONS", headers=[*other.headers, (b"access-control-request-method", b"POST")])
    assert admit(same, NAMED).cross_origin is None
    assert (admit(other, NAMED).cross_origin, admit(other, NAMED).preflight) == ("https://app.example", False)
    assert admit(asks, NAMED).preflight


@pytest.mark.parametrize(
    ("method", "path", "public"),
    [
        ("GET", "/", True),
        ("HEAD", "/logs", True),
        ("GET", "/assets/fonts/inter.woff2", True),
        ("GET", "/healthz", True),
        ("POST", "/", False),
        ("GET", "/metrics", False),
        ("GET", "/docs", False),
        ("GET", "/openapi.json", False),
        ("GET", "/live", False),
        ("GET", "/api/server", False),
        ("GET", "/api/stream", False),
    ],
)
def test_public_pages(method: str, path: str, *, public: bool) -> None:
    assert admit(Facts(method, path, [(b"host", b"localhost")], "127.0.0.1"), LOCKED).public is public


def test_facts_of_a_scope() -> None:
    scope = {
        "type": "websocket",
        "scheme": "wss",
        "path": "/antiphon/live",
        "root_path": "/antiphon",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 5),
        "query_string": b"ticket=x",
    }
    assert Facts.from_scope(scope) == Facts(
        "GET", "/live", [(b"host", b"localhost")], "127.0.0.1", "https", b"ticket=x"
    )
    assert Facts.from_scope({**scope, "path": "/antiphonic"}).path == "/antiphonic"
    assert Facts.from_scope({**scope, "client": None}).client is None
