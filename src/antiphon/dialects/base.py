"""What a dialect may ask of the server, what it makes of a run's events, and what it consists of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

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

    def require(self, action: Literal["read", "publish", "control"], resource: str) -> None:
        """Raise Forbidden unless the user may do this: with a channel, or control `KIND:NAME`."""

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
            ConflictError: There is another run with this id.
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


class Line(Protocol):
    """One open socket, as what is spoken over it sees it."""

    @property
    def id(self) -> str:
        """As in the table of connections."""

    @property
    def is_open(self) -> bool:
        """Whether it has not ended yet."""

    @property
    def sent(self) -> int:
        """Messages that were sent, or wait to be."""

    def say(self, message: bytes) -> None:
        """Send a text message, behind all that was sent before."""

    async def follow(self, run_id: str, translator: Translator) -> None:
        """Send what the translator makes of a run, from its first event on, until it has ended.

        Raises:
            Forbidden, NotFound
        """

    def start(self, work: Coroutine[Any, Any, None], *, name: str, outlives: bool = False) -> asyncio.Task[None]:
        """Do something beside.

        Args:
            outlives: Whether it goes on when the socket has gone, as what a client has asked for must be done; if not,
                it is cancelled then.
        """

    def close(self, code: int, reason: str) -> None:
        """Send what is queued, then close."""


class Talk(Protocol):
    """What is spoken over one socket. Called from the event loop."""

    def opened(self) -> None:
        """The socket is open: say what comes first."""

    def received(self, message: str | bytes) -> None:
        """Take one message, text or binary. What takes long is started beside."""

    def ended(self) -> None:
        """Called once; nothing can be said any more. The socket may have been lost before it was opened."""


OpenTalk = Callable[[Line, Caller, Mapping[str, str]], Talk]
"""Begins to talk over a socket; the mapping has the parts of the path that were left open."""


class Ask(NamedTuple):
    """One HTTP request of a dialect."""

    caller: Caller | None  # None = nobody, on a public path
    path: Mapping[str, str]  # the parts of the path that were left open
    query: Mapping[str, str]
    body: bytes  # empty where the method has none
    headers: Mapping[str, str] = MappingProxyType({})  # names in lower case


class Reply(NamedTuple):
    """What is answered: JSON, or bytes of another type; bytes may come one after the other."""

    content: Any | AsyncIterator[bytes]
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = MappingProxyType({})


class Route(NamedTuple):
    """A path that a dialect answers over HTTP."""

    method: str
    path: str  # with the parts left open in braces: /api/output/{app}
    answer: Callable[[Ask], Awaitable[Reply]]
    needs: str | None = None  # the grant, e.g. `control server:connections`; None = only a user, or nobody where public


class Guest(Protocol):
    """One client in Socket.IO's namespace `/`."""

    @property
    def caller(self) -> Caller:
        """The server on behalf of its user."""

    def emit(self, event: str, *args: Any) -> None:
        """Send an event to this client alone."""


Said = tuple[str, bytes]
"""A Socket.IO event: its name, and its one argument as JSON."""


@dataclass(frozen=True, slots=True)
class Space:
    """What a dialect says and hears over Socket.IO, in the namespace `/`."""

    channels: Sequence[str]  # what every client hears from the moment it enters, as far as its user may read them
    speaks: Mapping[str, Callable[[Event], Sequence[Said]]]  # what their events are said as, by prefix of the channel
    entered: Callable[[Guest], Awaitable[None]] | None = None  # greets a client
    events: Mapping[str, Callable[..., Awaitable[Any]]] = field(default_factory=dict)
    """What clients may say: called with the guest and the arguments; what is returned is the acknowledgement."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a dialect before anything runs."""

    name: str
    paths: tuple[str, ...]  # all that it answers, as globs: its documented origins may use these
    public: tuple[str, ...] = ()  # those that hold no data and do nothing, and need no user
    origins: tuple[str, ...] = ()  # documented origins of development servers; only loopback ones are honoured
    changed_by_get: tuple[str, ...] = ()  # globs of those where a GET changes state: only our own pages may ask so
    numbered: Mapping[str, str] = field(default_factory=dict)
    """Channels whose events are counted from the newest one of a type on: from there nothing is ever forgotten.

    Where it is the channel of a process (`log:NAME`), its lines are not cut either, unless its settings say so.
    """


@dataclass(frozen=True, slots=True)
class Dialect:
    """A protocol with all that it answers."""

    facts: Facts
    sockets: Mapping[str, OpenTalk]  # by path
    full: Callable[[int], bytes]  # what a socket too many is told before it is closed, given the limit
    routes: Sequence[Route] = ()
    space: Space | None = None  # what is spoken over Socket.IO
    playgrounds: tuple[str, ...] = ()  # paths of the system's own test pages, where ours answers
    home: Path | None = None  # a small page of ours, served at the root of its own port where no `pages` are set
