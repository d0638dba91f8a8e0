"""Settings of one followed log file: the table `[log.NAME]` of `antiphon.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from antiphon.errors import SettingsError


def _off_is_zero(value: object) -> object:
    return 0 if value == "off" else value


class LogConfig(BaseModel):
    """A file that another program writes; its lines go to the channel `log:NAME`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(
        description="The file; it may not exist yet. Relative paths count from the directory of antiphon.toml."
    )
    line_limit_bytes: Annotated[int, BeforeValidator(_off_is_zero), Field(ge=0, le=2**30)] = Field(
        default=64 * 1024,
        description='A longer line is cut there and ends with a marker; bytes; 0 or "off" = no limit.',
    )
    start_at: Literal["beginning", "end"] = Field(
        default="beginning",
        description='Where a file that was never followed before is begun: "beginning" takes in what it already holds, '
        '"end" only what comes.',
    )


def check_names(logs: Iterable[str], processes: Iterable[str]) -> None:
    """Raise SettingsError where a log and a process would write into the same channel."""
    for name in sorted(set(logs) & set(processes)):
        raise SettingsError(f"[log.{name}] and [process.{name}] would both write into the channel log:{name}")
