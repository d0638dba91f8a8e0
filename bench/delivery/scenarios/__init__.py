"""What is measured, in the order in which it is told."""

from __future__ import annotations

from bench.delivery.scenario import Scenario
from bench.delivery.scenarios import durable, fairness, fanout, flood, idle, messages, stalled, storm

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        fanout.SINGLES,
        fanout.BURSTS,
        flood.SCENARIO,
        idle.SCENARIO,
        storm.SCENARIO,
        durable.SCENARIO,
        messages.SCENARIO,
        stalled.SCENARIO,
        fairness.SCENARIO,
        fanout.SOCKETIO_SINGLES,
        fanout.SOCKETIO_BURSTS,
        fanout.SOCKETIO_POLLING,
    )
}
