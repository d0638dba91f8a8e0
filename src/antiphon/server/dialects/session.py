"""One socket of a dialect: its talk, the runs that it follows, and its row in the table of connections.

There is no task per connection: what arrives is taken in the transport's callback, what runs say comes with the hub's
flush. Only what has to wait for something (a run to be stored, a tool) is a task for as long as that takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from antiphon.dialects.base import Caller, Line, Row, Talk, Translator
from antiphon.errors import Busy
from antiphon.hub import Outlet, Start
from antiphon.server.access import User, require
from antiphon.server.caller import UserCaller
from antiphon.server.connections import Connection, Peer
from antiphon.server.core import Core
from antiphon.server.dialects.codec import RunsCodec
from antiphon.server.live.codec import LiveCodec
from antiphon.services.runs import run_channel
from antiphon.transports.base import Ending, Socket

LET_GO_S = 0.005  # between two looks whether the last batch of a run was written

Begin = Callable[[Line, Caller], Talk]


class DialectSession:
    """The server's side of a dialect's socket.

    Args:
        begin: Makes the talk.
        framing: Makes messages into what the socket takes.
        gone: Told once when it has ended.
    """

    __slots__ = ("_codec", "_connection", "_core", "_gone", "_outlet", "_socket", "_talk", "_tasks", "_user")

    def __init__(
        self, core: Core, peer: Peer, socket: Socket, framing: LiveCodec, begin: Begin, gone: Callable[[], None]
    ) -> None:
        limits = core.settings.limits
        self._core = core
        self._user: User = peer.user
        self._socket = socket
        self._gone = gone
        self._codec = RunsCodec(framing, self._row_of, self._over)
        self._outlet = Outlet(
            self._codec, socket, bound_bytes=limits.queued_bytes, max_subscriptions=limits.subscriptions
        )
        self._connection = Connection(peer, self._outlet, socket, self._goodbye)
        self._tasks: set[asyncio.Task[Any]] | None = None  # None = there was none yet
        core.connections.add(self._connection)
        self._talk = begin(self, UserCaller(core, peer.user, self._connection.id))

    # what the transport tells

    def opened(self) -> None:
        self._talk.opened()

    def received(self, message: str | bytes) -> Awaitable[None] | None:
        self._talk.received(message)
        return None if self._core.hub.has_room else self._core.hub.room()

    def drained(self) -> None:
        self._core.hub.drained(self._outlet)

    def ended(self, ending: Ending) -> None:
        self._core.connections.remove(self._connection, ending)
        for task in self._tasks or ():
            task.cancel()
        self._gone()
        self._talk.ended()

    # what the talk asks

    @property
    def id(self) -> str:
        return self._connection.id

    @property
    def is_open(self) -> bool:
        return not self._outlet.closed

    @property
    def sent(self) -> int:
        """Messages that were sent, or wait to be."""
        return self._codec.sent

    def say(self, message: bytes) -> None:
        self._outlet.release()  # what was gathered comes before it
        self._socket.send_soon(self._codec.message(message))

    async def follow(self, run_id: str, translator: Translator) -> None:
        channel = run_channel(run_id)
        require(self._user, "read", channel)
        self._codec.add(channel, translator)
        subscription, reply = await self._core.hub.subscribe(self._outlet, channel, Start.START)
        for message in translator.begin(self._row_of(channel), reply.summary, reply.after):
            self.say(message)
        self._core.hub.begin(subscription)

    def start(self, work: Coroutine[Any, Any, None], *, name: str, outlives: bool = False) -> asyncio.Task[None]:
        if self._outlet.closed:
            work.close()
            raise Busy("the connection has ended")
        task = self._core.crew.start(work, name=name)
        if not outlives:
            self._tasks = set() if self._tasks is None else self._tasks
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return task

    def close(self, code: int, reason: str) -> None:
        self._socket.end(code, reason)

    # runs that have ended

    def _row_of(self, channel: str) -> Row:
        return self._core.runs.rows.get(channel.partition(":")[2], {})

    def _over(self, channel: str) -> None:
        asyncio.get_running_loop().call_soon(self._let_go, channel)

    def _let_go(self, channel: str) -> None:
        """Unsubscribe once the last batch was written: what is for closed subscriptions would be left out."""
        subscription = self._outlet.subscriptions.get(channel)
        if subscription is None:
            return
        if subscription.channel.delivering:
            asyncio.get_running_loop().call_later(LET_GO_S, self._let_go, channel)
        elif subscription.cursor >= subscription.channel.flushed:  # else it did not fit, and is asked for again
            self._outlet.unsubscribe(channel)
            self._codec.drop(channel)

    def _goodbye(self, reason: str, reconnect_after_s: float) -> None:  # noqa: ARG002 - dialects have no word for it
        self._socket.end()
