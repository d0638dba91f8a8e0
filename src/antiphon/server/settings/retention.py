"""How long a channel's events are kept, by families of channels.

Of the patterns that match a channel the longest decides alone (see `hub.retention`); rules are not merged.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from antiphon.server.settings.units import Bytes, Seconds, Unlimited

_PATTERN = re.compile(r"[A-Za-z0-9_.:~*-]{1,255}")


def check_pattern(text: str) -> str:
    """Return `text` if it is a channel's name, with `*` for any text. Raises ValueError."""
    if not _PATTERN.fullmatch(text):
        raise ValueError("expected a channel's name, with * for any text")
    return text


class RetentionRule(BaseModel):
    """What is kept of each channel of a family; the oldest events go first, as soon as one limit is exceeded."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_events: Annotated[int | None, Field(ge=1), Unlimited] = Field(
        default=1_000_000, description="Events kept per channel; `unlimited`."
    )
    max_age_s: Annotated[Seconds | None, Field(gt=0), Unlimited] = Field(
        default=None, description="Seconds for which an event is kept (`7d` works too); `unlimited`."
    )
    max_bytes: Annotated[Bytes | None, Field(ge=1024), Unlimited] = Field(
        default=None, description="Bytes of events kept per channel (`1GiB` works too); `unlimited`."
    )
