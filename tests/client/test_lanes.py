"""Subscriptions over every order of events, pauses, lost connections, retention and new lives, searched by machine.

The router is driven without sockets by the simplest server: one that works off requests in order, and whose frames
arrive in order or, with the connection, not at all.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from antiphon.client.feed import Feed
from antiphon.client.items import CaughtUp, Event, Gap
from antiphon.client.requests import Answered
from antiphon.client.router import Router
from antiphon.client.wire import WireCaughtUp, WireEvent
from antiphon.errors import ConnectionLost
from antiphon.messages import Cursor

CHANNELS = ("a", "b")
MAX_ITEMS = 6
NOW = datetime(2026, 10, 15, tzinfo=UTC)


class RouterMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.router = Router(self._ask)
        self.life = 1
        self.truth: dict[str, list[int]] = defaultdict(list)  # the log of this life
        self.oldest = dict.fromkeys(CHANNELS, 1)
        self.number = 0
        self.asked: deque[tuple[str, dict[str, Any], Answered]] = deque()
        self.frames: deque[Callable[[], None]] = deque()
        self.waiting: list[tuple[str, dict[str, Any], Answered]] = []  # worked off, the reply has not arrived
        self.sent_to: dict[str, int] = {}
        self.feed = Feed(CHANNELS, max_items=MAX_ITEMS, max_bytes=2**30)
        self.seen: dict[str, Cursor] = {}
        self.router.subscribe(dict.fromkeys(CHANNELS, "start"), self.feed)

    @property
    def epoch(self) -> str:
        return f"life{self.life}"

    # The server

    def _ask(self, method: str, params: dict[str, Any], answered: Answered) -> None:
        assert self.router.is_connected
        self.asked.append((method, params, answered))

    def _work(self) -> None:
        method, params, answered = self.asked[0]
        channel = params["channel"]
        if method == "unsubscribe":
            del self.sent_to[channel]  # it never asks to leave what it is not in
            self._reply(answered, {})
            return
        assert channel not in self.sent_to, "one subscription per channel"
        reply = self._subscribed(channel, params["after"])
        self._reply(answered, reply)
        self.sent_to[channel] = reply["after"]
        self._send_missed(channel)
        notice = WireCaughtUp(channel=channel, offset=self.sent_to[channel])
        self.frames.append(lambda: self.router.notice(notice))

    def _reply(self, answered: Answered, result: dict[str, Any]) -> None:
        request = self.asked.popleft()
        self.waiting.append(request)

        def arrive() -> None:
            self.waiting.remove(request)
            answered(result, None)

        self.frames.append(arrive)

    def _subscribed(self, channel: str, after: Any) -> dict[str, Any]:
        head, oldest = len(self.truth[channel]), self.oldest[channel]
        reply = {"epoch": self.epoch, "head": head, "oldest": oldest, "recovered": True, "after": oldest - 1}
        if after == "start":
            return reply
        if after["epoch"] == self.epoch and oldest - 1 <= after["offset"] <= head:
            return {**reply, "after": after["offset"]}
        return {**reply, "recovered": False}

    def _send_missed(self, channel: str) -> None:
        for number in self.truth[channel][self.sent_to[channel] :]:
            self.sent_to[channel] += 1
            event = WireEvent(channel=channel, offset=self.sent_to[channel], type="n", data=number, time=NOW)
            self.frames.append(lambda event=event: self.router.event(event, 10))

    @precondition(lambda self: sum(map(len, self.truth.values())) < 200)
    @rule(channel=st.sampled_from(CHANNELS), count=st.integers(1, 20))
    def append(self, channel: str, count: int) -> None:
        for _ in range(count):
            self.number += 1
            self.truth[channel].append(self.number)
        if channel in self.sent_to:
            self._send_missed(channel)

    @precondition(lambda self: self.asked)
    @rule()
    def work(self) -> None:
        self._work()

    @precondition(lambda self: self.frames)
    @rule(count=st.integers(1, 30))
    def deliver(self, count: int) -> None:
        for _ in range(min(count, len(self.frames))):
            self.frames.popleft()()

    @rule(channel=st.sampled_from(CHANNELS), keep=st.integers(0, 5))
    def trim(self, channel: str, keep: int) -> None:
        gone = len(self.truth[channel]) - keep
        reached = self.sent_to.get(channel, len(self.truth[channel]))
        self.oldest[channel] = max(self.oldest[channel], min(gone, reached) + 1)

    @precondition(lambda self: not self.router.is_connected)
    @rule()
    def begin_a_new_life(self) -> None:
        self.life += 1
        self.truth.clear()
        self.oldest = dict.fromkeys(CHANNELS, 1)

    # The connection

    @precondition(lambda self: not self.router.is_connected)
    @rule()
    def connect(self) -> None:
        self.router.connected()

    @precondition(lambda self: self.router.is_connected)
    @rule()
    def lose_the_connection(self) -> None:
        self.frames.clear()
        self.sent_to.clear()
        unanswered = [*self.asked, *self.waiting]
        self.asked.clear()
        self.waiting.clear()
        for _, _, answered in unanswered:
            answered(None, ConnectionLost("lost"))
        self.router.disconnected()

    # The reader

    @rule(count=st.integers(1, 10))
    def read(self, count: int) -> None:
        for _ in range(min(count, len(self.feed))):
            self._check(self.feed.pop())
            if self.feed.may_resume:
                self.router.drained(self.feed)

    def _check(self, item: Event | Gap | CaughtUp) -> None:
        before = self.seen.get(item.channel)
        match item:
            case Event():
                expected = 1 if before is None else before.offset + 1
                assert item.offset == expected
                assert before is None or before.epoch == item.epoch
                if item.epoch == self.epoch:
                    assert item.data == self.truth[item.channel][item.offset - 1]
            case Gap(reason="retention"):
                assert item.first == (1 if before is None else before.offset + 1)
                assert item.last >= item.first
            case Gap():
                assert item.reason == "epoch"
                assert before is None or before.epoch != item.epoch
            case CaughtUp():
                assert before is None or before.offset == item.offset
        self.seen[item.channel] = item.cursor

    @rule(goes_on_later=st.booleans())
    def leave_and_come_back(self, goes_on_later: bool) -> None:
        self.feed.close()
        if goes_on_later:
            self.router.unsubscribe(self.feed)
        self.feed = Feed(CHANNELS, max_items=MAX_ITEMS, max_bytes=2**30)
        self.router.subscribe({name: self.seen.get(name, "start") for name in CHANNELS}, self.feed)

    @invariant()
    def what_waits_is_bounded(self) -> None:
        assert len(self.feed) <= MAX_ITEMS + 2 * len(CHANNELS)  # gaps and catch-ups of the last moment

    def teardown(self) -> None:
        """Whatever happened: with a connection and a reader everything arrives."""
        if not self.router.is_connected:
            self.connect()
        for _ in range(100_000):  # each pause sends the rest anew: the work grows with the square of what is missing
            if self.asked:
                self._work()
            elif self.frames:
                self.frames.popleft()()
            elif len(self.feed):
                self.read(10)
            else:
                break
        else:
            raise AssertionError("it goes round in circles")
        for channel in CHANNELS:
            assert self.seen[channel] == Cursor(self.epoch, len(self.truth[channel]))


RouterMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestRouter = RouterMachine.TestCase
