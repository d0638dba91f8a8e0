"""Some clients stop reading: nobody else may notice, and nobody may hold more than the bound."""

from __future__ import annotations

from typing import NamedTuple

from bench.delivery.peers import PEERS, antiphon
from bench.delivery.peers.base import event_data
from bench.delivery.programs import load, publish
from bench.delivery.scenario import OURS, Outcome, Plan, Scenario, median, mib, ms, number
from bench.delivery.usage import forget_peak, peak_bytes, usage

CHANNEL = "bench"
EVENT_BYTES = 4096
RATE, BURST = 50, 5
BOUND_BYTES = 2**20
CUTS = "antiphon_cuts_total"
MOST_RATIO, MOST_GROWTH = 1.2, 1.05


class Sample(NamedTuple):
    p99_us: float
    complete: bool
    growth_bytes: int
    cuts: float
    pulling: int


def run(plan: Plan) -> Outcome:
    clients, stalled = plan.sized(2000, 50), plan.sized(100, 5)
    pairs = [(_sample(plan, clients, 0), _sample(plan, clients, stalled)) for _ in range(plan.runs)]
    without, beside = (median([pair[i].p99_us for pair in pairs]) for i in (0, 1))
    outcome = Outcome()
    outcome.add(
        "p99 of the healthy ones, with and without stalled ones",
        f"{ms(beside)} / {ms(without)} = {beside / without:.2f}x",
        f"<= {MOST_RATIO}x",
        beside / without <= MOST_RATIO,
    )
    complete = all(one.complete for pair in pairs for one in pair)
    outcome.add("all healthy ones received everything, once and in order", "yes" if complete else "no", "yes", complete)
    cuts, pulling = min(pair[1].cuts for pair in pairs), min(pair[1].pulling for pair in pairs)
    outcome.add(
        "connections beyond the bound at the end, and cuts counted",
        f"{pulling} of {stalled} stalled, {number(cuts)}",
        "all",
        pulling == stalled <= cuts,
    )
    growth = median([pair[1].growth_bytes for pair in pairs])
    most = BOUND_BYTES * stalled * MOST_GROWTH
    outcome.add(
        "growth of memory, at its peak",
        f"{mib(growth)} ({mib(median([p[0].growth_bytes for p in pairs]))} without)",
        f"<= {mib(most)}",
        growth <= most,
    )
    return outcome


def _sample(plan: Plan, connections: int, stalled: int) -> Sample:
    ours, warm_up = PEERS[OURS], RATE
    count = RATE * plan.sized(24, 24)
    publication, receiver = ours.publication(CHANNEL, event_data(EVENT_BYTES)), ours.receiver([CHANNEL])
    pace = {"rate": RATE, "burst": BURST, "window": 500}
    with plan.running(ours) as server, load(server.port, receiver, connections, small_buffers=stalled) as clients:
        publish(server.port, publication, warm_up, **pace)
        clients.expect(warm_up, within_s=30)
        clients.stall(stalled)
        clients.reset()
        before, cuts = usage(server.pid).rss_bytes, antiphon.metric(server.port, CUTS)
        forget_peak(server.pid)
        publish(server.port, publication, count, first=warm_up + 1, **pace)
        report = clients.expect(warm_up + count, within_s=30)
        is_complete = report["complete"] == connections - stalled and not report["holes"] + report["duplicates"]
        growth, cuts = peak_bytes(server.pid) - before, antiphon.metric(server.port, CUTS) - cuts
        pulling = antiphon.pulling(server.port)
    return Sample(report["latency_us"]["p99"], is_complete, growth, cuts, pulling)


SCENARIO = Scenario(
    "stalled",
    "Clients that stop reading",
    f"100 of 2 000 subscribers stop reading for ever while {RATE} events a second of 4 KiB are published in bursts of "
    f"{BURST} for 24 s: several times what the kernel and the bound of 1 MiB can hold of a connection.",
    run,
)
