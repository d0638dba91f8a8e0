"""Host names, origins and addresses as they stand in requests and settings; no I/O, no name is ever resolved.

Reading is strict: what a browser never sends (userinfo, an empty port, a trailing dot, other ways to write an IPv4
address, anything beyond ASCII) is no host. Such forms exist only to make two programs disagree about a name.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

IpAddress = IPv4Address | IPv6Address

_LABELS = r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+"
_AUTHORITY = rf"(?P<name>\[[0-9a-f:.]+\]|{_LABELS})(?::(?P<port>[0-9]{{1,5}}))?"
_host = re.compile(_AUTHORITY)
_origin = re.compile(rf"(?P<scheme>[a-z][a-z0-9+.-]*)://{_AUTHORITY}")
_MAX_NAME = 255
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Host(NamedTuple):
    """A name or address, lower case, IPv6 in its shortest form without brackets; port None = the scheme's own."""

    name: str
    port: int | None

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port is None else f"{name}:{self.port}"


class Origin(NamedTuple):
    """Where a page came from; the port of http and https is always a number, otherwise None if not given."""

    scheme: str
    name: str
    port: int | None

    def is_of(self, host: Host) -> bool:
        """Whether pages of this origin were served by `host`, as far as name and port can tell."""
        return (self.name, self.port) == (host.name, host.port or _DEFAULT_PORTS.get(self.scheme))


def parse_host(text: str) -> Host | None:
    """Read `NAME[:PORT]`; None if it is anything else."""
    match = _host.fullmatch(text.lower()) if text.isascii() else None
    return None if match is None else _authority(match)


def parse_origin(text: str) -> Origin | None:
    """Read `SCHEME://NAME[:PORT]`; None if it is anything else, also for `null`."""
    match = _origin.fullmatch(text.lower()) if text.isascii() else None
    host = None if match is None else _authority(match)
    if match is None or host is None:
        return None
    return Origin(match["scheme"], host.name, host.port or _DEFAULT_PORTS.get(match["scheme"]))


def parse_address(text: str) -> IpAddress | None:
    """Read an IP address; IPv4 that came over an IPv6 socket (`::ffff:127.0.0.1`) is IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_loopback(name: str) -> bool:
    """Whether a name or address means this machine whoever resolves it: `localhost`, 127.0.0.0/8, `::1`.

    `*.localhost` is not among them: some resolvers ask the network for it.
    """
    address = parse_address(name)
    return name == "localhost" if address is None else address.is_loopback


def _authority(match: re.Match[str]) -> Host | None:
    name, port = match["name"], match["port"]
    number = None if port is None else int(port)
    if len(name) > _MAX_NAME or number == 0 or (number or 0) > 65535:
        return None
    if not name.startswith("["):
        return Host(name, number)
    try:
        return Host(str(IPv6Address(name[1:-1])), number)
    except ValueError:
        return None
