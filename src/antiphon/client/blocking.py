"""The blocking client: the asynchronous one on an event loop in a thread of its own, method by method the same.

No twin written by hand: `blocking` turns a method's type into that of the blocking call, so both faces have the same
names, parameters and results for people and for type checkers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from antiphon.client.agents.blocking import BlockingAgents, BlockingThreads, BlockingTools
from antiphon.client.forum.blocking import BlockingForum
from antiphon.client.items import Item, Snapshot, Status
from antiphon.client.live import AsyncLive
from antiphon.client.portal import Portal
from antiphon.client.run.blocking import BlockingRunBlock
from antiphon.client.run.face import RunBlock
from antiphon.client.subscription import Subscription
from antiphon.messages import Cursor

P = ParamSpec("P")
T = TypeVar("T")


def blocking(method: Callable[Concatenate[AsyncLive, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[Live, P], T]:
    """The method of `Live` that calls this one of `AsyncLive` and waits."""

    @wraps(method)
    def call(self: Live, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._portal.call(method(self._live, *args, **kwargs))

    return call


class BlockingSubscription:
    """As Subscription, but a normal iterator; `with` waits until the server has subscribed all channels."""

    def __init__(self, portal: Portal, subscription: Subscription) -> None:
        self._portal = portal
        self._subscription = subscription
        self._taken: deque[Item] = deque()
        self._cursors: dict[str, Cursor] = {}

    @property
    def cursors(self) -> Mapping[str, Cursor]:
        """Per channel the place after the last item that was returned."""
        return self._cursors

    @property
    def snapshots(self) -> Mapping[str, Snapshot]:
        """Per channel what it amounted to where the events began, if the server said so."""
        return self._subscription.snapshots

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        if not self._taken:
            self._portal.call(self._fill())
        if not self._taken:
            raise StopIteration
        item = self._taken.popleft()
        self._cursors[item.channel] = item.cursor
        return item

    async def _fill(self) -> None:
        # Crossing threads costs more than an item, so all that has arrived comes over at once. It is stored from over
        # there and not returned: a Ctrl-C that interrupts the waiting thread must lose nothing.
        self._taken.extend(await self._subscription.take())

    def take(self, limit: int = 1000) -> list[Item]:
        """Wait for at least one item and return all that are there, at most `limit`; empty once it has been closed."""
        if not self._taken:
            self._portal.call(self._fill())
        items = [self._taken.popleft() for _ in range(min(limit, len(self._taken)))]
        for item in items:
            self._cursors[item.channel] = item.cursor
        return items

    def ready(self) -> None:
        """Wait until the server has answered for every channel."""
        self._portal.call(self._subscription.ready())

    def close(self) -> None:
        """End it; may be called twice. Iteration stops."""
        self._taken.clear()
        self._portal.call(self._subscription.aclose())

    def __enter__(self) -> Self:
        try:
            self.ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


async def _subscribe(live: AsyncLive, *args: Any, **kwargs: Any) -> Subscription:
    return live.subscribe(*args, **kwargs)


def _iterating(
    method: Callable[Concatenate[AsyncLive, P], Subscription],
) -> Callable[Concatenate[Live, P], BlockingSubscription]:
    @wraps(method)
    def call(self: Live, /, *args: P.args, **kwargs: P.kwargs) -> BlockingSubscription:
        return BlockingSubscription(self._portal, self._portal.call(_subscribe(self._live, *args, **kwargs)))

    return call


def _running(
    method: Callable[Concatenate[AsyncLive, P], RunBlock],
) -> Callable[Concatenate[Live, P], BlockingRunBlock]:
    @wraps(method)
    def call(self: Live, /, *args: P.args, **kwargs: P.kwargs) -> BlockingRunBlock:
        return BlockingRunBlock(self._portal, method(self._live, *args, **kwargs))

    return call


class Live:
    """As AsyncLive, for programs without an event loop. Made by `with antiphon.connect() as live`; any thread may call.

    Ctrl-C while waiting cancels the call and leaves the client usable.
    """

    def __init__(self, new: Callable[[], AsyncLive]) -> None:
        self._portal = Portal()
        try:
            self._live = self._portal.call(_entered(new))
        except BaseException:
            self._portal.close()
            raise

    @property
    def url(self) -> str:
        """The server's address."""
        return self._live.url

    @property
    def status(self) -> Status:
        """How the connection is now."""
        return self._live.status

    @property
    def user(self) -> str | None:
        """Who the server says one is; None = it did not say."""
        return self._live.user

    @property
    def features(self) -> frozenset[str]:
        """What the server offers, e.g. `processes`."""
        return self._live.features

    @property
    def agents(self) -> BlockingAgents:
        """Agents of the server: list and ask them."""
        return BlockingAgents(self._portal, self._live.agents)

    @property
    def threads(self) -> BlockingThreads:
        """Conversations with agents."""
        return BlockingThreads(self._portal, self._live.threads)

    @property
    def tools(self) -> BlockingTools:
        """Tools of the server: list and call them."""
        return BlockingTools(self._portal, self._live.tools)

    @property
    def forum(self) -> BlockingForum:
        """The conversation of the server's agents: say something, steer the host."""
        return BlockingForum(self._portal, self._live.forum)

    def close(self) -> None:
        """End the connection, its subscriptions and what still waits for an answer. May be called twice."""
        if self._portal.is_open:
            self._portal.call(self._live.close())
            self._portal.close()

    request = blocking(AsyncLive.request)
    publish = blocking(AsyncLive.publish)
    patch = blocking(AsyncLive.patch)
    subscribe = _iterating(AsyncLive.subscribe)
    history = blocking(AsyncLive.history)
    search = blocking(AsyncLive.search)
    state = blocking(AsyncLive.state)
    channels = blocking(AsyncLive.channels)
    connections = blocking(AsyncLive.connections)
    processes = blocking(AsyncLive.processes)
    process_start = blocking(AsyncLive.process_start)
    process_stop = blocking(AsyncLive.process_stop)
    process_restart = blocking(AsyncLive.process_restart)
    process_write = blocking(AsyncLive.process_write)
    run = _running(AsyncLive.run)
    start_run = blocking(AsyncLive.start_run)
    runs = blocking(AsyncLive.runs)
    get_run = blocking(AsyncLive.get_run)
    cancel_run = blocking(AsyncLive.cancel_run)
    run_result = blocking(AsyncLive.run_result)
    questions = blocking(AsyncLive.questions)
    answer = blocking(AsyncLive.answer)
    export_run = blocking(AsyncLive.export_run)
    import_run = blocking(AsyncLive.import_run)


async def _entered(new: Callable[[], AsyncLive]) -> AsyncLive:
    return await new().__aenter__()
