"""One `/live` connection: reads requests in order, answers them, and hands subscriptions to the hub.

Publishes are submitted in the order in which they arrive and answered after their commit. Commands that may take long
run beside; while too many do, nothing more is read.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import structlog

from antiphon import __version__
from antiphon.errors import AntiphonError, InternalError, InvalidRequest, UnknownMethod
from antiphon.hub import Encoded, Outlet
from antiphon.messages import Cursor, encode_time, now_ms
from antiphon.server import publishing
from antiphon.server.access import User, require
from antiphon.server.core import Core
from antiphon.server.live import encode, params, rpc
from antiphon.server.live.commands import COMMANDS, Command
from antiphon.transports.queue import QueueSink
from antiphon.transports.websocket import POLICY, Refusal

MAX_COMMANDS = 64  # of one connection at a time
MAX_FAULTS = 1000  # messages in a row that are no requests, before the peer counts as abusive

log = structlog.get_logger(__name__)


class LiveSession:
    """The server's side of one socket."""

    def __init__(self, core: Core, user: User, outlet: Outlet, sink: QueueSink) -> None:
        self._core = core
        self._user = user
        self._outlet = outlet
        self._sink = sink
        self.connection_id = ""
        self._commands = asyncio.TaskGroup()
        self._slots = asyncio.Semaphore(MAX_COMMANDS)
        self._running = asyncio.Event()
        self._faults = 0

    def opened(self) -> None:
        limits = self._core.settings.limits
        self._notify(
            "welcome",
            {
                "protocol": 1,
                "server": f"antiphon/{__version__}",
                "epoch": self._core.hub.epoch,
                "connection_id": self.connection_id,
                "user": self._user.name,
                "features": self._core.features,
                "limits": {
                    "message_bytes": limits.message_bytes,
                    "nesting": limits.nesting,
                    "subscriptions": limits.subscriptions,
                    "queued_bytes": limits.queued_bytes,
                },
            },
        )

    async def run(self) -> None:
        """Own the commands that run beside; cancelling ends them."""
        async with self._commands:
            self._running.set()
            await asyncio.Event().wait()

    async def received(self, text: str | None) -> None:
        await self._take(text)
        if self._faults > MAX_FAULTS:
            raise Refusal(POLICY, "abusive")

    async def _take(self, text: str | None) -> None:
        try:
            if text is None:
                raise InvalidRequest("binary messages are not part of this protocol")
            request = rpc.decode_request(text, nesting=self._core.settings.limits.nesting)
        except AntiphonError as exc:
            self._faults += 1
            self._refuse(None, exc)
            return
        self._faults = 0
        await self._handle(request)

    async def _handle(self, request: rpc.Request) -> None:
        try:
            values = rpc.check_params(request.params)
            match request.method:
                case "publish":
                    await self._publish(request, params.check(params.PublishParams, values, at="/params"))
                case "subscribe":
                    await self._subscribe(request, params.check(params.SubscribeParams, values, at="/params"))
                case "unsubscribe":
                    self._outlet.unsubscribe(params.check(params.ChannelParams, values, at="/params").channel)
                    self._reply(request, {})
                case "ping":
                    params.check(params.NoParams, values, at="/params")
                    self._reply(request, {"time": encode_time(now_ms())})
                case name:
                    await self._command(request, name, values)
        except AntiphonError as exc:
            self._fail(request, exc)

    async def _publish(self, request: rpc.Request, wanted: params.PublishParams) -> None:
        event = publishing.new_event(self._core, self._user, wanted.channel, wanted)
        await self._core.hub.room()
        self._core.hub.submit(event).add_done_callback(partial(self._published, request))

    def _published(self, request: rpc.Request, answer: asyncio.Future[list[Cursor]]) -> None:
        error = answer.exception()
        if error is None:
            self._reply(request, encode.cursor_object(answer.result()[0]))
        else:
            self._fail(request, publishing.located(error, at="/params"))

    async def _subscribe(self, request: rpc.Request, wanted: params.SubscribeParams) -> None:
        require(self._user, "read", wanted.channel)
        subscription, reply = await self._core.hub.subscribe(self._outlet, wanted.channel, wanted.after)
        self._reply(request, encode.subscribed_object(reply))
        self._core.hub.begin(subscription)

    async def _command(self, request: rpc.Request, name: str, values: dict[str, Any]) -> None:
        command = COMMANDS.get(name)
        if command is None:
            raise UnknownMethod(f"there is no method {name[:80]!r}", pointer="/method")
        wanted = params.check(command.params, values, at="/params")
        await self._running.wait()
        await self._slots.acquire()
        self._commands.create_task(self._perform(request, command, wanted), name=name)

    async def _perform(self, request: rpc.Request, command: Command, wanted: Any) -> None:
        try:
            self._reply(request, await command.run(self._core, self._user, wanted))
        except AntiphonError as exc:
            self._fail(request, exc)
        except Exception:
            log.exception("a command failed", method=request.method)
            self._fail(request, InternalError("a fault of the server; it was logged"))
        finally:
            self._slots.release()

    def goodbye(self, reason: str, reconnect_after_s: float) -> None:
        """Tell the client to come back later; what is queued is still sent."""
        self._notify("goodbye", {"reason": reason, "reconnect_after_s": reconnect_after_s})
        self._sink.end()

    def _reply(self, request: rpc.Request, result: Any) -> None:
        if request.has_id:
            self._say(rpc.encode_result(request.id, result))

    def _fail(self, request: rpc.Request, error: AntiphonError) -> None:
        if request.has_id:
            self._refuse(request.id, error)
        else:
            self._notify("problem", rpc.error_object(error))

    def _refuse(self, number: str | float | None, error: AntiphonError) -> None:
        self._say(rpc.encode_error(number, error))

    def _notify(self, method: str, values: Any) -> None:
        self._say(rpc.encode_notification(method, values))

    def _say(self, text: str) -> None:
        """Send something behind what was gathered: after an unsubscribe's reply no event of it may follow."""
        self._outlet.send(Encoded((text,), len(text)))
