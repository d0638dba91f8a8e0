"""A LangGraph graph, unmodified, as a run: `await run_graph(graph, run, {"messages": [...]})`.

Needs `pip install langgraph`. The texts of its models, their reasoning and tool calls are said as they are streamed,
its values are the run's state, its interrupts are questions whose answers resume it, and cancelling the run stops it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from typing import Any

try:
    import langgraph.version  # noqa: F401  # to see whether it is there
except ModuleNotFoundError as exc:
    raise ImportError("antiphon.adapters.langgraph needs LangGraph: pip install langgraph") from exc

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs
from langgraph.errors import is_invalid_resume
from langgraph.pregel import Pregel
from langgraph.types import Command, Interrupt

from antiphon.adapters.langgraph_asking import answer_interrupt, go_on
from antiphon.adapters.langgraph_keeping import Brake, with_memory
from antiphon.adapters.langgraph_stream import Stream
from antiphon.adapters.langgraph_values import input_of, prompts_of, result_of
from antiphon.adapters.telling import Telling
from antiphon.adapters.together import together
from antiphon.client.run.face import Run

Ask = Callable[[Run, Interrupt], Coroutine[Any, Any, Any]]
_MODES = ["values", "messages", "tasks", "custom", "tools"]


async def run_graph(
    graph: Pregel[Any, Any, Any, Any],
    run: Run,
    input: Any,  # noqa: A002  # LangGraph's word
    *,
    config: RunnableConfig | None = None,
    ask: Ask = answer_interrupt,
    state: bool = True,
    say_prompt: bool = True,
    **options: Any,
) -> Any:
    """Do a graph within an open run, and return its final values; the run's result is left to the caller.

    A graph without a checkpointer is given one that lasts as long as this call, so that it can be interrupted. A graph
    with one goes on in the thread of the run (or in the run's own), unless `config` names a `thread_id`.

    Args:
        input: What `graph.astream` takes; None goes on from the last checkpoint.
        config: As for `graph.astream`.
        ask: Answers one interrupt: what it returns, `interrupt(...)` returns in the graph. The default asks people.
        state: Whether the graph's values become the run's state.
        say_prompt: Whether the last message of the input, if a person's, is said first.
        options: Further arguments of `graph.astream`: `context`, `interrupt_before`, `durability` ...
    Raises:
        QuestionWithdrawn: A question's deadline passed, or somebody said not to go on at a breakpoint.
        Exception: What the graph raises.
    """
    graph = with_memory(graph)
    with Brake(run) as brake:
        whole = merge_configs(_base(graph, run, brake), config)
        async with Telling(run) as telling:
            for prompt in prompts_of(input) if say_prompt else []:
                await telling.whole_text(prompt, role="user")
            return await _Doing(graph, run, telling, whole, options, ask, state).do(input)


def runnable(graph: Pregel[Any, Any, Any, Any], **options: Any) -> Callable[..., Awaitable[Any]]:
    """The graph as a function for `@live.runnable(name)`: the run's input is the graph's, or `{"prompt": text}`.

    An empty input goes on from the last checkpoint of the run's thread. The result is the graph's output as JSON; of a
    graph that has nothing but messages, the text of the last one. `options` are those of `run_graph`.
    """

    async def do(run: Run, **input: Any) -> Any:  # noqa: A002
        return result_of(await run_graph(graph, run, input_of(graph, input), **options))

    return do


def _base(graph: Pregel[Any, Any, Any, Any], run: Run, brake: Brake) -> RunnableConfig:
    thread = {} if graph.checkpointer in (None, False) else {"thread_id": run.thread_id or run.id}
    return {"callbacks": [brake], "configurable": thread}


class _Doing:
    """One graph from its input to its end, over all interrupts."""

    def __init__(
        self,
        graph: Pregel[Any, Any, Any, Any],
        run: Run,
        telling: Telling,
        config: RunnableConfig,
        options: Mapping[str, Any],
        ask: Ask,
        state: bool,
    ) -> None:
        self._graph = graph
        self._run = run
        self._config = config
        self._options = options
        self._ask = ask
        self._stream = Stream(run, telling, state=state)

    async def do(self, input: Any) -> Any:  # noqa: A002
        while True:
            try:
                await self._follow(input)
            except Exception as exc:
                if not is_invalid_resume(exc):
                    raise
                await self._run.log(f"the answer does not fit: {exc}", "warning")
            self._leave_checkpoint()
            input = await self._what_next()  # noqa: A001
            if input is _END:
                return self._stream.values

    async def _follow(self, input: Any) -> None:  # noqa: A002
        parts = self._graph.astream(
            input,
            self._config,
            stream_mode=_MODES,
            subgraphs=True,
            version="v2",
            **self._options,  # type: ignore[call-overload]
        )
        async with aclosing(parts):
            async for part in parts:
                await self._stream.take(part)

    def _leave_checkpoint(self) -> None:
        """What was begun from a given checkpoint goes on from the one that came of it."""
        place = {key: value for key, value in self._config.get("configurable", {}).items() if key != "checkpoint_id"}
        self._config = {**self._config, "configurable": place}

    async def _what_next(self) -> Any:
        """The input that goes on with the graph, once people have answered; `_END` if it has ended."""
        if self._graph.checkpointer in (None, False):
            return _END
        found = await self._graph.aget_state(self._config)
        if found.interrupts:
            answers = await together(self._ask(self._run, interrupt) for interrupt in found.interrupts)
            return Command(resume={one.id: answer for one, answer in zip(found.interrupts, answers, strict=True)})
        if found.next:
            await go_on(self._run, found.next)
            return None
        return _END


_END = object()
