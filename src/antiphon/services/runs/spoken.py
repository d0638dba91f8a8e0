"""What a wrapped program's lines say in its run. Plain code without I/O.

A line of standard output that is a JSON object with the key `antiphon` is an event: the key's value is the type, the
rest is the data. `{"antiphon": "message.append", "message_id": "m", "delta": "hi"}`. Every other line is a `log`.
"""

from __future__ import annotations

from typing import Final

import orjson

from antiphon.services.runs.values import RunEvent

MARK: Final = "antiphon"
_QUOTED: Final = f'"{MARK}"'


def event_of(stream: str, text: str, key: str | None) -> RunEvent | None:
    """The event that a line says it is; None for a plain line. Whether it may be said is for others to judge."""
    if stream != "stdout" or _QUOTED not in text or not text.lstrip().startswith("{"):
        return None
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    kind = said.pop(MARK, None) if isinstance(said, dict) else None
    return RunEvent(kind, said, key) if isinstance(kind, str) else None


def line_of(stream: str, text: str, key: str | None) -> RunEvent:
    """The line as a `log` event; which stream it came from is the logger."""
    return RunEvent("log", {"level": "info", "text": text, "logger": stream}, key)
