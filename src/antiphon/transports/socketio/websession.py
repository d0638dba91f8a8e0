"""A WebSocket in the life of a session: it carries it from the beginning, or is tried out and takes it over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from antiphon.transports.base import Ending, Socket
from antiphon.transports.socketio.endings import close_code
from antiphon.transports.socketio.engine import PING, PONG, UPGRADE, BadPacket, Packet, decode_packet
from antiphon.transports.socketio.session import EngineSession, Frame


class WebSession:
    """What is spoken over one WebSocket.

    Args:
        begin: Opens the session; None = the socket is to take it over from polling.
    """

    __slots__ = ("_begin", "_frame", "_session", "_socket")

    def __init__(
        self, session: EngineSession, socket: Socket, frame: Frame, begin: Callable[[], None] | None = None
    ) -> None:
        self._session = session
        self._socket = socket
        self._frame = frame
        self._begin = begin

    def opened(self) -> None:
        if self._begin is not None:
            self._begin()

    def received(self, message: str | bytes) -> Awaitable[None] | None:
        try:
            packet = decode_packet(message)
            if self._is_carrying:
                return self._session.received(packet)
            self._try_out(packet)
        except BadPacket as bad:
            self._break_off(bad.reason)
        return None

    @property
    def _is_carrying(self) -> bool:
        return self._session.is_carried_by(self._socket)

    def _try_out(self, packet: Packet) -> None:
        session = self._session
        if packet == (PING, "probe") and session.is_open:
            session.is_probing = True
            self._socket.send([self._frame(PONG + "probe")])
            session.mailbox.release()
        elif packet.kind == UPGRADE and session.is_probing and session.is_open:
            session.carry(self._socket, self._frame)
        else:
            raise BadPacket("a socket that is tried out says `2probe` and `5`")

    def _break_off(self, reason: str) -> None:
        if self._is_carrying:
            self._session.close(reason)
        else:
            self._session.forget(self._socket)
            self._socket.end(close_code(reason), reason)

    def drained(self) -> None:
        if self._is_carrying:
            self._session.drained()

    def ended(self, ending: Ending) -> None:
        if self._is_carrying:
            self._session.close(ending.reason)
        else:
            self._session.forget(self._socket)
