"""What the other Socket.IO servers' programs do, as a namespace of `antiphon serve`."""

from __future__ import annotations

from typing import Any

from antiphon import Namespace

rooms = Namespace("/")


@rooms.on("subscribe")
async def subscribe(peer: Any, room: str) -> None:
    await peer.join(room)
    peer.emit("subscribed", room)


@rooms.on("publish")
async def publish(_: Any, room: str, event: Any) -> str:
    await rooms.emit("event", event, room=room)
    return "ok"
