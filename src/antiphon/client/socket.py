"""Open a WebSocket and say why it ended, in our own errors."""

from __future__ import annotations

import asyncio
import platform
import ssl

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidProxy, InvalidStatus, InvalidURI

import antiphon
from antiphon.client.address import Address
from antiphon.client.faults import error_of_http
from antiphon.client.wire import PROTOCOL, ProtocolFault, Welcome, decode
from antiphon.errors import AntiphonError, ConnectionFailed, ConnectionLost

HANDSHAKE_S = 10.0
CLOSE_S = 2.0
MAX_REPLY_BYTES = 2**28  # a page of history may hold many events; more than this is no answer of ours

_USER_AGENT = f"antiphon-python/{antiphon.__version__} Python/{platform.python_version()}"


async def open_socket(address: Address, *, within_s: float = HANDSHAKE_S) -> tuple[ClientConnection, Welcome]:
    """Connect and wait for the server's welcome, `within_s` seconds for each of the two.

    Raises:
        ConnectionFailed: Nobody answers, or not as a server of this protocol.
        AntiphonError: The server refused the connection and said why.
    """
    socket = await _connect(address, within_s)
    try:
        return socket, await _welcome(socket, address, within_s)
    except BaseException:
        await socket.close()
        raise


async def _connect(address: Address, within_s: float) -> ClientConnection:
    try:
        return await connect(
            address.live_url,
            additional_headers=address.headers,
            user_agent_header=_USER_AGENT,
            compression=None,
            proxy=None if address.is_loopback else True,
            open_timeout=within_s,
            close_timeout=CLOSE_S,
            max_size=MAX_REPLY_BYTES,
        )
    except InvalidStatus as exc:
        raise error_of_http(exc.response.status_code, bytes(exc.response.body), address.url) from exc
    except (InvalidHandshake, InvalidProxy, InvalidURI, ssl.SSLError) as exc:
        raise ConnectionFailed(f"cannot connect to {address.url}: {exc}") from exc
    except OSError as exc:  # includes TimeoutError
        raise ConnectionFailed(f"no server at {address.url}: {_in_words(exc)}") from exc


def _in_words(exc: OSError) -> str:
    if isinstance(exc, ConnectionRefusedError) or "Connect call failed" in str(exc):
        return "connection refused"
    return exc.strerror or str(exc)


async def _welcome(socket: ClientConnection, address: Address, within_s: float) -> Welcome:
    try:
        async with asyncio.timeout(within_s):
            welcome = decode(await socket.recv(decode=False))
    except ConnectionClosed as exc:
        raise ConnectionFailed(f"{address.url} closed the connection at once: {closed_because(socket)}") from exc
    except TimeoutError as exc:
        raise ConnectionFailed(f"{address.url} took the connection but sent no welcome") from exc
    except ProtocolFault as exc:
        raise ConnectionFailed(f"{address.url} is no Antiphon server: {exc}") from exc
    if not isinstance(welcome, Welcome):
        raise ConnectionFailed(f"{address.url} is no Antiphon server: no welcome came first")
    if welcome.protocol != PROTOCOL:
        raise ConnectionFailed(f"{address.url} speaks protocol {welcome.protocol}, this client {PROTOCOL}")
    return welcome


def closed_because(socket: ClientConnection) -> str:
    """Why a closed socket was closed, in words."""
    code, reason = socket.close_code, socket.close_reason
    if code is None or code == 1006:  # 1006 is never sent: it means that no close frame came
        return "the connection broke"
    return f"closed with {code}{f' ({reason})' if reason else ''}"


def is_final(problem: AntiphonError) -> bool:
    """Whether trying again cannot help: the server itself said no."""
    return not isinstance(problem, ConnectionFailed | ConnectionLost) and not problem.retryable
