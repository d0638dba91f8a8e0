"""Everybody is cut off at once, misses events, and comes back at once."""

from __future__ import annotations

import time
from typing import NamedTuple

from bench.delivery.peers import PEERS, antiphon
from bench.delivery.peers.base import event_data
from bench.delivery.programs import Report, load, publish
from bench.delivery.scenario import OURS, Outcome, Plan, Scenario, median, mib, number
from bench.delivery.usage import forget_peak, peak_bytes, usage

CHANNEL = "bench"
SEEN = 20  # before the cut
MISSED = 500


class Sample(NamedTuple):
    report: Report
    seconds: float
    before_bytes: int
    peak_bytes: int


def run(plan: Plan) -> Outcome:
    connections = plan.sized(5000, 100)
    samples = [_sample(plan, connections) for _ in range(plan.runs)]
    complete = min(one.report["complete"] for one in samples)
    faults = sum(one.report["holes"] + one.report["duplicates"] for one in samples)
    seconds = [one.seconds for one in samples]
    outcome = Outcome()
    outcome.add(
        f"of {number(connections)} connections resumed, each event exactly once",
        f"{number(complete)}, {faults} faults",
        "all",
        complete == connections and not faults,
    )
    outcome.add(
        "from the first connect until all have everything",
        f"{median(seconds):.1f} s ({min(seconds):.1f}-{max(seconds):.1f})",
    )
    outcome.add("events a second meanwhile", number(connections * MISSED / median(seconds)))
    peak, before = median([one.peak_bytes for one in samples]), median([one.before_bytes for one in samples])
    outcome.add("resident memory: peak (before)", f"{mib(peak)} ({mib(before)})")
    return outcome


def _sample(plan: Plan, connections: int) -> Sample:
    ours = PEERS[OURS]
    publication = ours.publication(CHANNEL, event_data())
    receiver = ours.receiver([CHANNEL])
    with plan.running(ours) as server, load(server.port, receiver, connections, in_flight=connections) as clients:
        publish(server.port, publication, SEEN, window=SEEN)
        clients.expect(SEEN, within_s=30)
        clients.cut()
        publish(server.port, publication, MISSED, first=SEEN + 1, window=MISSED)
        before = usage(server.pid).rss_bytes
        forget_peak(server.pid)
        clients.reset()
        began = time.monotonic()
        clients.connect(antiphon.resuming(CHANNEL, antiphon.epoch(server.port)))
        report = clients.expect(SEEN + MISSED, within_s=120)
        return Sample(report, time.monotonic() - began, before, peak_bytes(server.pid))


SCENARIO = Scenario(
    "storm",
    "A reconnect storm",
    f"5 000 connections are reset at once; {MISSED} events of 200 bytes later all of them connect at the same moment, "
    "each with its own cursor.",
    run,
)
