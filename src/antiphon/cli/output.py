"""What commands show: tables, colours, sizes and durations."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

STATUS_STYLES = {
    "running": "green",
    "starting": "cyan",
    "stopping": "cyan",
    "unhealthy": "yellow",
    "failed": "bold red",
    "exited": "default",
    "stopped": "dim",
    # of runs, where they are not called as those of processes
    "queued": "dim",
    "waiting": "bold yellow",
    "cancelling": "cyan",
    "succeeded": "default",
    "cancelled": "dim",
    "lost": "bold red",
}

# Of a program's escape sequences only colours reach a terminal: no titles, no clipboard, no cursor.
_escapes = re.compile(
    r"\x1b\[[0-?]*[ -/]*(?P<last>[@-~])"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|$)"  # OSC, DCS, ... with their text
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]"
)


def safe(text: str) -> str:
    """`text` for a terminal, with colours but without anything else that a terminal would obey."""
    return _escapes.sub(lambda match: match[0] if match["last"] == "m" else "", text)


def has_colour() -> bool:
    """Whether standard output is a terminal that wants colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_json(value: Any) -> None:
    """One JSON document, indented, on standard output."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def size(number: float | None) -> str:
    """Bytes in words: `12 MB`."""
    if number is None:
        return ""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def duration(span: timedelta) -> str:
    """The two largest units: `2d 3h`, `4m 5s`."""
    seconds = max(0, int(span.total_seconds()))
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count}{unit}" for count, unit in parts[:2])


def clock(moment: datetime) -> str:
    """Local time of day."""
    return f"{moment.astimezone():%H:%M:%S}"


def moment(text: str) -> datetime:
    """The time that the wire names (RFC 3339)."""
    return datetime.fromisoformat(text)


def local_time(text: str) -> str:
    """The time that the wire names as the clock on the wall shows it."""
    return f"{moment(text).astimezone():%Y-%m-%d %H:%M:%S}"


def cost(usage: Mapping[str, Any]) -> str:
    """What a run has used: money if that is known, else tokens; empty if neither is."""
    if usage.get("cost_usd") is not None:
        return f"${usage['cost_usd']:.4f}"
    tokens = usage.get("total_tokens") or (usage.get("input_tokens") or 0) + (usage.get("output_tokens") or 0)
    return f"{tokens} tok" if tokens else ""
