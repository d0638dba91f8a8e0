"""Socket.IO revision 5: packets and their binary attachments. Source: Socket.IO protocol, revision 5.

A packet is text: a digit, for binary ones the number of attachments and `-`, the namespace and `,` unless it is `/`,
the id of an acknowledgement, and JSON. Where bytes stand in the data, the text has a placeholder, and the bytes follow
as messages of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from antiphon.transports.socketio.engine import MESSAGE, BadPacket, Piece, TooLong

CONNECT: Final = 0
DISCONNECT: Final = 1
EVENT: Final = 2
ACK: Final = 3
CONNECT_ERROR: Final = 4
BINARY_EVENT: Final = 5
BINARY_ACK: Final = 6

MAX_ATTACHMENTS: Final = 64
MAX_DEPTH: Final = 64
RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)

_HEAD = re.compile(r"([0-6])(?:(\d{1,3})-)?(?:(/[^,]*),)?(\d{1,16})?", re.ASCII)
_BARE_NAMESPACE = re.compile(r"[01](/[^,{\[]*)$")  # without a comma there is nothing behind it


class SocketPacket(NamedTuple):
    """One packet; `data` is its JSON, None where there is none."""

    kind: int
    namespace: str = "/"
    data: Any = None
    id: int | None = None
    attachments: int = 0  # bytes that are still to come


def decode(text: str) -> SocketPacket:
    """Read the text of a packet. Raises BadPacket."""
    if bare := _BARE_NAMESPACE.match(text):
        return SocketPacket(int(text[0]), bare[1])
    head = _HEAD.match(text)
    if head is None:
        raise BadPacket("a Socket.IO packet begins with a digit from 0 to 6")
    kind, count, namespace, number = int(head[1]), head[2], head[3], head[4]
    packet = SocketPacket(
        kind,
        (namespace or "/").partition("?")[0],
        _data(text[head.end() :]),
        None if number is None else int(number),
        _attachments(kind, count),
    )
    _check(packet)
    return packet


def _attachments(kind: int, count: str | None) -> int:
    if (count is not None) != (kind in (BINARY_EVENT, BINARY_ACK)):
        raise BadPacket("exactly binary packets say how many attachments they have")
    found = int(count or 0)
    if found > MAX_ATTACHMENTS:
        raise BadPacket(f"a packet may have {MAX_ATTACHMENTS} attachments")
    return found


def _data(text: str) -> Any:
    if not text:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadPacket("the data of a packet must be JSON") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(found, MAX_DEPTH):
        raise BadPacket(f"nested deeper than {MAX_DEPTH}")
    return found


def _is_deep(value: Any, depth: int) -> bool:
    if not isinstance(value, list | dict):
        return False
    inner = value if isinstance(value, list) else value.values()
    return depth == 0 or any(_is_deep(item, depth - 1) for item in inner)


def _check(packet: SocketPacket) -> None:
    kind, data = packet.kind, packet.data
    if kind == CONNECT and not isinstance(data, dict | None):
        raise BadPacket("the data of CONNECT must be an object")
    if kind == DISCONNECT and data is not None:
        raise BadPacket("DISCONNECT has no data")
    if kind in (EVENT, BINARY_EVENT) and not (isinstance(data, list) and data and isinstance(data[0], str | int)):
        raise BadPacket("the data of an event must be an array that begins with its name")
    if kind in (ACK, BINARY_ACK) and (not isinstance(data, list) or packet.id is None):
        raise BadPacket("an acknowledgement has an id and an array")
    if kind in (EVENT, BINARY_EVENT) and data[0] in RESERVED:
        raise BadPacket("this name of an event is reserved")


class Assembly:
    """A binary packet whose attachments are on their way.

    Args:
        most_bytes: Of all attachments together.
    """

    def __init__(self, packet: SocketPacket, most_bytes: int) -> None:
        self.size = 0
        self._packet = packet
        self._most_bytes = most_bytes
        self._bytes: list[bytes] = []

    def add(self, data: bytes) -> SocketPacket | None:
        """Take the next attachment; the packet once it is complete. Raises BadPacket, TooLong."""
        self.size += len(data)
        if self.size > self._most_bytes:
            raise TooLong(f"the attachments of a packet may have {self._most_bytes} bytes")
        self._bytes.append(data)
        if len(self._bytes) < self._packet.attachments:
            return None
        return complete(self._packet, self._bytes)


def complete(packet: SocketPacket, attachments: Sequence[bytes]) -> SocketPacket:
    """Put attachments where their placeholders are. Raises BadPacket."""
    kind = {BINARY_EVENT: EVENT, BINARY_ACK: ACK}.get(packet.kind, packet.kind)
    data = _fill(packet.data, attachments) if packet.kind in (BINARY_EVENT, BINARY_ACK) else packet.data
    return packet._replace(kind=kind, data=data, attachments=0)


def _fill(value: Any, attachments: Sequence[bytes]) -> Any:
    if isinstance(value, list):
        return [_fill(item, attachments) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("_placeholder") is True:
        number = value.get("num")
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(attachments):
            raise BadPacket("a placeholder names an attachment that is not there")
        return attachments[number]
    return {key: _fill(item, attachments) for key, item in value.items()}


def encode(packet: SocketPacket) -> list[Piece]:
    """A packet as Engine.IO messages: its text, then its attachments.

    Raises:
        TypeError: Something in the data is neither JSON nor bytes.
    """
    attachments: list[bytes] = []
    data = take_bytes(packet.data, attachments)
    kind = packet.kind
    if attachments:
        kind = BINARY_EVENT if kind == EVENT else BINARY_ACK
    namespace = "" if packet.namespace == "/" else f"{packet.namespace},"
    count = f"{len(attachments)}-" if attachments else ""
    number = "" if packet.id is None else str(packet.id)
    text = "" if data is None else orjson.dumps(data).decode()
    return [f"{MESSAGE}{kind}{count}{namespace}{number}{text}", *attachments]


def take_bytes(value: Any, attachments: list[bytes]) -> Any:
    """The value with placeholders where bytes stood; the bytes are added to the attachments."""
    if isinstance(value, bytes | bytearray | memoryview):
        attachments.append(bytes(value))
        return {"_placeholder": True, "num": len(attachments) - 1}
    if isinstance(value, list | tuple):
        return [take_bytes(item, attachments) for item in value]
    if isinstance(value, dict):
        return {key: take_bytes(item, attachments) for key, item in value.items()}
    return value


def with_argument(text: str, argument: str) -> str:
    """The text of an event's packet with one more argument, JSON already, behind the others."""
    return f"{text[:-1]},{argument}]"


def encode_event(namespace: str, name: str, argument: bytes) -> str:
    """An event with one argument that is JSON already: nothing of it is encoded again."""
    where = "" if namespace == "/" else f"{namespace},"
    return f"{MESSAGE}{EVENT}{where}[{orjson.dumps(name).decode()},{argument.decode()}]"
