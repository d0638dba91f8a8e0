"""Ask a server about itself."""

from __future__ import annotations

from typing import Any

from antiphon.cli.http import call
from antiphon.client.address import Address
from antiphon.errors import ConnectionFailed


def ask_server(address: Address) -> dict[str, Any]:
    """What GET /api/server answers.

    Raises:
        ConnectionFailed: Nobody answers, or not as an Antiphon server.
        AntiphonError: It refused, e.g. Unauthenticated.
    """
    info = call(address, "/api/server")
    if not isinstance(info, dict) or "protocol" not in info:
        raise ConnectionFailed(f"{address.url} is no Antiphon server")
    return info
