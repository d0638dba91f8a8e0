"""Short words for tests of agents."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from tests.agents.model_server import ModelServer
from tests.runs.kit import log, until

from antiphon.brokers.memory import MemoryBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Hub
from antiphon.messages import Event
from antiphon.server.runnables import Runnable, ask_and_wait
from antiphon.services.agents import AgentConfig, ModelConfig
from antiphon.services.agents.service import Agents
from antiphon.services.questions import Questions
from antiphon.services.runs import NewRun, Runs, RunsConfig
from antiphon.services.runs.states import ENDED
from antiphon.services.tools import Tool, Tools

PATIENCE_S = 30


class Stage:
    """One life of a server, without agents of its own."""

    def __init__(self, hub: Hub, runs: Runs) -> None:
        self.hub = hub
        self.runs = runs
        self.questions: Questions

    def offer(self, name: str, function: Callable[..., Awaitable[Any]]) -> None:
        self.runs.register(name, Runnable(name, function))

    async def start(self, name: str, run_id: str, **input_: Any) -> None:
        await self.runs.start(NewRun(name=name, run_id=run_id, input=input_), by="ann")

    async def answer(self, name: str, run_id: str, **input_: Any) -> dict[str, Any]:
        """Start it and wait: the row as it ended."""
        await self.start(name, run_id, **input_)
        return await self.ended(run_id)

    async def ended(self, run_id: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            found = await self.runs.result(run_id, timeout_s=PATIENCE_S)
        assert found.status in ENDED, f"{run_id} is still {self.runs.rows[run_id]['status']}"
        return self.runs.rows[run_id]

    async def result(self, run_id: str) -> Any:
        return (await self.runs.result(run_id, timeout_s=0)).result

    async def events(self, run_id: str) -> list[Event]:
        return await log(self.hub, f"run:{run_id}")

    async def data(self, run_id: str, kind: str) -> list[Any]:
        return [event.data for event in await self.events(run_id) if event.type == kind]

    async def texts(self, run_id: str) -> list[tuple[str, str, str]]:
        """All messages: role, text, status."""
        return texts_of(await self.events(run_id))

    async def question(self, run_id: str) -> dict[str, Any]:
        """The first open question of a run, once it is asked."""
        await until(lambda: self.questions.list(status="open", run_id=run_id))
        return self.questions.list(status="open", run_id=run_id)[0]


def texts_of(events: list[Event]) -> list[tuple[str, str, str]]:
    found: dict[str, list[str]] = {}
    for event in events:
        match event.type:
            case "message.open":
                found[event.data["message_id"]] = [event.data["role"], "", "open"]
            case "message.append":
                found[event.data["message_id"]][1] += event.data["delta"]
            case "message.close":
                found[event.data["message_id"]][2] = event.data["status"]
    return [(role, text, status) for role, text, status in found.values()]


@asynccontextmanager
async def stage_on(broker: MemoryBroker | SqliteBroker) -> AsyncIterator[Stage]:
    async with Hub(broker) as hub, Runs(hub) as runs, Questions(hub, runs) as questions:
        runs.ask = partial(ask_and_wait, questions)
        runs.resume()
        stage = Stage(hub, runs)
        stage.questions = questions
        yield stage


class Life(Stage):
    """One life of a server with agents."""

    agents: Agents
    tools: Tools

    async def ask(
        self, run_id: str, prompt: Any, thread: str | None = "t", *, name: str = "chat", **given: Any
    ) -> None:
        """Start an answer."""
        wanted = {"prompt": prompt, **given} if given else prompt
        await self.runs.start(NewRun(name=name, run_id=run_id, input=wanted, thread_id=thread), by="ann")

    async def asked(self, run_id: str, prompt: Any, thread: str | None = "t", **given: Any) -> dict[str, Any]:
        """Start an answer and wait for its end."""
        await self.ask(run_id, prompt, thread, **given)
        return await self.ended(run_id)

    async def cancel(self, run_id: str) -> None:
        await self.runs.cancel(run_id, reason="enough", by="bob")

    async def table(self) -> dict[str, Any]:
        """The threads as published."""
        return dict((await self.hub.state("threads")).value)


@asynccontextmanager
async def life_on(
    broker: MemoryBroker | SqliteBroker,
    server: ModelServer | None = None,
    *,
    tools: Sequence[Tool] = (),
    agents: Mapping[str, AgentConfig] | None = None,
    models: Mapping[str, ModelConfig] | None = None,
    runs: RunsConfig | None = None,
    **settings: Any,
) -> AsyncIterator[Life]:
    """Args: settings: Those of the agent `chat`."""
    models = dict(models or {})
    if server is not None:
        models["scripted"] = ModelConfig(name="scripted", base_url=server.url)
    chat = AgentConfig(**({} if server is None else {"model": "scripted"}) | settings)
    async with Hub(broker) as hub:
        life = Life(hub, Runs(hub, runs))
        life.questions = Questions(hub, life.runs)
        life.runs.ask = partial(ask_and_wait, life.questions)
        life.tools = Tools()
        life.agents = Agents(hub, life.runs, life.questions, life.tools, {"chat": chat, **(agents or {})}, models)
        for tool in tools:
            life.tools.register(tool)
        async with life.tools, life.runs, life.questions, life.agents:
            life.runs.resume()
            yield life


def model(server: ModelServer) -> OpenAIChatModel:
    return OpenAIChatModel("scripted", provider=OpenAIProvider(base_url=server.url, api_key="not needed"))


def script(*rounds: list[dict[str, Any]]) -> str:
    """A prompt that tells the model server what to say, round by round."""
    return json.dumps({"rounds": list(rounds)})
