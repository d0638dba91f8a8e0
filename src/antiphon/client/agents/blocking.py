"""The same for programs without an event loop; each call waits."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from antiphon.client.agents.answer import AgentAnswer
from antiphon.client.agents.asking import Agents, Threads, Tools
from antiphon.client.portal import Portal
from antiphon.client.run.rows import RunRow

P = ParamSpec("P")
T = TypeVar("T")
Inner = TypeVar("Inner")


class _Twin(Generic[Inner]):
    """Calls the methods of something asynchronous on the client's event loop."""

    def __init__(self, portal: Portal, inner: Inner) -> None:
        self._portal = portal
        self._inner = inner


def waiting(
    method: Callable[Concatenate[Inner, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[_Twin[Inner], P], T]:
    """The method of a twin that calls this one and waits."""

    @wraps(method)
    def call(self: _Twin[Inner], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._portal.call(method(self._inner, *args, **kwargs))

    return call


class BlockingAgentAnswer(_Twin[AgentAnswer]):
    """As AgentAnswer, with `with` and a plain `for`. Ctrl-C interrupts a wait and leaves the agent at its work."""

    @property
    def run(self) -> RunRow:
        """The run as it began. Raises RuntimeError before it has."""
        return self._inner.run

    @property
    def run_id(self) -> str:
        """The run that is this answer."""
        return self._inner.run_id

    def __enter__(self) -> Self:
        self._portal.call(self._inner.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._portal.call(self._inner.__aexit__(kind, error, trace))

    def __iter__(self) -> Iterator[str]:
        while text := self.take():
            yield text

    take = waiting(AgentAnswer.take)
    result = waiting(AgentAnswer.result)
    cancel = waiting(AgentAnswer.cancel)


def _asking(
    method: Callable[Concatenate[Agents, P], AgentAnswer],
) -> Callable[Concatenate[BlockingAgents, P], BlockingAgentAnswer]:
    @wraps(method)
    def call(self: BlockingAgents, /, *args: P.args, **kwargs: P.kwargs) -> BlockingAgentAnswer:
        return BlockingAgentAnswer(self._portal, method(self._inner, *args, **kwargs))

    return call


class BlockingAgents(_Twin[Agents]):
    """As Agents."""

    list = waiting(Agents.list)
    ask = _asking(Agents.ask)


class BlockingThreads(_Twin[Threads]):
    """As Threads."""

    def new_id(self) -> str:
        """An id for a new thread; the first question makes the thread."""
        return self._inner.new_id()

    list = waiting(Threads.list)
    get = waiting(Threads.get)
    fork = waiting(Threads.fork)
    rename = waiting(Threads.rename)
    delete = waiting(Threads.delete)


class BlockingTools(_Twin[Tools]):
    """As Tools."""

    list = waiting(Tools.list)
    call = waiting(Tools.call)
