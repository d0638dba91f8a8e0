"""How many events a second can be acknowledged, which means: are on disk."""

from __future__ import annotations

from bench.delivery.peers import PEERS
from bench.delivery.peers.base import event_data
from bench.delivery.programs import Report, publish
from bench.delivery.scenario import OURS, Outcome, Plan, Scenario, median, ms, number

WAYS = (
    ("64 publishers, each waiting for every answer", {"connections": 64, "window": 1}, 100_000, 20_000),
    ("1 publisher, pipelining", {"connections": 1, "window": 2000}, 400_000, 60_000),
)


def run(plan: Plan) -> Outcome:
    outcome = Outcome()
    samples: dict[str, list[Report]] = {what: [] for what, *_ in WAYS}
    for _ in range(plan.runs):
        for what, pace, count, _goal in WAYS:
            samples[what].append(_sample(plan, pace, plan.sized(count, 2000)))
    for what, _pace, _count, goal in WAYS:
        per_s = median([report["per_s"] for report in samples[what]])
        p99 = median([report["acknowledged_us"]["p99"] for report in samples[what]])
        outcome.add(what, f"{number(per_s)}/s, acknowledged p99 {ms(p99)}", f">= {number(goal)}/s", per_s >= goal)
    return outcome


def _sample(plan: Plan, pace: dict[str, int], count: int) -> Report:
    ours = PEERS[OURS]
    with plan.running(ours) as server:
        publication = ours.publication("bench", event_data(150))
        publish(server.port, publication, count // 20, **pace)
        return publish(server.port, publication, count, **pace)


SCENARIO = Scenario(
    "durable",
    "Durable publishes",
    "Events of 150 bytes over WebSocket, acknowledged after a commit with `synchronous = full`. The publisher is a "
    "small C program, the server one process.",
    run,
)
