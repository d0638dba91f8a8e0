"""Settings of the forum: the table `[forum]` of `antiphon.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from antiphon.errors import SettingsError
from antiphon.services.names import Name

OFFLINE_HOST = "forum-host"
"""The runnable that speaks where no agent of the configured name exists."""

LOG = "forum"  # the name whose channel, `log:forum`, has the records
MAX_THRESHOLD = 1000


class ForumConfig(BaseModel):
    """Who talks in the forum, and when its host does."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    enabled: bool | None = Field(
        default=None,
        description="Whether there is a forum. Not set: if one of `forum.apps` is a `[process.NAME]` or a "
        "`[log.NAME]`, and none is called `forum`: then somebody else writes the records.",
    )
    apps: Annotated[tuple[Name, ...], Field(min_length=1, max_length=32)] = Field(
        default=("insight", "media", "query"),
        description="Programs or followed files whose lines are watched for speeches; each speaks under its name in "
        "capitals.",
    )
    file: Path | None = Field(
        default=None,
        description="A `forum.log` that is written for programs which read it; begun anew with each session. Not set: "
        "none. Relative paths count from the directory of antiphon.toml.",
    )
    threshold: int = Field(
        default=5, ge=1, le=MAX_THRESHOLD, description="Speeches of agents after which the host speaks."
    )
    host: Name = Field(
        default="host",
        description="The agent that is the host. Where there is none of this name the host is offline: it quotes a "
        "sentence of each speech, and says so.",
    )
    grammar: Literal["bettafish"] = Field(
        default="bettafish", description="How speeches are recognized in logs, and how `forum.log` is written."
    )
    session_tags: bool = Field(
        default=True,
        description="Whether records of `forum.log` carry the id of their session, as BettaFish's newest monitor "
        "writes and its agents expect; earlier ones had none.",
    )
    idle_s: float = Field(
        default=7200.0, gt=0, description="Seconds without a line of any app after which a session ends."
    )

    def is_on(self, names: Iterable[str]) -> bool:
        """Whether there is a forum, given the names of processes and logs."""
        if self.enabled is not None:
            return self.enabled
        found = set(names)
        return LOG not in found and not found.isdisjoint(self.apps)


def check_forum(forum: ForumConfig, logs: Iterable[str], processes: Iterable[str]) -> None:
    """Raise SettingsError where something else would write into `log:forum`, or an app has a name that is nobody's."""
    if not forum.is_on([*logs, *processes]):
        return
    for table, names in (("log", logs), ("process", processes)):
        if LOG in names:
            raise SettingsError(f"[{table}.{LOG}] and the forum would both write into the channel log:{LOG}")
    for app in forum.apps:
        if app.upper() in ("HOST", "SYSTEM", "PERSON", "FORUM"):
            raise SettingsError(f"forum.apps: {app!r} cannot speak as {app.upper()}: that is not an agent")
