"""The outcome of reading the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from antiphon.server.settings.model import Settings
from antiphon.server.settings.origins import DEFAULT, Key, Origin


@dataclass(frozen=True, slots=True)
class Loaded:
    """The effective settings, and where each value that is no default was set."""

    settings: Settings
    origins: Mapping[Key, Origin]  # of values that were set, by key
    file: Path | None  # None = no file was read
    warnings: tuple[str, ...] = ()  # what was set and is not used, a sentence each

    def origin(self, key: Key) -> Origin:
        """Where the value of a setting came from; a value inside a list or table: where that was set."""
        return next((self.origins[key[:end]] for end in range(len(key), 0, -1) if key[:end] in self.origins), DEFAULT)
