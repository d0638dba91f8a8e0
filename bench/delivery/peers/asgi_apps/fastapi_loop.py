"""The connection manager of many tutorials: sets of sockets and a loop. A client's message names a channel."""

from __future__ import annotations

from collections import defaultdict

from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect

app = FastAPI()
channels: defaultdict[str, set[WebSocket]] = defaultdict(set)


@app.post("/publish/{channel}")
async def publish(channel: str, request: Request) -> Response:
    text = (await request.body()).decode()
    for socket in list(channels[channel]):
        await socket.send_text(text)
    return Response(status_code=204)


@app.websocket("/ws")
async def connected(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            channels[await socket.receive_text()].add(socket)
            await socket.send_text("subscribed")
    except WebSocketDisconnect:
        for sockets in channels.values():
            sockets.discard(socket)
