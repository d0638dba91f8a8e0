"""The sending half of a lean socket: what goes at once, what is held for the end of the loop's step."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence


class Outflow(asyncio.Protocol):
    """Hands frames to a transport, and past it while nothing waits in it.

    A write past the transport is a tenth cheaper, and whoever writes to many sees how long it takes; the transport
    would put it off until the loop's step ends.
    """

    __slots__ = ("_accepted_bytes", "_descriptor", "_held", "_held_bytes", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport: asyncio.Transport | None = transport
        self._accepted_bytes = 0
        self._held: list[bytes] | None = None  # what goes with the next write; None = nothing
        self._held_bytes = 0
        is_plain = transport.get_extra_info("sslcontext") is None
        self._descriptor = transport.get_extra_info("socket").fileno() if is_plain else -1

    @property
    def queued_bytes(self) -> int:
        transport = self._transport
        if transport is None:
            return 0
        return self._held_bytes + transport.get_write_buffer_size()

    @property
    def sent_bytes(self) -> int:
        return self._accepted_bytes - self.queued_bytes

    def _send(self, parts: Sequence[bytes]) -> None:
        if self._transport is None:
            return
        if len(parts) == 1 and self._held is None:  # what nearly every flush is, to nearly every connection
            self._accepted_bytes += len(parts[0])
            self._write(self._transport, parts[0])
            return
        self._accepted_bytes += sum(map(len, parts))
        if self._held is not None:
            parts, self._held, self._held_bytes = [*self._held, *parts], None, 0
        self._transport.writelines(parts)

    def _send_soon(self, parts: Sequence[bytes]) -> None:
        size = sum(map(len, parts))
        self._accepted_bytes += size
        self._held_bytes += size
        if self._held is None:
            self._held = list(parts)
            asyncio.get_running_loop().call_soon(self._release)
        else:
            self._held += parts

    def _release(self) -> None:
        if self._held is not None:
            self._send(())

    def _write(self, transport: asyncio.Transport, data: bytes) -> None:
        """Once a transport is closing, its descriptor may be somebody else's already."""
        if self._descriptor < 0 or transport.get_write_buffer_size() or transport.is_closing():
            transport.write(data)
            return
        try:
            taken = os.write(self._descriptor, data)
        except OSError:  # full, or broken: the transport finds out by itself
            taken = 0
        if taken < len(data):
            transport.write(data[taken:])
