"""One channel, a thousand subscribers, sixty events a second: what a delivery costs the server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

from bench.delivery.peers import PEERS
from bench.delivery.peers.base import Peer, Receiver, event_data
from bench.delivery.programs import Load, load, polling, publish
from bench.delivery.scenario import OURS, Bar, Outcome, Plan, Scenario, median, ms
from bench.delivery.usage import usage

CHANNEL = "bench"
RATE = 60
DRAIN_S = 5.0  # for a server that is behind, after the last publish

Connect = Callable[[int, Receiver, int], AbstractContextManager[Load]]
Goals = Sequence[tuple[str, float]]  # at most so many times the processor time of that server


class Sample(NamedTuple):
    cpu_us: float  # per delivery
    p50_us: float
    p99_us: float
    delivered: float  # of what should have been, 0 to 1
    faults: int  # holes, duplicates, lost connections


def sample(plan: Plan, peer: Peer, *, burst: int, connect: Connect = load) -> Sample:
    """One run of one server: a second to warm up, then the measured window until the last event is everywhere."""
    subscribers, warm_up = plan.sized(1000, 50), RATE
    seconds = plan.sized(6, 2)
    count = RATE * seconds
    publication, receiver = peer.publication(CHANNEL, event_data()), peer.receiver([CHANNEL])
    with plan.running(peer) as server, connect(server.port, receiver, subscribers) as clients:
        publish(server.port, publication, warm_up, rate=RATE, burst=burst, limit_s=1 + DRAIN_S)
        clients.expect(warm_up, within_s=DRAIN_S)
        clients.reset()
        before = usage(server.pid)
        limit_s = seconds + DRAIN_S
        publish(server.port, publication, count, first=warm_up + 1, rate=RATE, burst=burst, limit_s=limit_s)
        report = clients.expect(warm_up + count, within_s=DRAIN_S)
        cpu_s = usage(server.pid).cpu_s - before.cpu_s
    latency = report["latency_us"]
    return Sample(
        cpu_s * 1e6 / max(1, report["messages"]),
        latency["p50"],
        latency["p99"],
        report["messages"] / (count * subscribers),
        report["holes"] + report["duplicates"] + report["closed"],
    )


def run(
    plan: Plan,
    *,
    burst: int,
    group: str,
    goals: Goals,
    ours: str = OURS,
    peers: Sequence[str] = (),
    connect: Connect = load,
) -> Outcome:
    samples: defaultdict[str, list[Sample]] = defaultdict(list)
    for peer in plan.rounds(*peers):
        samples[peer.name].append(sample(plan, peer, burst=burst, connect=connect))
    outcome = Outcome()
    cpu = {name: median([one.cpu_us for one in found]) for name, found in samples.items()}
    for name, found in samples.items():
        outcome.add(PEERS[name].title, _described(found))
        outcome.bars.append(Bar(group, PEERS[name].title.replace("*", "").replace("`", ""), cpu[name]))
    for name, most in goals:
        if name in cpu and ours in cpu:
            ratio = cpu[ours] / cpu[name]
            outcome.add(
                f"processor time per delivery beside {PEERS[name].title}",
                f"{ratio:.2f}x",
                f"<= {most:.2f}x",
                ratio <= most,
            )
    return outcome


def _described(samples: Sequence[Sample]) -> str:
    cpu = [one.cpu_us for one in samples]
    text = f"{median(cpu):.2f} µs ({min(cpu):.2f}-{max(cpu):.2f}), "
    text += f"p50 {ms(median([one.p50_us for one in samples]))}, p99 {ms(median([one.p99_us for one in samples]))}"
    least, faults = min(one.delivered for one in samples), sum(one.faults for one in samples)
    if least < 1:
        text += f"; only {least:.0%} arrived in time"
    if faults:
        text += f"; {faults} lost, repeated or cut off"
    return text


ABOUT = (
    f"1 000 subscribers of one channel; {RATE} events a second of 200 bytes for 6 s, {{}}, after a second to warm up. "
    "Processor time of the server's processes per delivered event, median (lowest-highest) of the runs, and the time "
    "from publisher to receiver. Our events are on disk before anybody sees them, and can be resumed from; around the "
    "200 bytes they carry 145 of their own (channel, offset, type, time, who), the others' none: where ours are 200 "
    "with all that, a delivery costs a tenth less. Three quarters of it are the kernel's, for one write to each socket."
)
SINGLES = Scenario(
    "singles",
    "Fan-out: single events",
    ABOUT.format("evenly spaced"),
    partial(run, burst=1, group="one at a time", goals=(("nchan", 1.15), ("ws", 0.8))),
)
BURSTS = Scenario(
    "bursts",
    "Fan-out: bursts of ten",
    ABOUT.format("ten at a time"),
    partial(run, burst=10, group="in bursts of 10", goals=(("nchan", 1 / 5), ("socket.io", 1 / 7))),
)

SOCKETIO = ("antiphon-socketio", "socket.io", "python-socketio")
SOCKETIO_ABOUT = (
    "1 000 clients of stock Socket.IO {} hear a room, to which an application emits {} events of 200 bytes a "
    "second, {}, for 6 s, after a second to warm up. Ours is a namespace of `antiphon serve`; rooms are not durable "
    "anywhere. Processor time of the server per delivered event, and the time from publisher to receiver."
)
SOCKETIO_SINGLES = Scenario(
    "socketio",
    "Socket.IO: single events",
    SOCKETIO_ABOUT.format("over WebSocket", RATE, "evenly spaced"),
    partial(
        run,
        burst=1,
        group="Socket.IO, one at a time",
        goals=(("python-socketio", 1 / 6), ("socket.io", 1.0)),
        ours=SOCKETIO[0],
        peers=SOCKETIO,
    ),
)
SOCKETIO_BURSTS = Scenario(
    "socketio-bursts",
    "Socket.IO: bursts of ten",
    SOCKETIO_ABOUT.format("over WebSocket", RATE, "ten at a time"),
    partial(
        run,
        burst=10,
        group="Socket.IO, in bursts of 10",
        goals=(("socket.io", 1 / 5),),
        ours=SOCKETIO[0],
        peers=SOCKETIO,
    ),
)
SOCKETIO_POLLING = Scenario(
    "socketio-polling",
    "Socket.IO: long-polling",
    SOCKETIO_ABOUT.format("that poll over HTTP", RATE, "evenly spaced")
    + " A server that is behind answers with more events at a time, which is what makes polling possible at all.",
    partial(
        run,
        burst=1,
        group="Socket.IO, polling",
        goals=(("python-socketio", 1 / 3),),
        ours=SOCKETIO[0],
        peers=SOCKETIO,
        connect=polling,
    ),
)
