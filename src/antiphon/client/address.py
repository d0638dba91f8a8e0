"""Where the server is and how one shows who one is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from antiphon.errors import InputError

DEFAULT_URL = "http://127.0.0.1:8003"

_to_socket = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_to_http = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


@dataclass(frozen=True, slots=True)
class Address:
    """One server. `token` None: no authentication; it is left out of `repr`."""

    url: str  # http(s)://HOST[:PORT][/PREFIX], without a slash at the end
    live_url: str
    is_loopback: bool
    token: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that every request to this server needs."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


def find_address(url: str | None, token: str | None) -> Address:
    """The given URL, else ANTIPHON_URL, else http://127.0.0.1:8003; a token likewise from ANTIPHON_TOKEN.

    A prefix in the path is kept (`https://example.org/antiphon`, where an application mounts Antiphon).
    Raises:
        InputError: The URL is none of http, https, ws and wss.
    """
    text = url or os.environ.get("ANTIPHON_URL") or DEFAULT_URL
    parts = _split(text)
    where = f"{parts.netloc}{parts.path.rstrip('/')}"
    return Address(
        url=f"{_to_http[parts.scheme]}://{where}",
        live_url=f"{_to_socket[parts.scheme]}://{where}/live",
        is_loopback=_is_loopback(parts.hostname or ""),
        token=token or os.environ.get("ANTIPHON_TOKEN") or None,
    )


def _split(text: str) -> SplitResult:
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        usable = parts.scheme in _to_http and parts.hostname and not parts.query and not parts.fragment
        _ = parts.port  # reading it checks it
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"{text!r} is no address of a server: http(s)://HOST[:PORT][/PREFIX]")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
