"""Counters, gauges and histograms in Prometheus text format 0.0.4."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from antiphon.hub.stats import Histogram
from antiphon.server.core import Core

COUNTERS = {
    "published": "Events committed.",
    "deliveries": "Events sent live, per subscriber.",
    "flushes": "Ticks of the flush clock that had something to send.",
    "cuts": "Live subscriptions that went back to pulling because their connection was over its bound.",
    "pages": "Pages pulled from the log.",
    "pulled": "Events in pulled pages.",
    "gaps": "Subscribers told of events that will not come.",
    "trimmed": "Events forgotten by retention.",
}
HISTOGRAMS = {
    "commit_seconds": ("commit_s", "Storing one batch."),
    "flush_seconds": ("flush_s", "Sending one batch of a channel to all its live subscribers."),
    "flush_deliveries": ("flush_size", "Deliveries of one batch of a channel."),
    "publish_to_write_seconds": ("write_s", "From a batch's first submission until its last socket was written to."),
}
Rows = Iterable[tuple[str, float]]


def render(core: Core) -> str:
    return "\n".join([*_hub(core), *_connections(core), *_runs(core), *_health(core), ""])


def _hub(core: Core) -> Iterator[str]:
    for name, text in COUNTERS.items():
        yield from _metric(f"{name}_total", "counter", text, [("", getattr(core.hub.stats, name))])
    yield from _metric("queued_events", "gauge", "Events waiting to be stored.", [("", core.hub.queued)])
    for name, (field, text) in HISTOGRAMS.items():
        yield from _histogram(name, text, getattr(core.hub.stats, field))


def _connections(core: Core) -> Iterator[str]:
    open_ones = core.connections.open_ones()
    transports = Counter(connection.peer.transport for connection in open_ones)
    yield from _metric("connections", "gauge", "Open connections, by transport.", _by("transport", transports))
    yield from _metric("connections_total", "counter", "Connections opened.", [("", core.connections.total)])
    ended = _by("reason", core.connections.endings)
    yield from _metric("disconnects_total", "counter", "Connections that ended, by reason.", ended)
    sent = sum(connection.socket.sent_bytes for connection in open_ones) + core.connections.sent_bytes
    received = sum(connection.socket.received_bytes for connection in open_ones) + core.connections.received_bytes
    yield from _metric("sent_bytes_total", "counter", "Bytes sent to connections.", [("", sent)])
    yield from _metric("received_bytes_total", "counter", "Bytes received from connections.", [("", received)])
    queued = sum(connection.socket.queued_bytes for connection in open_ones)
    yield from _metric("queued_bytes", "gauge", "Bytes waiting for sockets.", [("", queued)])
    lags: Counter[str] = Counter()
    for connection in open_ones:
        for subscription in connection.outlet.subscriptions.values():
            family = subscription.channel.name.partition(":")[0]
            lags[family] = max(lags[family], subscription.channel.head - subscription.cursor)
    text = "Events that the furthest subscriber is behind, by channel family."
    yield from _metric("lag_events", "gauge", text, _by("family", lags))


def _runs(core: Core) -> Iterator[str]:
    statuses = Counter(row["status"] for row in core.runs.rows.values())
    yield from _metric("runs", "gauge", "Runs that are kept, by status.", _by("status", statuses))
    waiting = sum(row["status"] == "open" for row in core.questions.rows.values())
    yield from _metric("questions_open", "gauge", "Questions that wait for an answer.", [("", waiting)])
    yield from _metric("cancels_total", "counter", "Cancels that were asked for.", [("", core.cancels)])
    text = "Runs whose owner gave no sign in time."
    yield from _metric("leases_lost_total", "counter", text, [("", core.runs.leases_lost)])


def _health(core: Core) -> Iterator[str]:
    stuck = {core.canary.problem.value: 1} if core.canary.problem else {}
    yield from _metric("stuck", "gauge", "1 for what keeps events from arriving.", _by("stage", stuck))
    text = "Round trip of the last event that the canary heard."
    yield from _metric("canary_seconds", "gauge", text, [("", core.canary.round_trip_s)])
    active = _by("path", {core.active_path: 1})
    yield from _metric("active_path", "gauge", "Which way hot sockets take.", active)


def _metric(name: str, kind: str, text: str, rows: Rows) -> Iterator[str]:
    yield f"# HELP antiphon_{name} {text}"
    yield f"# TYPE antiphon_{name} {kind}"
    for labels, value in rows:
        yield f"antiphon_{name}{labels} {value}"


def _histogram(name: str, text: str, found: Histogram) -> Iterator[str]:
    running = itertools.accumulate(found.counts)
    bounds = [*map(str, found.bounds), "+Inf"]
    buckets = [(f'_bucket{{le="{bound}"}}', float(count)) for bound, count in zip(bounds, running, strict=True)]
    yield from _metric(name, "histogram", text, [*buckets, ("_sum", found.total), ("_count", found.count)])


def _by(label: str, counts: dict[str, int] | Counter[str]) -> Rows:
    return [(f'{{{label}="{_escaped(name)}"}}', count) for name, count in counts.items()]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
