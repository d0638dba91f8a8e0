"""python-socketio with rooms."""

from __future__ import annotations

import json
from typing import Any

import socketio

server = socketio.AsyncServer(async_mode="asgi")


@server.on("subscribe")
async def subscribe(sid: str, channel: str) -> None:
    await server.enter_room(sid, channel)
    await server.emit("subscribed", channel, to=sid)


async def publisher(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """`POST /publish/CHANNEL`"""
    if scope["type"] != "http":
        return
    body, is_more = b"", True
    while is_more:
        message = await receive()
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
    await server.emit("event", json.loads(body), room=scope["path"].removeprefix("/publish/"))
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


app = socketio.ASGIApp(server, other_asgi_app=publisher)
