"""What a connection costs while nothing happens."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import NamedTuple

from bench.delivery.peers import PEERS
from bench.delivery.peers.base import Peer
from bench.delivery.programs import load
from bench.delivery.scenario import OURS, Outcome, Plan, Scenario, kib, median
from bench.delivery.usage import usage

CHANNELS = ("bench:one", "bench:two", "bench:three")
SETTLE_S = 2.0  # for what connecting left behind
MOST_BYTES = 10 * 1024
MOST_CORES = 0.03


class Sample(NamedTuple):
    bytes_each: float
    cores: float


def run(plan: Plan) -> Outcome:
    connections, seconds = plan.sized(10_000, 100), plan.sized(15, 2)
    samples: defaultdict[str, list[Sample]] = defaultdict(list)
    for peer in plan.rounds():
        if peer.name == OURS or not samples[peer.name]:  # memory varies little: once is enough for the others
            samples[peer.name].append(_sample(plan, peer, connections, seconds))
    outcome = Outcome()
    for name, found in samples.items():
        each, cores = median([one.bytes_each for one in found]), median([one.cores for one in found])
        is_ours = name == OURS
        outcome.add(
            f"{PEERS[name].title}: resident memory of a connection",
            kib(each),
            f"<= {kib(MOST_BYTES)}" if is_ours else "",
            each <= MOST_BYTES if is_ours else None,
        )
        outcome.add(
            f"{PEERS[name].title}: processor",
            f"{cores:.1%} of a core",
            f"< {MOST_CORES:.0%}" if is_ours else "",
            cores < MOST_CORES if is_ours else None,
        )
    return outcome


def _sample(plan: Plan, peer: Peer, connections: int, seconds: int) -> Sample:
    with plan.running(peer) as server:
        with load(server.port, peer.receiver(CHANNELS), 10):
            empty = usage(server.pid)  # after a few, so that what is loaded on first use is not counted
        with load(server.port, peer.receiver(CHANNELS), connections):
            time.sleep(SETTLE_S)
            before = usage(server.pid)
            time.sleep(seconds)
            after = usage(server.pid)
    return Sample((after.rss_bytes - empty.rss_bytes) / connections, (after.cpu_s - before.cpu_s) / seconds)


SCENARIO = Scenario(
    "idle",
    "Idle connections",
    f"10 000 connections with {len(CHANNELS)} subscriptions each; nothing is published for 15 s, heartbeats go on. "
    "Growth of the server's resident memory by the connection, and its processor time.",
    run,
)
