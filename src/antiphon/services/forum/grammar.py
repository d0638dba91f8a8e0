"""Records of `forum.log`: how they are written, and how they and their ancestors are read. Plain code.

    [HH:MM:SS] [SOURCE] [session] content

One record is one line. Line breaks become backslash-n and backslash-r; a backslash itself is not escaped, so what is
read back is not always what was written. The session is 8 characters, is empty (two blanks) outside a session, and is
missing altogether in files of early monitors. A line of another form is a banner, written when the program began.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SESSION_PATTERN = r"[A-Za-z0-9]{8}"

_RECORD = re.compile(
    rf"""\[(?P<clock>\d\d:\d\d:\d\d)\]\s*
         \[(?P<source>[^\]]*)\]
         (?:[ ]\[(?P<session>{SESSION_PATTERN})\](?=[ ]|$))?
         (?P<content>.*)""",
    re.VERBOSE | re.DOTALL,
)


class Record(NamedTuple):
    """One record; `content` as it was said, with its line breaks."""

    clock: str  # HH:MM:SS, local time
    source: str  # in capitals
    content: str
    session: str | None = None  # None = none is active, or the file has no tags


class Banner(NamedTuple):
    """A line that is no record."""

    text: str


def write(record: Record, *, tags: bool = True) -> str:
    """The record as a line, without its LF. With `tags` the session's place is kept where there is none."""
    tag = f" [{record.session}]" if record.session else " "
    return f"[{record.clock}] [{record.source}]{tag if tags else ''} {escape(record.content)}"


def parse(line: str) -> Record | Banner:
    """Read a line; blanks around the source and the content do not count. Lenient: so are the readers of the file."""
    match = _RECORD.fullmatch(line.rstrip("\r\n"))
    if match is None or not match["source"].strip():
        return Banner(line.rstrip("\r\n"))
    return Record(match["clock"], match["source"].strip().upper(), unescape(match["content"]).strip(), match["session"])


def escape(text: str) -> str:
    """Line breaks as two characters."""
    return text.replace("\n", "\\n").replace("\r", "\\r")


def unescape(text: str) -> str:
    """Backslash-n as a line break, backslash-r as nothing."""
    return text.replace("\\n", "\n").replace("\\r", "")


def one_line(text: str) -> str:
    """What agents say is written without line breaks: blanks of any kind become one."""
    return " ".join(text.split())
