"""What commands show: tables, colours, sizes and durations."""

from __future__ import annotations

import os
import re
import sys
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
