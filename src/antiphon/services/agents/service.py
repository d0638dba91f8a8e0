"""The agents: registered as what can be started, answering in runs, remembering in threads. Needs `[agents]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from antiphon.hub import Hub
from antiphon.services.agents.config import AgentConfig, ModelConfig
from antiphon.services.agents.values import THREADS
from antiphon.services.questions import Questions
from antiphon.services.runs import Clock, Runs
from antiphon.services.table import Row

if TYPE_CHECKING:  # no cycle: the package is an extra, and this signature is all that needs it here
    from pydantic_ai import Agent  # type: ignore[import-not-found, unused-ignore]

Rows = list[Row]


class Agents:
    """Owns the agents and their threads while entered.

    Make it before the runs are entered (it adds to what is stored with beginnings and outcomes); enter it after runs
    and questions, and before `runs.resume`.

    Args:
        hub: The channel `threads` is claimed.
        tools: The service of tools: `select(patterns)` and `call(name, arguments, context)`.
        config: The agents by name; empty = one called `assistant`, offline, with all tools.
        models: What agents can name, by name.
        clock: None = that of the runs.
    Raises:
        SettingsError: A model is not known, an agent's import failed, or a key is missing.
    """

    def __init__(
        self,
        hub: Hub,
        runs: Runs,
        questions: Questions,
        tools: Any,
        config: Mapping[str, AgentConfig],
        models: Mapping[str, ModelConfig],
        clock: Clock | None = None,
    ) -> None:
        hub.claim(THREADS)
        self._runs, self._questions, self._tools = runs, questions, tools
        self._config, self._models = config, models
        self._clock = clock or runs.clock

    def offer(
        self,
        name: str,
        agent: Agent[Any, Any],
        *,
        deps: Any = None,
        config: AgentConfig | None = None,
    ) -> None:
        """Offer a pydantic-ai agent of the user's own, unmodified. Raises ConflictError: the name is taken."""
        raise NotImplementedError

    @property
    def rows(self) -> Rows:
        """What `agent.list` answers."""
        return []

    def knows(self, name: str) -> bool:  # noqa: ARG002
        """Whether this is an agent."""
        return False

    def check_start(self, name: str, input: Any, thread_id: str | None) -> None:  # noqa: A002
        """Raise InvalidParams (pointer `/params/input/...`) or ThreadBusy, where `run.start` would only fail later."""
        raise NotImplementedError

    def threads(self, *, agent: str | None = None, before: str | None = None, limit: int = 100) -> Rows:  # noqa: ARG002
        """Rows of threads, newest first; `before` is a thread id."""
        return []

    def thread(self, thread_id: str) -> Row:
        """A thread's row. Raises NotFound."""
        raise NotImplementedError

    def runs_of(self, thread_id: str) -> Rows:
        """The rows of a thread's runs, oldest first. Raises NotFound."""
        raise NotImplementedError

    async def fork(self, thread_id: str, run_id: str | None = None, *, by: str | None) -> Row:
        """A new thread that remembers everything up to and including a run; None = the last that has ended.

        Raises:
            NotFound: There is no such thread, or no such run in it.
            ConflictError: That run has not ended.
        """
        raise NotImplementedError

    async def rename(self, thread_id: str, title: str) -> Row:
        """Raises NotFound, InvalidParams."""
        raise NotImplementedError

    async def delete(self, thread_id: str) -> None:
        """Forget a thread and what it remembers; its runs stay. Raises NotFound; ThreadBusy while one is under way."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        """Find the threads again, with what runs of an earlier server had said. Raises StorageError."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Enter and leave it inside the runs, so that the last outcomes still find it."""


__all__: Sequence[str] = ["Agents"]
