"""The forum: records of `forum.log` and speeches of its channel, as the messages of the chat.

```text
record = "[" HH ":" MM ":" SS "]" SP "[" SOURCE "]" SP [ "[" session "]" ] SP? content
```
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, TypedDict

from antiphon.messages import Event

CHANNEL: Final = "forum:main"
CLEARED: Final = "forum.cleared"  # in the log: the file begins anew
SPEECH: Final = "forum.speech"

AGENTS: Final = ("QUERY", "INSIGHT", "MEDIA")
HOST: Final = "HOST"
BANNER: Final = "=== ForumEngine"
_RECORD = re.compile(r"\[(\d{2}:\d{2}:\d{2})\]\s*\[([^\]]+)\]\s*(?:\[(?:[0-9A-Za-z_-]{8})?\](?:\s+|$))?(.*)", re.DOTALL)


class ForumMessage(TypedDict):
    type: str  # agent or host
    sender: str
    content: str
    timestamp: str  # HH:MM:SS
    source: str  # in capitals


class Record(NamedTuple):
    """One line of the file that has both fields in brackets."""

    at: str
    source: str  # in capitals
    content: str  # with its escapes


def parse_record(line: str) -> Record | None:
    """Read a line; None for banners and whatever else has no such fields."""
    match = _RECORD.match(line.strip())
    return None if match is None else Record(match[1], match[2].strip().upper(), match[3])


def message_of_line(line: str) -> ForumMessage | None:
    """A record as the chat shows it; None for what it does not show: SYSTEM, unknown sources, blank contents."""
    record = parse_record(line)
    if record is None or BANNER in record.content:
        return None
    content = record.content.replace("\\n", "\n").replace("\\r", "").strip()
    return _message(record.source, content, record.at) if content else None


def message_of_speech(event: Event) -> ForumMessage | None:
    """A speech as the chat shows it, with the exact text; a muted one is not in the file either."""
    if event.type != SPEECH:
        return None
    data = event.data
    if data["kind"] not in ("agent", "host") or data.get("muted"):
        return None
    content = data["text"].strip()
    return _message(data["source"].upper(), content, data["clock"]) if content else None


def _message(source: str, content: str, at: str) -> ForumMessage | None:
    if source == HOST:
        return ForumMessage(type="host", sender="Forum Host", content=content, timestamp=at, source=source)
    if source in AGENTS:
        sender = f"{source.title()} Engine"
        return ForumMessage(type="agent", sender=sender, content=content, timestamp=at, source=source)
    return None
