"""What a dialect may ask of the server, and what it makes of a run's events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from antiphon.hub import History, Summary
from antiphon.messages import Event

Row = Mapping[str, Any]
"""A row of one of the server's tables, as docs/protocol.md shows it. Not to be changed."""


class Caller(Protocol):
    """The server on behalf of one user: every method checks that user's grants.

    Raises, beside what is named:
        Forbidden: The user lacks a grant.
        NotFound: There is no such thing.
        InvalidParams: What was given does not fit; `.pointer` says where.
    """

    @property
    def user(self) -> str:
        """The user's name."""

    async def start(
        self,
        name: str,
        *,
        input: Any,  # noqa: A002 - the word of the wire
        run_id: str | None = None,
        thread_id: str | None = None,
        on_disconnect: str = "continue",
        labels: Mapping[str, str] | None = None,
    ) -> Row:
        """Start a run of an agent or another runnable; returns its row.

        Args:
            run_id: The caller's own; None = the server makes one.
            on_disconnect: `cancel` ties the run to the caller's socket; where it has none, `continue` holds.
        Raises:
            ThreadBusy: The agent is answering in this thread, and the input asked to be rejected then.
            KeyConflict: There is a run with this id that was started differently.
        """

    async def cancel(self, run_id: str, *, reason: str | None = None) -> Row:
        """Cancel a run; returns the receipt: what has stopped, what is still draining. May be called again."""

    def row(self, run_id: str) -> Row:
        """A run's row as it is now."""

    async def details(self, run_id: str) -> Row:
        """What `run.get` answers."""

    async def answer(self, question_id: str, *, answer: Any = None, action: str | None = None) -> Row:
        """Answer a question; returns its row. Raises AlreadyAnswered, QuestionWithdrawn."""

    def questions(self, run_id: str) -> list[Row]:
        """The open questions of a run, oldest first."""

    async def history(
        self, channel: str, *, after: int | None = None, before: int | None = None, limit: int = 100
    ) -> History:
        """Events after or before an offset, ascending."""

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call one of the registered tools; returns its JSON result. Cancelling stops the tool. Raises ToolError."""

    def agents(self) -> list[Row]:
        """The agents that this user may ask, as `agent.list` shows them."""


class Translator(Protocol):
    """One run's events as another protocol's messages, for one connection.

    It is asked in the order of the run's channel. Nothing is asked of it after `ended`.
    """

    @property
    def ended(self) -> bool:
        """Whether the last message of this run was made."""

    def begin(self, row: Row, summary: Summary | None, after: int) -> list[bytes]:
        """What comes first.

        Args:
            row: The run's, as it is now.
            summary: What the channel's events up to `after` add up to; None = nothing was missed, or `after` is 0.
            after: Events follow from offset `after + 1`.
        """

    def event(self, event: Event) -> list[bytes]:
        """What one event is said as; empty where the protocol has no word for it."""
