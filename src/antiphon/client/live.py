"""The asynchronous client: what a program calls."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from antiphon.client import answers
from antiphon.client.address import Address
from antiphon.client.agents.asking import Agents, Threads, Tools
from antiphon.client.feed import MAX_BYTES, MAX_ITEMS, After, Feed
from antiphon.client.forum.asking import Forum
from antiphon.client.items import ChannelInfo, Connections, History, Process, SearchSlice, State, Status
from antiphon.client.run.face import OnCancel, OnDisconnect, RunBlock, new_run
from antiphon.client.run.operating import Operating
from antiphon.client.run.remote import LEASE_S, RemotePort
from antiphon.client.session import OnStatus, Session
from antiphon.client.subscription import Subscription
from antiphon.errors import InputError
from antiphon.messages import Cursor, check_channel

REQUEST_S = 30.0
PROCESS_S = 90.0  # stopping a tree may take its grace

# Asking twice does no harm: reads, what is protected by a key, and what succeeds where nothing is to be done.
_repeatable = frozenset(
    {
        "agent.list",
        "channel.list",
        "connection.list",
        "forum.get",
        "forum.mute",
        "forum.replay",
        "forum.set_threshold",
        "forum.stop_host",
        "history",
        "ping",
        "process.start",
        "process.stop",
        "question.get",
        "question.list",
        "run.cancel",
        "run.get",
        "run.list",
        "run.renew",
        "run.result",
        "search",
        "state",
        "thread.get",
        "thread.list",
        "thread.rename",
        "tool.list",
    }
)


class AsyncLive(Operating):
    """A connection to an Antiphon server that comes back by itself. Made by `antiphon.connect`.

    Requests wait for a connection and for their answer, `timeout_s` seconds in all (None: for ever). Where repeating
    does no harm they are sent again after a reconnect; `process.restart` and `process.write` then raise ConnectionLost.
    All requests raise, beside what they name: ConnectionLost, RequestTimeout, ClientClosed, and the error that the
    server answers with. Cancelling is safe; a request that was sent may still take effect.
    """

    def __init__(self, address: Address, *, first_connection_s: float | None, on_status: OnStatus | None) -> None:
        self._session = Session(address, first_connection_s=first_connection_s, on_status=on_status)

    async def __aenter__(self) -> Self:
        await self._session.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection, its subscriptions and what still waits for an answer. May be called twice."""
        await self._session.close()

    @property
    def url(self) -> str:
        """The server's address."""
        return self._session.address.url

    @property
    def status(self) -> Status:
        """How the connection is now."""
        return self._session.status

    @property
    def user(self) -> str | None:
        """Who the server says one is; None = it did not say."""
        return None if self._session.welcome is None else self._session.welcome.user

    @property
    def features(self) -> frozenset[str]:
        """What the server offers, e.g. `processes`."""
        return frozenset(() if self._session.welcome is None else self._session.welcome.features)

    @property
    def agents(self) -> Agents:
        """Agents of the server: list and ask them."""
        return Agents(self, self._ask)

    @property
    def threads(self) -> Threads:
        """Conversations with agents."""
        return Threads(self._ask)

    @property
    def tools(self) -> Tools:
        """Tools of the server: list and call them."""
        return Tools(self._ask)

    @property
    def forum(self) -> Forum:
        """The conversation of the server's agents: say something, steer the host."""
        return Forum(self._ask)

    async def request(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout_s: float | None = REQUEST_S
    ) -> Any:
        """Call any method of the protocol but `subscribe` and `unsubscribe`; the result is plain JSON.

        Raises:
            TypeError: `params` hold what JSON cannot.
        """
        if method in ("subscribe", "unsubscribe"):
            raise InputError(f"{method} is what live.subscribe() does")
        params = params or {}
        repeatable = method in _repeatable or (method == "publish" and "idempotency_key" in params)
        return await self._session.request(method, params, repeatable=repeatable, timeout_s=timeout_s)

    async def publish(
        self,
        channel: str,
        type: str,  # noqa: A002  # the protocol's word
        data: Any = None,
        *,
        idempotency_key: str | None = None,
        timeout_s: float | None = REQUEST_S,
    ) -> Cursor:
        """Append one event; returns its place once it is on disk.

        It is appended once however often the connection is lost meanwhile: a retry carries the same idempotency key.
        Without a key one is made for this call; give your own (1 to 255 characters, kept for 24 h per user and channel)
        where your program itself may be restarted and try again.
        Raises:
            KeyConflict: The key was used with other data.
            ChannelOwned: A service owns this channel.
            TooLarge, TooDeep: Beyond the server's limits.
            TypeError: `data` is not JSON.
        """
        check_channel(channel)
        key = secrets.token_hex(16) if idempotency_key is None else idempotency_key
        params = {"channel": channel, "type": type, "data": data, "idempotency_key": key}
        result = await self._session.request("publish", params, repeatable=True, timeout_s=timeout_s)
        return answers.read_cursor(result)

    async def patch(
        self,
        channel: str,
        ops: Sequence[Mapping[str, Any]],
        *,
        idempotency_key: str | None = None,
        timeout_s: float | None = REQUEST_S,
    ) -> Cursor:
        """Change the channel's state by RFC 6902 operations; all of them apply or none.

        Raises:
            InvalidPatch: One of them cannot be applied; nothing was changed.
        """
        return await self.publish(
            channel, "state.patch", {"ops": list(ops)}, idempotency_key=idempotency_key, timeout_s=timeout_s
        )

    def subscribe(
        self,
        *channels: str,
        after: After | Mapping[str, After] = "now",
        max_items: int = MAX_ITEMS,
        max_bytes: int = MAX_BYTES,
    ) -> Subscription:
        """Follow channels from a place on: an asynchronous iterator of Event, Gap and CaughtUp.

        Args:
            channels: One or several; each at most once per client.
            after: "now" (only what comes), "start" (all that is kept), a Cursor or its text `EPOCH:OFFSET`;
                with several channels a cursor each: `{channel: cursor}`, where those left out begin with "start".
            max_items, max_bytes: What may wait to be read; beyond it the channels pause and go on from their cursors.
        Raises:
            InvalidChannel, InvalidCursor: Wrong as it stands.
            AlreadySubscribed: This client follows the channel already.
        """
        places = _places(channels, after)
        feed = Feed(tuple(places), max_items=max_items, max_bytes=max_bytes)
        self._session.check_open()
        self._session.router.subscribe(places, feed)
        return Subscription(feed, self._session.router, self._session.leave)

    async def history(
        self,
        channel: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int = 100,
        timeout_s: float | None = REQUEST_S,
    ) -> History:
        """A page of a channel, ascending: behind `after`, or before `before` (offsets, exclusive), else the newest."""
        params = _given(channel=channel, after=after, before=before, limit=limit)
        return answers.read_history(await self.request("history", params, timeout_s=timeout_s))

    async def search(
        self,
        channel: str,
        text: str,
        *,
        before: int | None = None,
        limit: int = 50,
        ignore_case: bool = False,
        timeout_s: float | None = REQUEST_S,
    ) -> SearchSlice:
        """One slice of a search for events with `text` in one of their strings, newest first.

        Go on with `before=slice.scanned_to` until `slice.complete`; a first slice may be empty. `limit=0` only counts.
        """
        params = _given(channel=channel, text=text, before=before, limit=limit, ignore_case=ignore_case)
        return answers.read_search(await self.request("search", params, timeout_s=timeout_s), self._epoch)

    async def state(self, channel: str, *, timeout_s: float | None = REQUEST_S) -> State:
        """The channel's value as it is now; at first `{}`."""
        return answers.read_state(await self.request("state", {"channel": channel}, timeout_s=timeout_s))

    async def channels(self, prefix: str = "", *, timeout_s: float | None = REQUEST_S) -> tuple[ChannelInfo, ...]:
        """The channels whose names start with `prefix`."""
        params = {"prefix": prefix} if prefix else {}
        return answers.read_channels(await self.request("channel.list", params, timeout_s=timeout_s))

    async def connections(self, *, timeout_s: float | None = REQUEST_S) -> Connections:
        """Who is connected to the server, and who was."""
        return answers.read_connections(await self.request("connection.list", {}, timeout_s=timeout_s))

    async def processes(self, *, timeout_s: float | None = REQUEST_S) -> dict[str, Process]:
        """The process table by name."""
        return answers.read_processes(await self.request("state", {"channel": "processes"}, timeout_s=timeout_s))

    async def process_start(self, name: str, *, timeout_s: float | None = PROCESS_S) -> Process:
        """Start a program; one that runs is left alone. Raises NotFound."""
        return await self._process("process.start", name, timeout_s)

    async def process_stop(self, name: str, *, timeout_s: float | None = PROCESS_S) -> Process:
        """Stop a program and all that it started; returns when the whole tree is gone. Raises NotFound."""
        return await self._process("process.stop", name, timeout_s)

    async def process_restart(self, name: str, *, timeout_s: float | None = PROCESS_S) -> Process:
        """Stop it if it runs, then start it. Raises NotFound."""
        return await self._process("process.restart", name, timeout_s)

    async def process_write(self, name: str, text: str, *, timeout_s: float | None = REQUEST_S) -> None:
        """Write to a program's standard input; returns when it has got there. Raises NotFound, ConflictError."""
        await self.request("process.write", {"name": name, "text": text}, timeout_s=timeout_s)

    async def _process(
        self, method: Literal["process.start", "process.stop", "process.restart"], name: str, timeout_s: float | None
    ) -> Process:
        return answers.read_process(await self.request(method, {"name": name}, timeout_s=timeout_s))

    def run(
        self,
        name: str,
        input: Any = None,  # noqa: A002  # the protocol's word
        *,
        run_id: str | None = None,
        title: str | None = None,
        thread_id: str | None = None,
        parent: str | None = None,
        labels: Mapping[str, str] | None = None,
        on_disconnect: OnDisconnect = "continue",
        on_cancel: OnCancel | None = None,
        lease_s: float = LEASE_S,
        timeout_s: float | None = REQUEST_S,
    ) -> RunBlock:
        """A run that this program does: `async with live.run("answer", {"q": q}) as run`.

        It is watched, cancelled and answered from anywhere; see RunBlock for how it ends.
        Args:
            name: What kind of run it is: 1 to 64 of A-Z a-z 0-9 _ . -
            input: What it was asked to do, JSON.
            run_id: One of your own; None = made for this call.
            parent: The id of the run that it belongs to; a cancel of that one reaches this one. See also `run.child`.
            on_disconnect: "cancel": cancel it when this client's connection stays away for 5 s.
            on_cancel: Called at once, with the reason, on the client's event loop; must return quickly.
            lease_s: 2 to 3600; when this program gives no sign for so long, its run is `lost`. The client gives signs.
        Raises (on entering):
            ConflictError: There is another run with this id.
            NotFound, RunCancelled, RunEnded: The parent is not there, is being cancelled, or has ended.
            Busy: As many runs as may be are under way.
            TypeError: The input is not JSON (here).
        """
        wanted = new_run(
            name,
            input=input,
            run_id=run_id,
            title=title,
            thread_id=thread_id,
            parent_run_id=parent,
            labels=labels,
            on_disconnect=on_disconnect,
        )

        def new_port() -> RemotePort:
            return RemotePort(self._session, self._from_start, lease_s=lease_s, open_s=timeout_s)

        return RunBlock(wanted, new_port, on_cancel=on_cancel)

    def _from_start(self, channel: str) -> Subscription:
        return self.subscribe(channel, after="start")

    async def _ask(self, method: str, params: Mapping[str, Any], repeatable: bool, timeout_s: float | None) -> Any:
        return await self._session.request(method, params, repeatable=repeatable, timeout_s=timeout_s)

    @property
    def _address(self) -> Address:
        return self._session.address

    @property
    def _epoch(self) -> str:
        return "" if self._session.welcome is None else self._session.welcome.epoch


def _given(**params: Any) -> dict[str, Any]:
    """The parameters that are not None."""
    return {name: value for name, value in params.items() if value is not None}


def _places(channels: tuple[str, ...], after: After | Mapping[str, After]) -> dict[str, After]:
    """Per channel the place where it begins; texts are checked here, before anything is asked of the server."""
    names = list(dict.fromkeys(check_channel(name) for name in channels))
    if not names:
        raise InputError("subscribe needs at least one channel")
    if isinstance(after, Mapping):
        return {name: _place(after.get(name, "start")) for name in names}
    if len(names) > 1 and after not in ("start", "now"):
        raise InputError("a cursor belongs to one channel: for several give after={channel: cursor}")
    return {name: _place(after) for name in names}


def _place(after: After) -> After:
    return after if isinstance(after, Cursor) or after in ("start", "now") else Cursor.parse(after)
