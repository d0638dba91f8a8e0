"""OpenAI Agents SDK: your own, unmodified `Agent` as a run that people watch, cancel and answer.

    async with antiphon.connect() as live, live.run("research") as run:
        result = await run_agent(agent, run, "What is new?")

    live.runnable("research")(runnable(agent))  # in a server of your own

Needs `pip install openai-agents`. Texts, reasoning and the arguments of tool calls grow as the model writes them; tools
that need approval ask people, and their answers resume the agent; a cancel closes the request to the model at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

try:
    from agents import Agent, RunConfig, RunHooks, Runner, RunResultStreaming, RunState, TResponseInputItem
except ModuleNotFoundError as exc:
    raise ImportError("antiphon.adapters.openai_agents needs the OpenAI Agents SDK: pip install openai-agents") from exc

from agents.memory import Session

from antiphon.adapters.jsonable import jsonable
from antiphon.adapters.openai_agents_approving import decide_all
from antiphon.adapters.openai_agents_events import Relay
from antiphon.adapters.openai_agents_hooks import Hooks
from antiphon.adapters.telling import Telling
from antiphon.client.run.face import Run

Prompt = str | list[TResponseInputItem]
Sessions = Callable[[str], Session]

STOPPED_WITHIN_S = 5.0  # so long a cancelled agent may take to let go of its model and tools


async def run_agent(
    agent: Agent[Any],
    run: Run,
    prompt: Prompt | RunState[Any],
    *,
    say_prompt: bool = True,
    hooks: RunHooks[Any] | None = None,
    run_config: RunConfig | None = None,
    session: Session | Sessions | None = None,
    **options: Any,
) -> RunResultStreaming:
    """Let an agent answer inside a run that is open.

    Args:
        prompt: What `Runner.run_streamed` takes as its input.
        say_prompt: Whether the prompt is said first, as a message of the user.
        run_config: As for the library; None = its defaults, but nothing is traced.
        session: The agent's memory; or a function that is given the run's thread id and returns it, not called for a
            run without a thread.
        options: Further arguments of `Runner.run_streamed`: `context`, `max_turns`, `error_handlers`, ...
    Returns:
        The library's result, complete; `run.result` is left to the caller.
    Raises:
        asyncio.CancelledError: The run was cancelled.
        agents.exceptions.AgentsException: As `Runner.run_streamed`.
    """
    async with Telling(run) as telling:
        if say_prompt and (text := _text_of(prompt)):
            await telling.whole_text(text, role="user")
        relay = Relay(run, telling)
        whole = {
            **options,
            "hooks": Hooks(relay, hooks),
            "run_config": RunConfig(tracing_disabled=True) if run_config is None else run_config,
            "session": _session(session, run),
        }
        return await _answer(agent, run, relay, prompt, whole)


def runnable(
    agent: Agent[Any],
    *,
    prepare: Callable[[Run], Awaitable[dict[str, Any]]] | None = None,
    **options: Any,
) -> Callable[..., Awaitable[Any]]:
    """An agent as a function that can be started: its input is `{"prompt": "..."}`, its result what it puts out.

    Args:
        prepare: Given the run, returns further options for it, for instance `context`.
        options: As those of `run_agent`.
    """

    async def answer(run: Run, prompt: str) -> Any:
        own = {} if prepare is None else await prepare(run)
        result = await run_agent(agent, run, prompt, **{**options, **own})
        return jsonable(result.final_output)

    return answer


async def _answer(
    agent: Agent[Any], run: Run, relay: Relay, prompt: Prompt | RunState[Any], options: dict[str, Any]
) -> RunResultStreaming:
    """Over all interruptions."""
    given: Any = prompt
    while True:
        result = Runner.run_streamed(agent, given, **options)
        await _follow(result, relay)
        if not result.interruptions:
            return result
        given = result.to_state()
        await decide_all(run, relay, given, result.interruptions)


async def _follow(result: RunResultStreaming, relay: Relay) -> None:
    """Say everything; whatever ends it early stops the library's own task, and waits until it has let go."""
    try:
        async with aclosing(result.stream_events()) as events:  # type: ignore[type-var]  # it is a generator
            try:
                async for event in events:
                    await relay.take(event)
            except BaseException:
                result.cancel()  # first: closing the generator waits for the library's task
                raise
    finally:
        await _ended(result.run_loop_task)
    await relay.end(result.context_wrapper.usage)


async def _ended(task: asyncio.Task[Any] | None) -> None:
    if task is not None and not task.done():
        await asyncio.wait([task], timeout=STOPPED_WITHIN_S)


def _session(session: Session | Sessions | None, run: Run) -> Session | None:
    if session is None or isinstance(session, Session):
        return session
    return None if run.thread_id is None else session(run.thread_id)


def _text_of(prompt: Prompt | RunState[Any]) -> str:
    """What the user says in the end; empty = nothing that is a text."""
    if isinstance(prompt, RunState) or not prompt:
        return ""
    if isinstance(prompt, str):
        return prompt
    last: Any = prompt[-1]
    content = last.get("content") if last.get("role") == "user" else None
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if part.get("type") == "input_text")
    return content if isinstance(content, str) else ""
