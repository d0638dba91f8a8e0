"""Agents and tools of an app that Antiphon is mounted in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from pydantic_ai import Agent, RunContext
from pydantic_ai.models.test import TestModel

from antiphon import Antiphon
from antiphon.errors import ConflictError, SettingsError, ToolError


class Shelf(BaseModel):
    teas: list[str]


helpdesk = Agent(TestModel(custom_output_text="Ask for tea."), instructions="You help.", deps_type=Shelf)


@helpdesk.tool
def teas(context: RunContext[Shelf]) -> list[str]:
    """What there is."""
    return context.deps.teas


def price(tea: str, cups: int = 1) -> float:
    """Tell what tea costs.

    Args:
        tea: Which one.
        cups: How many.
    """
    if tea == "none":
        raise ToolError("there is no such tea")
    return 2.5 * cups


@asynccontextmanager
async def mounted(live: Antiphon) -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    live.mount(app, "/antiphon")
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1/antiphon/api") as client,
    ):
        yield client


async def outcome(client: httpx2.AsyncClient, name: str, question: Any, **fields: Any) -> dict[str, Any]:
    started = await client.post("/runs/start", json={"name": name, "input": question, **fields})
    assert started.status_code == 201, started.text
    return dict((await client.get(f"/runs/{started.json()['run_id']}/result")).json())


async def test_an_unmodified_agent_answers_with_its_own_tools(tmp_path: Path) -> None:
    live = Antiphon(data=tmp_path / "data")
    live.agent("helpdesk", helpdesk, deps=Shelf(teas=["green"]), title="Help desk", if_busy="reject")
    async with mounted(live) as client:
        (row,) = [row for row in (await client.get("/agents")).json()["agents"] if row["name"] == "helpdesk"]
        assert (row["title"], row["if_busy"], row["source"], row["model"]) == ("Help desk", "reject", "python", "test")
        assert [tool["name"] for tool in row["tools"]] == ["teas"]
        found = await outcome(client, "helpdesk", "What is there?", thread_id="t")
        assert (found["status"], found["result"]) == ("succeeded", "Ask for tea.")
        run_id = (await client.get("/threads/t")).json()["runs"][0]["run_id"]
        events = (await client.get(f"/channels/run:{run_id}/events", params={"after": 0})).json()["events"]
        (end,) = [event["data"] for event in events if event["type"] == "tool.end"]
        assert (end["status"], end["result"]) == ("succeeded", ["green"])


async def test_what_is_wrong_is_told_where_it_is_offered(tmp_path: Path) -> None:
    live = Antiphon(data=tmp_path / "data")
    live.agent("helpdesk", helpdesk)
    with pytest.raises(ConflictError, match="helpdesk"):
        live.agent("helpdesk", helpdesk)
    with pytest.raises(SettingsError, match=r"agent\.other: `colour`"):
        live.agent("other", helpdesk, colour="red")
    with pytest.raises(SettingsError, match=r"agent\.'a b'"):
        live.agent("a b", helpdesk)
    live.tool(price)
    with pytest.raises(ConflictError, match="price"):
        live.tool(price)
    with pytest.raises(TypeError):
        live.tool(lambda tea: tea)  # another process could not find it


async def test_tools_are_offered_before_and_while_it_runs(tmp_path: Path) -> None:
    live = Antiphon(data=tmp_path / "data")

    @live.tool
    async def stock(tea: str) -> dict[str, int]:
        """Tell how much there is."""
        return {tea: 7}

    assert await stock("green") == {"green": 7}
    async with mounted(live) as client:
        assert live.tool(name="cost", needs_approval=True)(price) is price
        tools = {row["name"]: row for row in (await client.get("/tools")).json()["tools"]}
        assert tools["stock"]["source"] == tools["cost"]["source"] == "python"
        assert tools["cost"]["needs_approval"]
        assert tools["cost"]["description"].startswith("Tell what tea costs.")
        assert tools["cost"]["parameters"]["properties"]["tea"]["description"] == "Which one."
        assert (await client.post("/tools/stock/call", json={"arguments": {"tea": "green"}})).json() == {
            "result": {"green": 7}
        }
        assert (await client.post("/tools/cost/call", json={"arguments": {"tea": "x", "cups": 2}})).json()[
            "result"
        ] == 5
        failed = await client.post("/tools/cost/call", json={"arguments": {"tea": "none"}})
        assert (failed.json()["code"], failed.json()["message"]) == ("tool_failed", "there is no such tea")
        found = await outcome(client, "assistant", 'call stock {"tea": "green"}')
        assert "7" in found["result"]


async def test_the_app_may_be_opened_again(tmp_path: Path) -> None:
    live = Antiphon(data=tmp_path / "data")
    live.agent("helpdesk", helpdesk, deps=Shelf(teas=[]))
    live.tool(price)
    for number in range(2):
        async with mounted(live) as client:
            found = await outcome(client, "helpdesk", "?", thread_id="t")
            assert found["status"] == "succeeded"
            assert (await client.get("/threads/t")).json()["thread"]["runs"] == number + 1
    live.agent("second", helpdesk, deps=Shelf(teas=[]))
    async with mounted(live) as client:
        live.agent("third", helpdesk, deps=Shelf(teas=[]))
        names = [row["name"] for row in (await client.get("/agents")).json()["agents"]]
        assert names == ["assistant", "helpdesk", "second", "third"]
        assert (await outcome(client, "third", "?"))["status"] == "succeeded"


async def test_settings_name_an_agent_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "desk_of_a_test.py").write_text(
        "from pydantic_ai import Agent\nfrom pydantic_ai.models.test import TestModel\n"
        "desk = Agent(TestModel(custom_output_text='From the file.'))\nnothing = 5\n"
    )
    config = tmp_path / "antiphon.toml"
    config.write_text('[agent.desk]\nimport = "desk_of_a_test:desk"\ntitle = "Desk"\n')
    async with mounted(Antiphon(data=tmp_path / "data", config=config)) as client:
        assert [row["title"] for row in (await client.get("/agents")).json()["agents"]] == ["Desk"]
        assert (await outcome(client, "desk", "?"))["result"] == "From the file."
    for place in ("desk_of_a_test:nothing", "desk_of_a_test:gone", "no_such_module:desk"):
        config.write_text(f'[agent.desk]\nimport = "{place}"\n')
        with pytest.raises(SettingsError, match=r"agent\.desk\.import"):
            async with Antiphon(data=tmp_path / "data", config=config).running():
                pass
