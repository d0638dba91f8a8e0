"""Runs of an app that Antiphon is mounted in: its functions, and its own users beside the tokens of runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from antiphon import Antiphon, Run
from antiphon.errors import ConflictError
from antiphon.server.access import User

LEASE = "a-secret-of-more-than-16-characters"


def by_header(connection: HTTPConnection) -> User | None:
    """Whoever says so, with all grants; a bearer token is none of the host's business here."""
    name = connection.headers.get("x-user")
    return None if name is None else User(name, ("*",))


@asynccontextmanager
async def mounted(live: Antiphon) -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    live.mount(app, "/antiphon")
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1/antiphon/api") as client,
    ):
        yield client


async def test_a_decorated_function_can_be_started(tmp_path: Path) -> None:
    live = Antiphon(data=tmp_path / "data")

    @live.runnable("research")
    async def research(run: Run, q: str, depth: int = 2) -> dict[str, Any]:
        async with run.message() as message:
            await message.append(f"Looking for {q}.")
        async with run.child("step") as step:
            await step.result(depth)
        return {"q": q, "depth": depth}

    with pytest.raises(ConflictError):
        live.runnable("research")(research)
    async with mounted(live) as client:
        assert (await client.get("/runs")).json()["names"] == ["assistant", "research"]
        wrong = await client.post("/runs/start", json={"name": "research", "input": {"q": "tea", "depth": "x"}})
        assert (wrong.status_code, wrong.json()["pointer"]) == (422, "/input/depth")
        run_id = (await client.post("/runs/start", json={"name": "research", "input": {"q": "tea"}})).json()["run_id"]
        result = (await client.get(f"/runs/{run_id}/result")).json()
        assert result == {"status": "succeeded", "result": {"q": "tea", "depth": 2}, "error": None}
        (child,) = (await client.get(f"/runs/{run_id}")).json()["children"]
        assert (child["name"], child["status"]) == ("step", "succeeded")


async def test_functions_of_the_settings_are_offered_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "functions_of_a_mounted_app.py").write_text("async def f(run) -> int:\n    return 7\n")
    config = tmp_path / "antiphon.toml"
    config.write_text('[runnable.seven]\nimport = "functions_of_a_mounted_app:f"\n')
    async with mounted(Antiphon(data=tmp_path / "data", config=config)) as client:
        run_id = (await client.post("/runs/start", json={"name": "seven"})).json()["run_id"]
        assert (await client.get(f"/runs/{run_id}/result")).json()["result"] == 7


async def test_tokens_of_runs_beside_the_hosts_users(tmp_path: Path) -> None:
    async with mounted(Antiphon(data=tmp_path / "data", auth=by_header)) as client:
        ann = {"x-user": "ann"}
        opened = (await client.post("/runs", json={"name": "tea", "lease": LEASE}, headers=ann)).json()
        run_id = opened["run_id"]
        assert opened["run"]["by"] == "ann"
        token = (await client.post(f"/runs/{run_id}/token", json={"lease": LEASE}, headers=ann)).json()["token"]
        child = {"authorization": f"Bearer {token}"}
        assert (await client.get(f"/runs/{run_id}", headers=child)).status_code == 200
        assert (await client.get("/runs", headers=child)).status_code == 403
        assert (await client.get("/runs", headers={"authorization": f"Bearer {token}x"})).status_code == 401
        assert (await client.get("/runs")).status_code == 401
