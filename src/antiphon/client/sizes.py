"""Whether the server would take a frame: said here, with a name, before it costs the connection."""

from __future__ import annotations

import re

from antiphon.client.wire import Limits
from antiphon.errors import AntiphonError, TooDeep, TooLarge

_bracket_or_string = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]')


def frame_problem(frame: bytes, limits: Limits) -> AntiphonError | None:
    """TooLarge or TooDeep if the server's limits forbid this frame, else None."""
    if len(frame) > limits.message_bytes:
        return TooLarge(f"this message has {len(frame)} bytes, the server takes {limits.message_bytes}")
    if frame.count(b"{") + frame.count(b"[") > limits.nesting and _depth(frame) > limits.nesting:
        return TooDeep(f"this message is nested deeper than the {limits.nesting} levels that the server takes")
    return None


def _depth(frame: bytes) -> int:
    depth = deepest = 0
    for match in _bracket_or_string.finditer(frame):
        if match[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in b"]}":
            depth -= 1
    return deepest
