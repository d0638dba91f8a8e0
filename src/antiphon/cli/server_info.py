"""Ask a server about itself over HTTP, with the standard library."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from antiphon.client.address import Address
from antiphon.errors import ConnectionFailed

ANSWER_S = 3.0


def ask_server(address: Address) -> dict[str, Any]:
    """What GET /api/server answers.

    Raises:
        ConnectionFailed: Nobody answers, or not as an Antiphon server.
        AntiphonError: It refused, e.g. Unauthenticated.
    """
    request = urllib.request.Request(f"{address.url}/api/server", headers=address.headers)  # noqa: S310  # http(s) only
    # A proxy is for the world outside; asking it for this machine's loopback would reach another machine's.
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if address.is_loopback else []))
    try:
        with opener.open(request, timeout=ANSWER_S) as answer:
            info = json.load(answer)
    except urllib.error.HTTPError as exc:
        from antiphon.client.faults import error_of_http  # only where it is needed: it loads pydantic

        with exc:
            raise error_of_http(exc.code, exc.read(), address.url) from exc
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "reason", exc)
        raise ConnectionFailed(f"no server at {address.url}: {getattr(reason, 'strerror', None) or reason}") from exc
    if not isinstance(info, dict) or "protocol" not in info:
        raise ConnectionFailed(f"{address.url} is no Antiphon server")
    return info
