"""Where a setting's value came from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

Key = tuple[str, ...]
"""A setting's path: `("server", "port")`, `("process", "web", "command")`."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(key: Key) -> str:
    """The key as it would stand in TOML: `server.port`, `retention."log:*".max_events`."""
    return ".".join(part if _BARE.fullmatch(part) else f'"{part}"' for part in key)


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of one effective value."""

    kind: Literal["default", "file", "environment", "flag"]
    name: str = ""  # the variable's or the flag's name
    file: Path | None = None
    line: int | None = None  # counts from 1; None where it could not be found

    def __str__(self) -> str:
        if self.kind != "file":
            return self.name or self.kind
        return f"{self.file}" if self.line is None else f"{self.file}:{self.line}"


DEFAULT = Origin("default")


class Assignment(NamedTuple):
    """One value that somebody set."""

    key: Key
    value: Any
    origin: Origin
