"""Which hosts and addresses may be asked.

A name says nothing about where it leads: whoever owns it may point it at this machine or at the network around it, and
may do so between a check and a connection. So names are checked against the list, what they resolve to against the
kinds of addresses, and the connection goes to an address that was checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

DEFAULT_PORTS = (80, 443)
_NAT64 = IPv6Network("64:ff9b::/96")


class AllowedHosts:
    """The list `[tools.fetch] allow`.

    Args:
        private: Whether names on the list may lead to private, loopback and link-local addresses.
    """

    def __init__(self, allow: Sequence[str], *, private: bool) -> None:
        self._entries = [_split(entry) for entry in allow]
        self._private = private

    def allows(self, host: str, port: int) -> bool:
        """Whether a name, or an address as text, is on the list."""
        name = host.rstrip(".").lower()
        return any(_fits(name, port, *entry) for entry in self._entries)

    def may_reach(self, host: str, address: Address) -> bool:
        """Whether a connection to this address is fine. One that stands on the list itself is."""
        if address.is_unspecified or address.is_multicast:
            return False
        return self._private or is_public(address) or _same(host, address)


def is_public(address: Address) -> bool:
    """Whether it is one of the open internet; an IPv4 address inside an IPv6 one counts as what it is."""
    inside = _embedded(address)
    if inside is not None:
        return is_public(inside)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _same(host: str, address: Address) -> bool:
    try:
        return ip_address(host) == address
    except ValueError:
        return False


def _split(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.lower().rpartition(":")
    if not colon or entry.endswith("]"):
        return entry.lower().strip("[]"), None
    return host.strip("[]"), int(port)


def _fits(name: str, port: int, wanted: str, wanted_port: int | None) -> bool:
    if port not in (DEFAULT_PORTS if wanted_port is None else (wanted_port,)):
        return False
    return name.endswith(wanted[1:]) and name != wanted[1:] if wanted.startswith("*.") else name == wanted
