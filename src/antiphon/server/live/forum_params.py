"""What enters about forums, for JSON-RPC and HTTP alike."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from antiphon.server.live.params import Params
from antiphon.services.forum import MAIN
from antiphon.services.forum.config import MAX_THRESHOLD
from antiphon.services.names import Name

SOURCE_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.~-]{0,63}$"
MAX_SPEECH = 256 * 1024  # characters

Source = Annotated[str, Field(pattern=SOURCE_PATTERN)]


class ForumParams(Params):
    """Which forum; `main` is the live one, others are replayed files."""

    name: Name = MAIN


class ForumPostParams(ForumParams):
    """`source`: the agent that says it; None = the person who asks. `speech_id`: one's own, to try again."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_SPEECH)]
    source: Source | None = None
    speech_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None


class ForumMuteParams(ForumParams):
    source: Source
    muted: bool = True


class ForumThresholdParams(ForumParams):
    threshold: Annotated[int, Field(ge=1, le=MAX_THRESHOLD)]


class ForumReplayParams(Params):
    """An old `forum.log`, as one text or line by line."""

    name: Name
    text: str | None = None
    lines: list[str] | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.text is None) == (self.lines is None):
            raise ValueError("give `text` or `lines`")
        return self

    @property
    def records(self) -> list[str]:
        """The lines, either way."""
        return (self.text or "").splitlines() if self.lines is None else self.lines
