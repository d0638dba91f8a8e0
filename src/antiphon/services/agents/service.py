"""The agents: registered as what can be started, answering in runs, remembering in threads.

`offers` has what agents there are, `answering` one answer, `engine` what it is made with, `turns` the lines of those
that wait, `threads` the table, `memory` what a thread remembers. This one puts them together, on the hooks of the runs
service. Asking an agent needs the extra `[agents]`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from antiphon.errors import ConflictError, InvalidParams, ThreadBusy
from antiphon.hub import Hub
from antiphon.messages import NewEvent
from antiphon.services.agents import forking
from antiphon.services.agents.answering import Turn, answer
from antiphon.services.agents.config import AgentConfig, ModelConfig, check_models
from antiphon.services.agents.memory import event_of, reconstructed
from antiphon.services.agents.offers import Offer, from_settings
from antiphon.services.agents.registry import Registry
from antiphon.services.agents.threads import Threads
from antiphon.services.agents.turns import Alone, Place, Turns
from antiphon.services.agents.values import MAX_TITLE, THREADS, question_of, read_input, title_of
from antiphon.services.names import check_name
from antiphon.services.questions import Questions
from antiphon.services.runs import ENDED, Clock, LocalPort, NewRun, Runs, thread_channel
from antiphon.services.table import Row

if TYPE_CHECKING:  # loading it takes a second: only once somebody asks
    from pydantic_ai.agent import AbstractAgent

    from antiphon.services.agents.engine import Engine

Rows = list[Row]
DEFAULT_AGENT = "assistant"


class Agents:
    """Owns the agents and their threads while entered.

    Make it before the runs are entered (it adds to what is stored with beginnings and outcomes); enter it after runs
    and questions, and before `runs.resume`.

    Args:
        hub: The channel `threads` is claimed.
        questions: Has to be entered, so that tools can ask for approval.
        tools: The service of tools.
        config: The agents by name; empty = one called `assistant`, offline, with all tools.
        models: What agents can name, by name.
        clock: None = that of the runs.
    Raises:
        SettingsError: A model is not known, or an agent cannot be imported.
    """

    def __init__(
        self,
        hub: Hub,
        runs: Runs,
        questions: Questions,  # noqa: ARG002 - whoever makes this has one: `run.approve` needs it
        tools: Registry,
        config: Mapping[str, AgentConfig],
        models: Mapping[str, ModelConfig],
        clock: Clock | None = None,
    ) -> None:
        hub.claim(THREADS)
        check_models(config, models)
        self._hub = hub
        self._runs = runs
        self._models = models
        self._registry = tools
        self._engine: Engine | None = None
        self._loading = asyncio.Lock()
        self._turns = Turns(self._displace, self._moved)
        self._threads = Threads(hub, clock or runs.clock, self._turns.line)
        self._under_way: dict[str, Turn] = {}  # by run; those in threads that have no outcome
        self._offers: dict[str, Offer] = {}
        for name, settings in (config or {DEFAULT_AGENT: AgentConfig()}).items():
            self._add(from_settings(name, settings))
        runs.on_opening.append(self._opening)
        runs.on_ending.append(self._ending)

    # The agents

    def offer(
        self, name: str, agent: AbstractAgent[Any, Any], *, deps: Any = None, config: AgentConfig | None = None
    ) -> None:
        """Offer a pydantic-ai agent of the user's own, unmodified.

        Args:
            config: Limits and the like; what it does not name is the agent's own.
        Raises:
            ConflictError: The name is taken.
            SettingsError: No agent can have this name.
        """
        self._add(Offer(name, config or AgentConfig(), agent, "python", deps))

    def _add(self, offer: Offer) -> None:
        check_name(offer.name, "agent")
        if offer.name in self._offers:
            raise ConflictError(f"there is an agent {offer.name!r} already")
        self._runs.register(offer.name, partial(self._answer, offer), turns=partial(self._take_turn, offer))
        self._offers[offer.name] = offer

    @property
    def rows(self) -> Rows:
        """What `agent.list` answers."""
        return [offer.row(self._problem, self._registry) for offer in self._offers.values()]

    def knows(self, name: str) -> bool:
        """Whether this is an agent."""
        return name in self._offers

    def check_start(self, name: str, input: Any, thread_id: str | None) -> None:  # noqa: A002  # the protocol's word
        """Raise InvalidParams (pointer `/params/input/...`) or ThreadBusy, where `run.start` would only fail later."""
        offer = self._offers[name]
        wanted = read_input(input)
        offer.check(wanted)
        if thread_id is not None:
            self._turns.check(thread_id, wanted.if_busy or offer.config.if_busy)

    async def _answer(self, offer: Offer, port: LocalPort) -> Any:
        return await answer(self._load, offer, port, self._under_way.get(port.run_id))

    async def _load(self) -> Engine:
        """The library with our models, in a thread the first time, so that nothing else has to wait."""
        async with self._loading:
            if self._engine is None:
                self._engine = await asyncio.to_thread(self._new_engine)
            return self._engine

    def _new_engine(self) -> Engine:
        from antiphon.services.agents.engine import Engine

        named = {name for offer in self._offers.values() for name in offer.models}
        return Engine(self._hub, self._registry, self._models, sorted(named))

    def _problem(self, model: str) -> str | None:
        return None if self._engine is None else self._engine.models.problem(model)

    # Lines of runs

    def _take_turn(self, offer: Offer, run_id: str, new: NewRun) -> _InLine | Alone:
        """Raises InvalidParams, ThreadBusy: the run does not begin."""
        wanted = read_input(new.input)
        offer.check(wanted)
        if new.thread_id is None:
            return Alone()
        place = self._turns.join(new.thread_id, run_id, offer.name, wanted.if_busy or offer.config.if_busy)
        self._under_way[run_id] = Turn(new.thread_id, wanted)
        return _InLine(self, place)

    async def _displace(self, run_ids: Sequence[str], by_run: str) -> None:
        cancels = [self._runs.cancel(run_id, reason=f"interrupted by run {by_run}") for run_id in run_ids]
        await asyncio.gather(*cancels, return_exceptions=True)  # one that has ended meanwhile, or is told later

    def _moved(self, thread_id: str) -> None:
        self._threads.moved(thread_id)

    def leave(self, place: Place) -> None:
        """A run has its outcome, or never began."""
        turn = self._under_way.pop(place.run_id, None)
        place.leave()
        if turn is not None and place.run_id not in self._runs.rows:
            self._threads.take_back(place.thread_id)

    # What is stored with runs

    def _opening(self, run_id: str, new: NewRun, by: str | None) -> Sequence[NewEvent]:
        turn = self._under_way.get(run_id)
        if turn is None:
            return ()
        title = title_of(question_of(turn.wanted)) or new.name
        self._threads.begin(turn.thread_id, agent=new.name, by=by, title=title)
        return [self._threads.event(turn.thread_id)]

    def _ending(self, run_id: str) -> Sequence[NewEvent]:
        """Asked again where the store refused the first time."""
        turn = self._under_way.get(run_id)
        if turn is None:
            return ()
        self._threads.end(turn.thread_id, run_id)
        if not turn.has_begun:
            return [self._threads.event(turn.thread_id)]
        if not turn.is_counted:
            turn.is_counted = True
            self._threads.add_usage(turn.thread_id, turn.usage)
        return [event_of(turn.thread_id, run_id, turn.messages), self._threads.event(turn.thread_id)]

    # The threads

    def threads(self, *, agent: str | None = None, before: str | None = None, limit: int = 100) -> Rows:
        """Rows of threads, newest first; `before` is a thread id."""
        return self._threads.find(agent, before, limit)

    def thread(self, thread_id: str) -> Row:
        """A thread's row. Raises NotFound."""
        return self._threads.known(thread_id)

    def runs_of(self, thread_id: str) -> Rows:
        """The rows of a thread's runs, oldest first; a fork begins with those that it inherited. Raises NotFound."""
        self._threads.known(thread_id)
        return forking.runs_of(thread_id, self._threads.rows, self._runs.rows)

    async def fork(self, thread_id: str, run_id: str | None = None, *, by: str | None) -> Row:
        """A new thread that remembers everything up to and including a run; None = the last that has ended.

        Raises:
            NotFound: There is no such thread, or no such run in it.
            ConflictError: That run has not ended.
            StorageError
        """
        source = self._threads.known(thread_id)
        last = forking.last_of(self.runs_of(thread_id), run_id)
        row = forking.fork_of(source, last, by=by, now=self._threads.now())
        inherited = await forking.inherited(self._hub, thread_id, self.runs_of(thread_id), last)
        self._threads.rows[row["thread_id"]] = row
        events = forking.events_of(row, inherited)
        await self._hub.publish_many([*events, self._threads.event(row["thread_id"])])
        return row

    async def rename(self, thread_id: str, title: str) -> Row:
        """Raises NotFound, InvalidParams, StorageError."""
        self._threads.known(thread_id)
        title = " ".join(title.split())
        if not 1 <= len(title) <= MAX_TITLE:
            raise InvalidParams(f"a title has 1 to {MAX_TITLE} characters", pointer="/params/title")
        row = self._threads.set(thread_id, title=title)
        await self._hub.publish(self._threads.event(thread_id))
        return row

    async def delete(self, thread_id: str) -> None:
        """Forget a thread and what it remembers; its runs stay.

        Raises:
            ThreadBusy: A run is under way in it.
            NotFound, StorageError
        """
        self._threads.known(thread_id)
        line = self._turns.line(thread_id)
        if line:
            raise ThreadBusy(f"thread {thread_id} is busy: run {line[0]} is under way in it")
        del self._threads.rows[thread_id]
        await self._hub.publish(self._threads.event(thread_id))
        await self._hub.clear(thread_channel(thread_id))

    # Coming and going

    async def __aenter__(self) -> Self:
        """Find the threads again, with what runs of an earlier server had said. Raises StorageError."""
        await self._threads.load()
        for run_id, row in self._runs.rows.items():
            if row["status"] not in ENDED and row["status"] != "queued" and self._threads.had_begun(run_id, row):
                await self._find_again(run_id, row["thread_id"])
        return self

    async def _find_again(self, run_id: str, thread_id: str) -> None:
        """A run that is about to be lost: what people saw of it will be remembered."""
        wanted = read_input((await self._runs.get(run_id)).input)
        messages = await reconstructed(self._hub, run_id, wanted)
        self._under_way[run_id] = Turn(thread_id, wanted, messages, self._runs.rows[run_id]["usage"], has_begun=True)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what answers, as lost, then close the models' connections."""
        await self._runs.end_locals()
        self._threads.close()
        if self._engine is not None:
            await self._engine.close()


class _InLine:
    """The turn of one run, as the runs service knows it."""

    def __init__(self, agents: Agents, place: Place) -> None:
        self._agents = agents
        self._place = place

    async def wait(self) -> None:
        await self._place.wait()

    def leave(self) -> None:
        self._agents.leave(self._place)


__all__ = ["DEFAULT_AGENT", "Agents"]
