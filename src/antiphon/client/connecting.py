"""`antiphon.connect`: one door, two faces."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from antiphon.client.address import Address, find_address

if TYPE_CHECKING:
    from antiphon.client.blocking import Live
    from antiphon.client.live import AsyncLive
    from antiphon.client.session import OnStatus


class connect:  # noqa: N801  # reads as the function that it is for its users
    """Connect to an Antiphon server: `async with antiphon.connect() as live`, or plainly `with`, with the same names.

    The connection comes back by itself, with full-jitter back-off, and every subscription goes on where it was.
    Args:
        url: http(s)://HOST[:PORT][/PREFIX]; None = ANTIPHON_URL, else http://127.0.0.1:8003.
        token: For a server with authentication; None = ANTIPHON_TOKEN, else none.
        first_connection_s: Seconds to keep trying for the first connection; 0 = one attempt, None = for ever.
            Once there has been a connection, trying never ends; each request has its own deadline.
        on_status: Called whenever the connection changes, on the client's event loop; must return quickly.
    Raises:
        InputError: The URL is no address of a server (here).
        ConnectionFailed: No server answers (on entering).
        Unauthenticated, OriginRefused, ...: The server said no (on entering).
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        first_connection_s: float | None = 5.0,
        on_status: OnStatus | None = None,
    ) -> None:
        self._address: Address = find_address(url, token)
        self._first_connection_s = first_connection_s
        self._on_status = on_status
        self._live: AsyncLive | None = None
        self._blocking: Live | None = None

    def _new(self) -> AsyncLive:
        from antiphon.client.live import AsyncLive  # `import antiphon` stays quick

        return AsyncLive(self._address, first_connection_s=self._first_connection_s, on_status=self._on_status)

    async def __aenter__(self) -> AsyncLive:
        live = self._new()
        await live.__aenter__()
        self._live = live
        return live

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        live, self._live = self._live, None
        if live is not None:
            await live.close()

    def __enter__(self) -> Live:
        from antiphon.client.blocking import Live

        self._blocking = Live(self._new)
        return self._blocking

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        blocking, self._blocking = self._blocking, None
        if blocking is not None:
            blocking.close()
