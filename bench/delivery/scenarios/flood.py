"""A million deliveries a second: whether all of them arrive, in order, and when."""

from __future__ import annotations

from bench.delivery.peers import PEERS
from bench.delivery.peers.base import event_data
from bench.delivery.programs import Report, load, publish
from bench.delivery.scenario import OURS, Outcome, Plan, Scenario, median, ms, number
from bench.delivery.usage import usage

CHANNEL = "bench"
RATE = 1000
MOST_US = 150_000


def run(plan: Plan) -> Outcome:
    subscribers, seconds = plan.sized(1000, 50), plan.sized(10, 2)
    wanted = subscribers * RATE * seconds
    reports = [_sample(plan, subscribers, seconds) for _ in range(plan.runs)]
    arrived = min(report["messages"] for report, _ in reports)
    faults = sum(report["holes"] + report["duplicates"] + report["closed"] for report, _ in reports)
    p99 = median([report["latency_us"]["p99"] for report, _ in reports])
    p50 = median([report["latency_us"]["p50"] for report, _ in reports])
    outcome = Outcome()
    outcome.add(
        f"deliveries of {number(wanted)} that arrived, each once and in order",
        f"{number(arrived)}, {faults} faults",
        "all",
        arrived == wanted and not faults,
    )
    outcome.add("publisher to receiver, p99", f"{ms(p99)} (p50 {ms(p50)})", f"<= {ms(MOST_US)}", p99 <= MOST_US)
    outcome.add("cores: server, receiver", " / ".join(f"{median(cores):.2f}" for cores in _cores(reports)))
    outcome.add(
        "events per read of the receiver", f"{median([r['messages'] / max(1, r['reads']) for r, _ in reports]):.1f}"
    )
    return outcome


def _sample(plan: Plan, subscribers: int, seconds: int) -> tuple[Report, float]:
    ours = PEERS[OURS]
    publication = ours.publication(CHANNEL, event_data())
    with plan.running(ours) as server, load(server.port, ours.receiver([CHANNEL]), subscribers) as clients:
        publish(server.port, publication, RATE, rate=RATE, window=1000)
        clients.expect(RATE, within_s=30)
        clients.reset()
        before = usage(server.pid)
        publish(server.port, publication, RATE * seconds, first=RATE + 1, rate=RATE, window=1000)
        report = clients.expect(RATE * (seconds + 1), within_s=30)
        return report, usage(server.pid).cpu_s - before.cpu_s


def _cores(reports: list[tuple[Report, float]]) -> tuple[list[float], list[float]]:
    return (
        [cpu_s / report["elapsed_s"] for report, cpu_s in reports],
        [report["cpu_s"] / report["elapsed_s"] for report, _ in reports],
    )


SCENARIO = Scenario(
    "flood",
    "Fan-out: a million deliveries a second",
    "1 000 evenly spaced events a second of 200 bytes, durable and acknowledged, to 1 000 subscribers for 10 s.",
    run,
)
