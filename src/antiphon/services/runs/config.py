"""Settings of the runs: the table `[runs]` of `antiphon.toml`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RunsConfig(BaseModel):
    """How many runs there may be, and how long a cancelled one may take to end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: int = Field(
        default=1000,
        ge=1,
        le=100_000,
        description="Ended runs that are kept; older ones are forgotten with all that they said.",
    )
    max_active: int = Field(
        default=1000,
        ge=1,
        le=100_000,
        description="Runs that may be under way at once; beyond it a new one is refused.",
    )
    cancel_grace_s: float = Field(
        default=10.0,
        ge=0,
        le=3600,
        description="Seconds a cancelled run has to end by itself; then it is cut off and counts as cancelled.",
    )
