"""What a run needs of the place where it is kept: a server over a connection, or the service in the same process."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from antiphon.errors import AntiphonError

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no letter that reads as a digit, and it sorts


class RunEvent(NamedTuple):
    """One thing that a run says."""

    type: str
    data: Any
    idempotency_key: str | None = None  # None = the port makes one where it may have to repeat


@dataclass(frozen=True, slots=True)
class Opened:
    """A run that has begun; `run` is its row."""

    run_id: str
    channel: str
    epoch: str
    run: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered, or the question's default at its deadline."""

    answer: Any
    action: str = "answer"  # answer, approve, edit or reject
    by: str | None = None  # None = nobody did: the default
    is_default: bool = False


class RunPort(Protocol):
    """Carries one run. `on_cancel` (with the reason) and `on_lost` are set by its user before `open`; called once each,
    on the event loop, at once and without an await in between.
    """

    on_cancel: Callable[[str | None], None]
    on_lost: Callable[[AntiphonError], None]

    async def open(self, wanted: Mapping[str, Any]) -> Any:
        """Begin the run; returns something with the attributes of `Opened`."""

    async def emit(self, events: Sequence[RunEvent]) -> None:
        """Say something. The order is that of the calls; returns when there is room for more, not when it is stored.

        Raises:
            TypeError: The data are not JSON.
            TooLarge: An event is beyond the server's limit.
            AntiphonError: Something said before was refused, or the run is not ours any more.
        """

    async def finish(
        self, status: str, *, result: Any = None, error: Mapping[str, Any] | None = None, reason: str | None = None
    ) -> Any:
        """Give the outcome behind all that was said, once that is stored; returns the row as it ended."""

    async def ask(self, question: Mapping[str, Any]) -> Any:
        """Ask, wait, and return something with the attributes of `Answer`. Raises QuestionWithdrawn, RunCancelled."""

    async def close(self) -> None:
        """Let go, with or without an outcome. May be called twice."""


def new_run_id() -> str:
    """`run_` and 20 characters, as the server makes them: 9 of time, so that they sort, and 11 of chance."""
    return f"run_{_base32(int(time.time() * 1000), 9)}{_base32(secrets.randbits(55), 11)}"


def _base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (length - 1), -1, -5))


def new_id(kind: str) -> str:
    """An id that is used once: `msg_...`, `tool_...`."""
    return f"{kind}_{secrets.token_hex(8)}"
