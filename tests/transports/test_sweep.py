"""The sweep's rules, with sockets that do as a test says and ticks that a test makes."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from antiphon.transports.crew import Crew
from antiphon.transports.sweep import Beat, Sweep

BEAT = Beat(tick_s=1.0, ping_ticks=25, answer_ticks=20)
STALLED_S = 30


class FakeSocket:
    def __init__(self) -> None:
        self.queued_bytes = 0
        self.sent_bytes = 0
        self.is_silent = False
        self.answers = True
        self.pings = 0
        self.told: list[str] = []

    def ping(self) -> None:
        self.pings += 1
        self.is_silent = not self.answers

    def silent(self) -> None:
        self.told.append("silent")

    def stalled(self) -> None:
        self.told.append("stalled")

    def overdue(self) -> None:
        self.told.append("overdue")


class Clock:
    """A sweep whose timer never fires."""

    def __init__(self) -> None:
        self.sweep = Sweep(BEAT, stalled_s=STALLED_S)
        self.sweep._schedule = lambda: None  # type: ignore[method-assign]

    def tick(self, times: int) -> None:
        for _ in range(times):
            self.sweep.tick()


def test_every_socket_is_pinged_once_an_interval_from_a_random_moment_on() -> None:
    clock, sockets = Clock(), [FakeSocket() for _ in range(1000)]
    for socket in sockets:
        clock.sweep.add(socket)
    pinged = []
    for _ in range(25):
        before = sum(socket.pings for socket in sockets)
        clock.tick(1)
        pinged.append(sum(socket.pings for socket in sockets) - before)
    assert all(socket.pings == 1 for socket in sockets)
    assert max(pinged) < 100  # 40 on average
    clock.tick(50)
    assert all((socket.pings, socket.told) == (3, []) for socket in sockets)


def test_silence_is_noticed_after_its_time() -> None:
    clock, socket = Clock(), FakeSocket()
    socket.answers = False
    clock.sweep.add(socket)
    while not socket.pings:
        clock.tick(1)
    clock.tick(19)
    assert socket.told == []
    clock.tick(1)
    assert socket.told == ["silent"]


def test_no_ping_is_put_behind_what_is_queued_but_progress_is_watched() -> None:
    clock, socket = Clock(), FakeSocket()
    socket.queued_bytes = 1
    clock.sweep.add(socket)
    clock.tick(25 + 31)
    assert (socket.pings, socket.told) == (0, ["stalled"])


@given(st.lists(st.integers(1, 28), min_size=1, max_size=6))
def test_progress_puts_the_end_off(pauses: list[int]) -> None:
    clock, socket = Clock(), FakeSocket()
    clock.sweep.add(socket)
    socket.queued_bytes = 1000
    clock.sweep.watch(socket)
    for pause in pauses:
        clock.tick(pause)
        socket.sent_bytes += 1
        clock.sweep.watch(socket)  # again: changes nothing
    assert socket.told == []
    clock.tick(32)
    assert socket.told == ["stalled"]


def test_an_empty_queue_is_no_stall() -> None:
    clock, socket = Clock(), FakeSocket()
    clock.sweep.add(socket)
    socket.queued_bytes = 1000
    clock.sweep.watch(socket)
    clock.tick(29)
    socket.queued_bytes, socket.sent_bytes = 0, 1000
    clock.tick(60)
    socket.queued_bytes = 1
    clock.sweep.watch(socket)
    clock.tick(29)
    assert socket.told == []


def test_the_sooner_deadline_of_a_closing_holds() -> None:
    clock, first, second = Clock(), FakeSocket(), FakeSocket()
    for socket in (first, second):
        clock.sweep.add(socket)
    clock.sweep.close_within(first, 10)
    clock.sweep.close_within(first, 2)
    clock.sweep.close_within(second, 2)
    clock.sweep.close_within(second, 10)
    clock.tick(2)
    assert first.told == second.told == []
    clock.tick(1)
    assert first.told == second.told == ["overdue"]
    clock.tick(30)
    assert first.told == second.told == ["overdue"]


def test_who_was_removed_is_left_alone() -> None:
    clock, socket = Clock(), FakeSocket()
    place = clock.sweep.add(socket)
    clock.sweep.close_within(socket, 1)
    socket.queued_bytes = 1
    clock.sweep.watch(socket)
    clock.sweep.remove(socket, place)
    clock.tick(100)
    assert (socket.pings, socket.told, len(clock.sweep)) == (0, [], 0)


async def test_the_timer_runs_while_there_are_sockets() -> None:
    sweep, socket = Sweep(Beat(tick_s=0.001), stalled_s=1), FakeSocket()
    pinged, ticked = asyncio.Event(), asyncio.Event()
    socket.ping = pinged.set  # type: ignore[method-assign]
    place = sweep.add(socket)
    async with asyncio.timeout(30):
        await pinged.wait()
        sweep.remove(socket, place)
        tick = sweep.tick
        sweep.tick = lambda: (tick(), ticked.set())[0]  # type: ignore[method-assign,func-returns-value]
        await ticked.wait()
    assert sweep._timer is None


async def test_a_crew_ends_its_tasks_and_lets_them_clean_up() -> None:
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    async with Crew() as crew:
        tasks = [crew.start(work(), name="work") for _ in range(3)]  # not even begun
    assert cleaned == [True] * 3
    assert all(task.cancelled() for task in tasks)
    assert len(crew) == 0


async def test_a_failing_task_of_a_crew_ends_nobody_else() -> None:
    async def fail() -> None:
        raise ValueError("as asked for")

    async with Crew() as crew:
        other = crew.start(asyncio.sleep(3600), name="other")
        await asyncio.wait([crew.start(fail(), name="fail")])
        assert not other.done()
