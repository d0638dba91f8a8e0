"""A process that lives one life of a hub on a database file, and may end by SIGKILL in the middle of it.

Started once; each line on its standard input describes a life, which a forked child lives. What happens is written to
standard output at once, a JSON array a line, so that what was seen before the kill is known:

    ["kept", {channel: [[offset, id], ...]}, {channel: oldest}, epoch]    the log as found at the start
    ["ack", id, offset]                                     a publish was acknowledged
    ["refused", id, code]
    ["subscribed", who, channel, given, after, oldest, recovered, state | null]
    ["event", who, channel, offset, id]
    ["gap", who, channel, first, last, state | null]
    ["caught_up", who, channel, offset]
    ["state", channel, version, value]
    ["swept"], ["stats", {...}], ["doomed", point, unacknowledged]
    ["ended", wait status]                                  written by the parent of the child
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from antiphon.brokers.base import Batch
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.errors import AntiphonError
from antiphon.hub import Encoded, Gap, Hub, Keep, Outlet, Start, Summary, pulling, retention, writer
from antiphon.hub import fold as states
from antiphon.messages import MAX_OFFSET, Cursor, Event, NewEvent

CHANNELS = ("plain", "board")
BOUND = 400  # bytes that a connection may be behind; a part weighs 100
WEIGHT = 100
FACTS = os.dup(1)  # nothing but facts goes there


def tell(*fact: Any) -> None:
    line = memoryview(orjson.dumps(fact) + b"\n")
    while line:
        line = line[os.write(FACTS, line) :]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def encoded(summary: Summary) -> list[Any]:
    """The state as it is now: the value is a live one."""
    return [summary.state.version, orjson.loads(orjson.dumps(summary.state.value))]


class TellingCodec:
    """Parts are facts that the far end tells when it reads them."""

    is_shared = True

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:
        return Encoded(tuple(("event", e.channel, e.offset, number_of(e)) for e in events), WEIGHT * len(events))

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:
        return Encoded((("caught_up", channel, offset),), WEIGHT)

    def gap(self, gap: Gap) -> Encoded:
        state = None if gap.summary is None else encoded(gap.summary)
        return Encoded((("gap", gap.channel, gap.first, gap.last, state),), WEIGHT)


CODEC = TellingCodec()


class Follower:
    """One connection; lagging, it leaves what it is sent unread. `seen` is what it has read, by channel."""

    def __init__(self, who: str, hub: Hub, seen: dict[str, int]) -> None:
        self.who = who
        self.outlet = Outlet(CODEC, self, bound_bytes=BOUND)
        self.lags = False
        self._hub = hub
        self._seen = seen
        self._waiting: list[Any] = []
        self._changed = asyncio.Event()

    @property
    def queued_bytes(self) -> int:
        return WEIGHT * len(self._waiting)

    def send(self, parts: Sequence[Any]) -> None:
        self._waiting += parts
        self._changed.set()
        if not self.lags:
            self.read()

    def read(self) -> None:
        waiting, self._waiting = self._waiting, []
        for kind, channel, *rest in waiting:
            self._seen[channel] = rest[1] if kind == "gap" else rest[0]
            tell(kind, self.who, channel, *rest)

    def go_on(self) -> None:
        self.lags = False
        self.read()
        self._hub.drained(self.outlet)

    async def subscribe(self, channel: str, given: Any) -> None:
        if channel in self.outlet.subscriptions:
            self.outlet.unsubscribe(channel)
            self._waiting = [part for part in self._waiting if part[1] != channel]
        given = self._resolved(channel, given)
        after = Start(given) if isinstance(given, str) else Cursor(*given)
        subscription, reply = await self._hub.subscribe(self.outlet, channel, after)
        self._seen[channel] = reply.after
        state = None if reply.summary is None else encoded(reply.summary)
        tell("subscribed", self.who, channel, given, reply.after, reply.oldest, reply.recovered, state)
        self._hub.begin(subscription)

    def _resolved(self, channel: str, given: str) -> Any:
        epoch, seen = self._hub.epoch, self._seen.get(channel)
        match given:
            case "cursor":
                return "start" if seen is None else [epoch, seen]
            case "other epoch":
                return ["other", seen or 0]
            case "beyond":
                return [epoch, 10_000]
            case "oldest":
                return [epoch, 0]
        return given

    async def until_at(self, channel: str, offset: int) -> None:
        subscription = self.outlet.subscriptions.get(channel)
        async with asyncio.timeout(30):
            while subscription is not None and subscription.cursor < offset:
                self._changed.clear()
                await self._changed.wait()


class Life:
    """Performs the operations of one life. `seen` is what followers have read in earlier ones."""

    def __init__(self, hub: Hub, seen: dict[str, dict[str, int]]) -> None:
        self._hub = hub
        self._seen = seen
        self._followers: dict[str, Follower] = {}
        self._open: list[asyncio.Future[Any]] = []
        self._on_ack: Callable[[], None] = lambda: None

    def _follower(self, who: str) -> Follower:
        if who not in self._followers:
            self._followers[who] = Follower(who, self._hub, self._seen.setdefault(who, {}))
        return self._followers[who]

    async def perform(self, op: list[Any]) -> None:
        await getattr(self, f"do_{op[0]}")(*op[1:])

    def _submit(self, channel: str, number: int, key: str | None, is_patch: bool) -> asyncio.Future[Any]:
        data: dict[str, Any] = {"id": number}
        if is_patch:
            data = {"ops": [{"op": "add", "path": f"/{number % 5}", "value": number, "id": number}]}
        kind = "state.patch" if is_patch else "note"
        answer = self._hub.submit(NewEvent(channel, kind, orjson.dumps(data), None, key))
        answer.add_done_callback(lambda done: self._answered(number, done))
        self._open.append(answer)
        return answer

    def _answered(self, number: int, done: asyncio.Future[Any]) -> None:
        error = done.exception()
        if isinstance(error, AntiphonError):
            tell("refused", number, error.code)
        else:
            tell("ack", number, done.result()[0].offset)
            self._on_ack()

    async def do_publish(self, channel: str, numbers: list[int], key: str | None, is_patch: bool, waits: bool) -> None:
        answers = [self._submit(channel, number, key, is_patch) for number in numbers]
        if waits:
            await asyncio.gather(*answers, return_exceptions=True)

    async def do_subscribe(self, who: str, channel: str, given: Any) -> None:
        await self._follower(who).subscribe(channel, given)

    async def do_drop(self, who: str) -> None:
        self._follower(who).outlet.close()
        del self._followers[who]

    async def do_lag(self, who: str, lags: bool) -> None:
        self._follower(who).lags = True
        if not lags:
            self._follower(who).go_on()

    async def do_sweep(self) -> None:
        await self._hub.retention.sweep()
        tell("swept")

    async def do_rest(self, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    async def do_flush(self) -> None:
        """The clock ticks now."""
        await asyncio.gather(*self._open, return_exceptions=True)
        self._hub._fanout.drain()

    async def do_thread(self) -> None:
        self._hub._broker.commit_s = 10.0  # type: ignore[attr-defined]  # a slow disk: commits go to a thread

    async def do_settle(self) -> None:
        """Everybody reads all there is; the states are told."""
        await asyncio.gather(*self._open, return_exceptions=True)
        for follower in self._followers.values():
            follower.go_on()
        for channel in CHANNELS:
            head = (await self._hub.history(channel, limit=1)).head
            for follower in self._followers.values():
                await follower.until_at(channel, head)
            state = await self._hub.state(channel)
            tell("state", channel, state.version, state.value)
        counters = {name: value for name, value in asdict(self._hub.stats).items() if isinstance(value, int)}
        tell("stats", counters)

    async def do_crash(self, point: str) -> None:
        """Die at a point that the next commits pass; if they do not, die anyway."""
        broker = self._hub._broker
        tell("doomed", point, sum(not answer.done() for answer in self._open))
        match point:
            case "now":
                die()
            case "after_ack":
                self._on_ack = die
            case "before_commit" | "after_commit" | "in_thread":
                broker._commit = dying(broker._commit, point)  # type: ignore[attr-defined]
                if point == "in_thread":
                    broker.commit_s = 10.0  # type: ignore[attr-defined]
            case "while_appending":
                broker.append = self._dying_append(broker.append)  # type: ignore[method-assign]
        await asyncio.gather(*self._open, return_exceptions=True)
        die()

    def _dying_append(self, append: Callable[[Batch], Awaitable[None]]) -> Callable[[Batch], Awaitable[None]]:
        async def committed_then_dead(batch: Batch) -> None:
            await append(batch)
            die()

        return committed_then_dead


def dying(commit: Callable[[], Awaitable[None]], point: str) -> Callable[[], Awaitable[None]]:
    async def commit_and_die() -> None:
        if point == "before_commit":
            die()
        if point == "in_thread":
            asyncio.get_running_loop().call_soon(die)  # while the thread commits, or just before, or just after
        await commit()
        if point == "after_commit":
            die()

    return commit_and_die


async def kept(broker: SqliteBroker) -> tuple[dict[str, Any], dict[str, int]]:
    """The log as it is before the hub has touched it."""
    found, oldest = {}, {}
    for channel in CHANNELS:
        oldest[channel] = (await broker.bounds(channel)).oldest
        everything = await broker.read(channel, after=0, upto=MAX_OFFSET, max_events=1 << 40, max_bytes=1 << 40)
        found[channel] = [[event.offset, number_of(event)] for event in everything if event.offset >= oldest[channel]]
    return found, oldest


def number_of(event: Event) -> int:
    data = event.data
    return int(data["ops"][0]["id"] if "ops" in data else data["id"])


async def live(directory: Path, seen: dict[str, dict[str, int]], ops: list[list[Any]]) -> None:
    broker = SqliteBroker(directory)
    broker.open()
    tell("kept", *await kept(broker), broker.epoch)
    keep = {"plain": Keep(max_events=6), "board": Keep(max_events=4)}
    async with Hub(broker, keep=keep) as hub:
        life = Life(hub, seen)
        for op in ops:
            await life.perform(op)


def settings_of_small_things() -> None:
    """Few events must reach every bound."""
    pulling.PAGE_EVENTS = 3
    writer.BATCH_EVENTS = 4
    states.PATCHES_PER_SNAPSHOT = 3
    states.EVENTS_PER_SNAPSHOT = 7
    retention.PAUSE_S = 3600.0


def main() -> None:
    os.dup2(2, 1)  # what is logged is for people
    settings_of_small_things()
    for line in sys.stdin.buffer:
        directory, seen, ops = orjson.loads(line)
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(live(Path(directory), seen, ops))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        tell("ended", status)


if __name__ == "__main__":
    main()
