"""A small channel beside a very large one."""

from __future__ import annotations

from bench.delivery.peers import PEERS
from bench.delivery.peers.base import event_data
from bench.delivery.programs import Load, load, publish, publishing
from bench.delivery.scenario import OURS, Outcome, Plan, Scenario, median, ms, number

SMALL, LARGE = "bench:small", "bench:large"
SMALL_RATE, LARGE_RATE = 50, 5
MOST_RATIO = 2.0


def run(plan: Plan) -> Outcome:
    many, few, seconds = plan.sized(10_000, 200), plan.sized(100, 10), plan.sized(10, 2)
    ours = PEERS[OURS]
    alone, beside, large = [], [], []
    with (
        plan.running(ours) as server,
        load(server.port, ours.receiver([LARGE]), many) as crowd,
        load(server.port, ours.receiver([SMALL]), few) as circle,
    ):
        for turn in range(plan.runs):
            first, first_large = 1 + 2 * turn * SMALL_RATE * seconds, 1 + turn * LARGE_RATE * seconds
            alone.append(_small(server.port, circle, first, seconds))
            loud = ours.publication(LARGE, event_data())
            crowd.reset()
            with publishing(server.port, loud, LARGE_RATE * seconds, first=first_large, rate=LARGE_RATE) as meanwhile:
                beside.append(_small(server.port, circle, first + SMALL_RATE * seconds, seconds))
                meanwhile.finish()
            large.append(crowd.expect(first_large + LARGE_RATE * seconds - 1, within_s=30)["latency_us"]["p99"])
    ratio = median(beside) / median(alone)
    outcome = Outcome()
    outcome.add(
        "p99 of the small channel beside the large one, and alone",
        f"{ms(median(beside))} / {ms(median(alone))} = {ratio:.2f}x",
        f"<= {MOST_RATIO:.0f}x",
        ratio <= MOST_RATIO,
    )
    outcome.add(f"p99 of the large channel ({number(many)} subscribers)", ms(median(large)))
    return outcome


def _small(port: int, circle: Load, first: int, seconds: int) -> float:
    """The small channel's p99 in microseconds."""
    circle.reset()
    count = SMALL_RATE * seconds
    publish(port, PEERS[OURS].publication(SMALL, event_data()), count, first=first, rate=SMALL_RATE)
    report = circle.expect(first + count - 1, within_s=30)
    if report["holes"] or report["duplicates"]:
        raise RuntimeError("the small channel lost its order")
    p99: float = report["latency_us"]["p99"]
    return p99


SCENARIO = Scenario(
    "fairness",
    "A small channel beside a large one",
    f"100 subscribers of a channel with {SMALL_RATE} events a second; 10 000 connections are subscribed to another "
    f"channel, first silent, then with {LARGE_RATE} events a second. In turns, on one server.",
    run,
)
