"""Channels that live in memory only, by families of channels."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class VolatileRule(BaseModel):
    """How a family of channels lives in memory; nothing of it survives the server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_events: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=1000, description="Events kept per channel; the oldest go first."
    )
    latest_by: Annotated[str | None, Field(pattern=r"^(/([^~/]|~[01])+)+$")] = Field(
        default=None,
        description="JSON Pointer into the data, e.g. `/task`: of events with the same value there only the newest is "
        "kept, and who is slow gets only that one. Not set: all are kept.",
    )
