"""One `/live` connection: reads requests in order, answers them, and hands subscriptions to the hub.

Publishes are submitted in the order in which they arrive and answered after their commit. Commands that may take long
run beside; while too many do, nothing more is read. What has to wait is returned as an awaitable, so that a connection
that does not wait needs no task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import structlog

from antiphon import __version__
from antiphon.errors import AntiphonError, InternalError, InvalidRequest, UnknownMethod
from antiphon.hub import Answer, Outlet
from antiphon.messages import Cursor, NewEvent, encode_time, now_ms
from antiphon.server import publishing
from antiphon.server.access import User, require
from antiphon.server.connections import Connection, Peer
from antiphon.server.core import Core
from antiphon.server.live import encode, params, rpc, run_commands
from antiphon.server.live.codec import LiveCodec
from antiphon.server.live.commands import COMMANDS, Command
from antiphon.server.live.run_params import RunEmitParams
from antiphon.transports.base import POLICY, Ending, Refusal, Socket

MAX_COMMANDS = 64  # of one connection at a time
MAX_FAULTS = 1000  # messages in a row that are no requests, before the peer counts as abusive

log = structlog.get_logger(__name__)


class LiveSession:
    """The server's side of one socket; from the beginning in the table of connections.

    Args:
        codec: Makes messages into what the socket takes.
    """

    __slots__ = ("_codec", "_commands", "_connection", "_core", "_faults", "_outlet", "_socket", "_user")

    def __init__(self, core: Core, peer: Peer, socket: Socket, codec: LiveCodec) -> None:
        limits = core.settings.limits
        self._core = core
        self._user: User = peer.user
        self._socket = socket
        self._codec = codec
        self._outlet = Outlet(codec, socket, bound_bytes=limits.queued_bytes, max_subscriptions=limits.subscriptions)
        self._connection = Connection(peer, self._outlet, socket, self.goodbye)
        self._commands: set[asyncio.Task[None]] | None = None  # None = there was none yet
        self._faults = 0
        core.connections.add(self._connection)

    # what the transport tells

    def opened(self) -> None:
        limits = self._core.settings.limits
        self._notify(
            "welcome",
            {
                "protocol": 1,
                "server": f"antiphon/{__version__}",
                "epoch": self._core.hub.epoch,
                "connection_id": self._connection.id,
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

    def received(self, message: str | bytes) -> Awaitable[None] | None:
        try:
            if isinstance(message, bytes):
                raise InvalidRequest("binary messages are not part of this protocol")
            request = rpc.decode_request(message, nesting=self._core.settings.limits.nesting)
        except AntiphonError as exc:
            self._refuse(None, exc)
            self._faults += 1
            if self._faults > MAX_FAULTS:
                raise Refusal(POLICY, "abusive") from None
            return None
        self._faults = 0
        return self._handle(request)

    def drained(self) -> None:
        self._core.hub.drained(self._outlet)

    def ended(self, ending: Ending) -> None:
        self._core.connections.remove(self._connection, ending)
        for task in self._commands or ():
            task.cancel()

    # requests

    def _handle(self, request: rpc.Request) -> Awaitable[None] | None:
        try:
            values = rpc.check_params(request.params)
            match request.method:
                case "publish":
                    return self._publish(request, params.check(params.PublishParams, values, at="/params"))
                case "run.emit":
                    return self._emit(request, params.check(RunEmitParams, values, at="/params"))
                case "subscribe":
                    return self._subscribe(request, params.check(params.SubscribeParams, values, at="/params"))
                case "unsubscribe":
                    self._outlet.unsubscribe(params.check(params.ChannelParams, values, at="/params").channel)
                    self._reply(request, {})
                case "ping":
                    params.check(params.NoParams, values, at="/params")
                    self._reply(request, {"time": encode_time(now_ms())})
                case name:
                    return self._command(request, name, values)
        except AntiphonError as exc:
            self._fail(request, exc)
        return None

    def _publish(self, request: rpc.Request, wanted: params.PublishParams) -> Awaitable[None] | None:
        event = publishing.new_event(self._core, self._user, wanted.channel, wanted)
        if not self._core.hub.has_room:
            return self._later(request, partial(self._submit, request, event))
        self._submit(request, event)
        return None

    def _emit(self, request: rpc.Request, wanted: RunEmitParams) -> Awaitable[None] | None:
        say = partial(run_commands.emit, self._core, self._user, wanted, partial(self._emitted, request))
        if not self._core.hub.has_room:
            return self._later(request, say)
        say()
        return None

    async def _later(self, request: rpc.Request, submit: Callable[[], None]) -> None:
        """Submit as soon as the hub has room; nothing more is read before."""
        await self._core.hub.room()
        try:
            submit()
        except AntiphonError as exc:
            self._fail(request, exc)

    def _submit(self, request: rpc.Request, event: NewEvent) -> None:
        self._core.hub.post(event, partial(self._published, request))

    def _emitted(self, request: rpc.Request, answer: Answer | AntiphonError) -> None:
        if isinstance(answer, AntiphonError):
            self._fail(request, answer)
        else:
            self._accepted(request, cast("Cursor", answer[-1]))

    def _published(self, request: rpc.Request, answer: Answer | AntiphonError) -> None:
        if isinstance(answer, AntiphonError):
            self._fail(request, publishing.located(answer, at="/params"))
        else:
            self._accepted(request, cast("Cursor", answer[0]))  # of one event

    def _accepted(self, request: rpc.Request, cursor: Cursor) -> None:
        if request.has_id:
            self._say(rpc.encode_cursor(request.id, cursor))

    async def _subscribe(self, request: rpc.Request, wanted: params.SubscribeParams) -> None:
        try:
            require(self._user, "read", wanted.channel)
            subscription, reply = await self._core.hub.subscribe(self._outlet, wanted.channel, wanted.after)
        except AntiphonError as exc:
            self._fail(request, exc)
            return
        self._reply(request, encode.subscribed_object(reply))
        self._core.hub.begin(subscription)

    # commands

    def _command(self, request: rpc.Request, name: str, values: dict[str, Any]) -> Awaitable[None] | None:
        command = COMMANDS.get(name)
        if command is None:
            raise UnknownMethod(f"there is no method {name[:80]!r}", pointer="/method")
        wanted = params.check(command.params, values, at="/params")
        if self._commands is None:
            self._commands = set()
        if len(self._commands) >= MAX_COMMANDS:
            return self._start_later(self._commands, request, command, wanted)
        self._start(self._commands, request, command, wanted)
        return None

    async def _start_later(
        self, commands: set[asyncio.Task[None]], request: rpc.Request, command: Command, wanted: Any
    ) -> None:
        while len(commands) >= MAX_COMMANDS:
            await asyncio.wait(commands, return_when=asyncio.FIRST_COMPLETED)
        self._start(commands, request, command, wanted)

    def _start(self, commands: set[asyncio.Task[None]], request: rpc.Request, command: Command, wanted: Any) -> None:
        if self._outlet.closed:
            return  # while it waited, the connection ended
        task = self._core.crew.start(self._perform(request, command, wanted), name=request.method)
        commands.add(task)
        task.add_done_callback(commands.discard)

    async def _perform(self, request: rpc.Request, command: Command, wanted: Any) -> None:
        try:
            self._reply(request, await command.perform(self._core, self._user, wanted, self._connection.id))
        except AntiphonError as exc:
            self._fail(request, exc)
        except Exception:
            log.exception("a command failed", method=request.method)
            self._fail(request, InternalError("a fault of the server; it was logged"))

    # what is sent

    def goodbye(self, reason: str, reconnect_after_s: float) -> None:
        """Tell the client to come back later; what is queued is still sent."""
        self._notify("goodbye", {"reason": reason, "reconnect_after_s": reconnect_after_s})
        self._socket.end()

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

    def _say(self, message: bytes) -> None:
        """Send something behind what was gathered: after an unsubscribe's reply no event of it may follow."""
        self._outlet.release()
        self._socket.send_soon(self._codec.message(message))
