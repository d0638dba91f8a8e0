"""Names of processes and followed log files: each becomes the channel `log:NAME`, some a directory."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

from antiphon.errors import SettingsError

NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.~-]{0,63}$"  # no ":" and no leading dot or dash

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


def check_name(name: str, table: str) -> None:
    """Raise SettingsError where `[table.name]` cannot be a channel and a directory."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise SettingsError(
            f"{table}.{name[:80]!r}: a name has 1 to 64 of A-Z a-z 0-9 _ . ~ - and begins with a letter, a digit or _"
        )
