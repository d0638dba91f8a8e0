"""What applications emit to rooms: events of volatile channels, one channel for each room."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from antiphon.hub import Gap, Hub
from antiphon.messages import Event, NewEvent
from antiphon.transports.socketio.codec import Speaker
from antiphon.transports.socketio.engine import Piece
from antiphon.transports.socketio.namespace import Namespace
from antiphon.transports.socketio.packets import BINARY_EVENT, EVENT, SocketPacket, complete, encode, take_bytes

FAMILY: Final = "socketio:"


def open_rooms(hub: Hub, namespaces: Mapping[str, Namespace]) -> RoomSpeaker:
    """Let namespaces emit over the hub; the speaker says what they emit."""
    for namespace in namespaces.values():
        namespace.bind(_Publisher(hub, namespace.name))
    return RoomSpeaker()


class _Publisher:
    """Makes what is emitted into an event: its type is the event's name."""

    def __init__(self, hub: Hub, namespace: str) -> None:
        self._hub = hub
        self._namespace = namespace

    async def __call__(self, channel: str, event: str, args: Sequence[Any]) -> None:
        attachments: list[bytes] = []
        data = {"namespace": self._namespace, "args": take_bytes(args, attachments)}
        if attachments:
            data["attachments"] = [b64encode(part).decode("ascii") for part in attachments]
        await self._hub.publish(NewEvent(channel, event, orjson.dumps(data)))


class RoomSpeaker:
    """Says what was emitted to rooms."""

    def event(self, event: Event) -> Sequence[Piece]:
        data = orjson.loads(event.payload)
        packet = SocketPacket(EVENT, data["namespace"], [event.type, *data["args"]])
        if attachments := data.get("attachments"):
            binary = packet._replace(kind=BINARY_EVENT)
            packet = complete(binary, [b64decode(part) for part in attachments])
        return encode(packet)

    def gap(self, gap: Gap) -> None:
        """Only a new beginning tells the client that it missed something."""


class Speakers:
    """One speaker for all channels: each family of channels has its own.

    Args:
        families: By prefix of the channel's name; the longest that fits speaks. Where none does, nothing is said.
    """

    def __init__(self, families: Mapping[str, Speaker]) -> None:
        self._families = sorted(families.items(), key=lambda pair: len(pair[0]), reverse=True)
        self._known: dict[str, Speaker | None] = {}

    def event(self, event: Event) -> Sequence[Piece]:
        speaker = self._of(event.channel)
        return () if speaker is None else speaker.event(event)

    def gap(self, gap: Gap) -> Sequence[Piece] | None:
        speaker = self._of(gap.channel)
        return () if speaker is None else speaker.gap(gap)

    def _of(self, channel: str) -> Speaker | None:
        if channel not in self._known:
            if len(self._known) > 10_000:  # rooms come and go
                self._known.clear()
            found = (speaker for prefix, speaker in self._families if channel.startswith(prefix))
            self._known[channel] = next(found, None)
        return self._known[channel]
