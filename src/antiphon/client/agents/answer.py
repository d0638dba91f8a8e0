"""An agent's answer while it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from antiphon.client.agents.text import AnswerText
from antiphon.client.feed import After
from antiphon.client.items import Gap
from antiphon.client.run.face import OnDisconnect
from antiphon.client.run.rows import ENDED, CancelReceipt, RunResult, RunRow
from antiphon.client.subscription import Subscription


class Asker(Protocol):
    """What of the client it takes to ask."""

    async def start_run(
        self,
        name: str,
        input: Any = None,  # noqa: A002
        *,
        run_id: str | None = None,
        title: str | None = None,
        thread_id: str | None = None,
        labels: Mapping[str, str] | None = None,
        on_disconnect: OnDisconnect = "continue",
        timeout_s: float | None = 30.0,
    ) -> RunRow: ...

    async def cancel_run(
        self, run_id: str, reason: str | None = None, *, timeout_s: float | None = 30.0
    ) -> CancelReceipt: ...

    async def run_result(self, run_id: str, *, timeout_s: float | None = 30.0) -> RunResult: ...

    def subscribe(self, *channels: str, after: After | Mapping[str, After] = "now") -> Subscription: ...


class AgentAnswer:
    """What an agent says to a question; an asynchronous iterator of pieces of its text. Made by `live.agents.ask`.

    `async with` asks; the text then comes as it grows, over lost connections too, with an empty line between what was
    said before and after a tool. Leaving the block leaves the agent at its work: `cancel` stops it. All that it does
    beside talking is in its run's channel, `run:ID`.
    """

    def __init__(self, live: Asker, agent: str, asked: Mapping[str, Any]) -> None:
        self._live = live
        self._agent = agent
        self._asked = asked
        self._run: RunRow | None = None  # None = it has not been asked yet
        self._items: Subscription | None = None
        self._text = AnswerText()

    @property
    def run(self) -> RunRow:
        """The run as it began. Raises RuntimeError before it has."""
        if self._run is None:
            raise RuntimeError("ask first: `async with live.agents.ask(...) as answer`")
        return self._run

    @property
    def run_id(self) -> str:
        """The run that is this answer."""
        return str(self._asked["run_id"])

    async def __aenter__(self) -> Self:
        await self._begin()
        self._items = self._live.subscribe(f"run:{self.run_id}", after="start")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._items is not None:
            await self._items.aclose()

    async def __aiter__(self) -> AsyncIterator[str]:
        while text := await self.take():
            yield text

    async def take(self) -> str:
        """Wait for more text and return all that is there; empty once the answer has ended.

        Cancelling is safe: what was not returned comes with the next call.
        """
        if self._items is None:
            raise RuntimeError("enter the answer first: `async with live.agents.ask(...) as answer`")
        text = ""
        while not text and not self._text.has_ended:
            batch = await self._items.take()
            text = "".join(map(self._text.take, batch))
            if not batch or (any(isinstance(item, Gap) for item in batch) and await self._is_over()):
                self._text.has_ended = True  # its outcome will not come
        return text

    async def result(self, *, timeout_s: float | None = None) -> RunResult:
        """Ask if that was not done, and wait for the end: `status`, and the `result`: a text, or what fits its type.

        Args:
            timeout_s: Seconds, then `status` is `running`; None = for ever.
        Raises:
            What `live.agents.ask` raises, if this asks.
        """
        await self._begin()
        return await self._live.run_result(self.run_id, timeout_s=timeout_s)

    async def cancel(self, reason: str | None = None) -> CancelReceipt:
        """Stop it; the model's work ends, the outcome is `cancelled`. Too late does no harm."""
        return await self._live.cancel_run(self.run_id, reason)

    async def _begin(self) -> None:
        if self._run is None:
            self._run = await self._live.start_run(self._agent, **self._asked)

    async def _is_over(self) -> bool:
        return (await self._live.run_result(self.run_id, timeout_s=0)).status in ENDED
