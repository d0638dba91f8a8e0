"""JSON that arrives in pieces: where it is complete, without parsing it again and again."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'\\.?|["{}\[\]]', re.DOTALL)


class GrowingJson:
    """Counts the brackets of an object or array, each character once. Anything else is never complete."""

    __slots__ = ("_depth", "_escaped", "_in_text", "_is_bracketed", "_is_complete")

    def __init__(self) -> None:
        self._depth = 0
        self._escaped = False
        self._in_text = False
        self._is_bracketed: bool | None = None  # None = nothing but space so far
        self._is_complete = False

    def feed(self, piece: str) -> bool:
        """Take in more; returns whether the value is complete now. What follows a complete one begins another."""
        if self._is_bracketed is None:
            begun = piece.lstrip()
            if not begun:
                return False
            self._is_bracketed = begun[0] in "{["
        if not self._is_bracketed or not piece.strip():
            return self._is_complete
        self._is_complete = False
        start = 1 if self._escaped else 0
        self._escaped = False
        for match in _TOKEN.finditer(piece, start):
            self._take(match[0])
        return self._is_complete

    def _take(self, token: str) -> None:
        if token[0] == "\\":
            self._escaped = len(token) == 1  # the character it stands before comes with the next piece
        elif token == '"':
            self._in_text = not self._in_text
        elif not self._in_text:
            self._depth += 1 if token in "{[" else -1
            self._is_complete = self._depth == 0
