"""Counters and gauges in Prometheus text format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator

from antiphon.server.core import Core

HELP = {
    "published": "Events committed.",
    "deliveries": "Events sent live, per subscriber.",
    "flushes": "Flushes of the fan-out.",
    "cuts": "Live subscriptions that went back to pulling because their connection was over its bound.",
    "pages": "Pages pulled from the log.",
    "pulled": "Events in pulled pages.",
    "gaps": "Subscribers told of events that will not come.",
    "trimmed": "Events forgotten by retention.",
}


def render(core: Core) -> str:
    return "\n".join([*_counters(core), *_connections(core), ""])


def _counters(core: Core) -> Iterator[str]:
    for name, text in HELP.items():
        yield from _metric(f"antiphon_{name}_total", "counter", text, [("", getattr(core.hub.stats, name))])
    yield from _metric("antiphon_queued_events", "gauge", "Events waiting to be stored.", [("", core.hub.queued)])


def _connections(core: Core) -> Iterator[str]:
    open_now, ended = "Open connections.", "Connections that ended, by reason."
    yield from _metric("antiphon_connections", "gauge", open_now, [("", len(core.connections))])
    yield from _metric("antiphon_connections_total", "counter", "Connections opened.", [("", core.connections.total)])
    rows = [(f'{{reason="{_escaped(reason)}"}}', count) for reason, count in core.connections.endings.items()]
    yield from _metric("antiphon_disconnects_total", "counter", ended, rows)


def _metric(name: str, kind: str, text: str, rows: list[tuple[str, int]]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in rows:
        yield f"{name}{labels} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
