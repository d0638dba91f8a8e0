"""What of an agent's log lines is a speech. Plain code: lines in, speeches out.

Rules (those of BettaFish's monitor):
- A line of an ERROR drops what is being captured and blocks everything until the next INFO line.
- A target line (a line of a summary node) with JSON output begins a capture, which ends where the JSON does.
- Other target lines are speeches if they are more than a report of progress.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from antiphon.services.forum import phrases
from antiphon.services.forum.grammar import one_line
from antiphon.services.forum.jsontext import parse_output

MIN_LENGTH: Final = 30  # of a line without its prefix, in characters
MAX_CAPTURE: Final = 256 << 10  # characters and lines; what has no end by then is no output

_CLOCK = r"\[\d\d:\d\d:\d\d\]\s*"
_LOGURU = r"\d{4}-\d\d-\d\d\s+\d\d:\d\d:\d\d\.\d{3}\s*\|\s*[A-Z]+\s*\|\s*[^|]+?\s-(?:\s+|$)"
_PREFIX = re.compile(rf"^\s*(?:{_CLOCK})*(?:{_LOGURU})?")
_LEVEL = re.compile(r"\|\s*(TRACE|DEBUG|INFO|SUCCESS|WARNING|ERROR|CRITICAL)\s*\|")
_TAGS = re.compile(r"^(?:\[[^\]]*\]\s*)+")
_ENDS = ("}", "] }")


class Said(NamedTuple):
    """A speech, and the offsets of its first and last line."""

    text: str  # exact
    first: int
    last: int


@dataclass(slots=True)
class Capture:
    """How far the lines of one app were understood; `dump` and `load` carry it over restarts."""

    app: str
    is_blocked: bool = False  # an ERROR came, and no INFO since
    first: int | None = None  # offset of the line that began a capture; None = nothing is being captured
    pieces: list[str] = field(default_factory=list)
    size: int = 0  # of the pieces

    def feed(self, line: str, offset: int) -> Said | None:
        """Take the next line; what is said with it, if anything."""
        level = level_of(line)
        if level == "ERROR":
            self.is_blocked = True
        elif level == "INFO":
            self.is_blocked = False
        if self.is_blocked:
            self._forget()
            return None
        if is_target(line):
            return self._target(line, offset)
        return None if self.first is None else self._go_on(line, offset)

    def _target(self, line: str, offset: int) -> Said | None:
        start = line.find(phrases.OUTPUT + "{")
        if start >= 0:
            self.first, self.pieces, self.size = offset, [line[start + len(phrases.OUTPUT) :].strip()], 0
            return self._end(offset) if self.pieces[0].endswith("}") else None
        if not is_valuable(line):
            return None
        text = self._said(line)
        return Said(text, offset, offset) if text else None

    def _go_on(self, line: str, offset: int) -> Said | None:
        piece = without_prefix(line)
        self.pieces.append(piece)
        if piece in _ENDS:
            return self._end(offset)
        self.size += len(piece) + 1
        if self.size > MAX_CAPTURE:
            self._forget()
        return None

    def _end(self, offset: int) -> Said | None:
        first, text = self.first, "".join(self.pieces)
        self._forget()
        output = parse_output(text)
        if first is None or output is None:
            return None
        said = text_of(output)
        return Said(said, first, offset) if said.strip() else None

    def _forget(self) -> None:
        self.first, self.pieces, self.size = None, [], 0

    def _said(self, line: str) -> str:
        text = without_tags(without_prefix(line), self.app)
        label = next((label for label in phrases.LABELS if text.startswith(label)), "")
        return without_tags(text[len(label) :], self.app)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {"blocked": self.is_blocked, "first": self.first, "pieces": self.pieces}

    @classmethod
    def load(cls, app: str, found: dict[str, Any]) -> Capture:
        """What `dump` gave."""
        pieces = list(found["pieces"])
        return cls(app, found["blocked"], found["first"], pieces, sum(len(piece) + 1 for piece in pieces[1:]))


def level_of(line: str) -> str | None:
    """The level of a line that names one."""
    match = _LEVEL.search(line)
    return None if match is None else match[1]


def is_target(line: str) -> bool:
    """Whether it comes from a summary node, and is no fault."""
    if level_of(line) == "ERROR" or "| ERROR" in line or any(word in line for word in phrases.FAULTS):
        return False
    return any(word in line for word in phrases.TARGETS)


def starts_session(line: str) -> bool:
    """Whether it is the first word of a new conversation."""
    return is_target(line) and any(word in line for word in phrases.FIRST)


def is_valuable(line: str) -> bool:
    """Whether a target line says more than how far the node is."""
    if any(word in line for word in phrases.PROGRESS):
        return False
    return len(without_prefix(line)) >= MIN_LENGTH


def without_prefix(line: str) -> str:
    """The line without its time, level and place."""
    return _PREFIX.sub("", line, count=1).strip()


def without_tags(text: str, app: str) -> str:
    """The text without tags in brackets and the engine's name before it."""
    text = _TAGS.sub("", text)
    return re.sub(rf"^(?:INSIGHT|MEDIA|QUERY|{re.escape(app)})\s+", "", text, flags=re.IGNORECASE).strip()


def text_of(output: dict[str, Any]) -> str:
    """The speech in a node's output: the paragraph, else all of it."""
    for key in phrases.LATEST:
        if output.get(key):
            found = output[key]
            return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return phrases.OUTPUT + json.dumps(output, ensure_ascii=False, indent=2)


def as_written(text: str, app: str) -> str:
    """An agent's speech as `forum.log` has it: one line, without tags before it."""
    own = re.sub(rf"\[(?:INSIGHT|MEDIA|QUERY|{re.escape(app)})\]\s*", "", text, flags=re.IGNORECASE)
    return one_line(without_tags(own, app))
