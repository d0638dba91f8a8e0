"""What is refused before a stream begins: with a status, a problem object and a pointer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from tests.dialects.agui.requests import run_input
from tests.dialects.serving import Client, functions_served
from tests.live.real_server import RealServer

BAD: list[tuple[dict[str, Any], str]] = [
    ({"threadId": 3}, "/threadId"),
    ({"runId": ""}, "/runId"),
    ({"messages": None}, "/messages"),
    ({"messages": [{"id": "1", "role": "robot", "content": ""}]}, "/messages/0/role"),
    ({"messages": [{"id": "1", "role": "user", "content": 3}]}, "/messages/0"),
    ({"messages": [{"id": "1", "role": "tool", "content": "3"}]}, "/messages/0"),
    ({"messages": [{"id": "1", "role": "assistant", "toolCalls": [{"id": "c"}]}]}, "/messages/0/toolCalls/0/function"),
    ({"tools": [{"description": "nameless"}]}, "/tools/0/name"),
    ({"resume": [{"status": "resolved"}]}, "/resume/0/interruptId"),
    ({"forwardedProps": {"input": {"prompt": 3}}}, "/forwardedProps/input/prompt"),
]


@pytest.mark.parametrize(("fields", "pointer"), BAD)
async def test_a_wrong_body_is_pointed_at(client: Client, fields: dict[str, Any], pointer: str) -> None:
    status, problem = await client.refused("POST", "/agui/echo", json=run_input(**fields))
    assert (status, problem["code"], problem["pointer"]) == (422, "invalid_params", pointer)


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("POST", "/agui/nobody", {"json": run_input()}, 404, "not_found"),
        ("POST", "/agui/echo", {"json": [1]}, 422, "invalid_params"),
        ("POST", "/agui/echo", {"content": b"{", "headers": {"content-type": "application/json"}}, 400, "invalid_json"),
        ("POST", "/agui/echo", {"content": b"{}", "headers": {"content-type": "text/plain"}}, 400, "invalid_request"),
        ("POST", "/agui/echo?onDisconnect=explode", {"json": run_input()}, 422, "invalid_params"),
        ("GET", "/agui/echo/runs/nobody", {}, 404, "not_found"),
        ("POST", "/agui/echo/runs/nobody/stop", {}, 404, "not_found"),
        ("GET", "/agui/nobody/capabilities", {}, 404, "not_found"),
        ("POST", "/agui/echo", {"json": run_input(), "headers": {"origin": "https://elsewhere.example"}}, 403,
         "origin_refused"),
        ("GET", "/agui", {"headers": {"sec-fetch-site": "cross-site"}}, 403, "cross_site_refused"),
        ("GET", "/agui", {"headers": {"host": "rebound.example"}}, 403, "host_refused"),
    ],
)  # fmt: skip
async def test_it_is_refused(
    client: Client, method: str, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    found, problem = await client.refused(method, path, **options)
    assert (found, problem["code"]) == (status, code)


async def test_null_is_the_same_as_nothing(client: Client) -> None:
    body = run_input(tools=None, context=None, resume=None, state=None, forwardedProps=None, protocolVersion=None)
    async with client.stream("POST", "/agui/echo", json=body) as stream:
        assert (await stream.rest())[-1]["type"] == "RUN_FINISHED"


TOKENS = {name: f"antiphon_{name}_0123456789abcdef0123456789abcdef" for name in ("ann", "bob", "eve")}
GRANTS = {
    "ann": ["control run:echo", "read run:*"],
    "bob": ["control run:echo"],  # may start it, and not read what it says
    "eve": ["read run:*"],
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    users = {
        f"users.{name}": {"token_sha256": hashlib.sha256(TOKENS[name].encode()).hexdigest(), "grants": grants}
        for name, grants in GRANTS.items()
    }
    with functions_served(tmp_path_factory.mktemp("guarded"), **users) as server:
        yield server


def as_user(name: str | None) -> dict[str, Any]:
    return {} if name is None else {"headers": {"authorization": f"Bearer {TOKENS[name]}"}}


async def test_grants_are_those_of_runs(guarded: RealServer) -> None:
    async with Client.open(guarded) as client:
        body = run_input()
        for user, status in ((None, 401), ("bob", 403), ("eve", 403)):
            assert (await client.refused("POST", "/agui/echo", json=body, **as_user(user)))[0] == status
        async with client.stream("POST", "/agui/echo", json=run_input(runId="anns"), **as_user("ann")) as stream:
            await stream.rest()
        async with client.stream("GET", "/agui/echo/runs/anns", **as_user("eve")) as stream:
            assert (await stream.rest())[-1]["type"] == "RUN_FINISHED"
        assert (await client.refused("GET", "/agui/echo/runs/anns", **as_user("bob")))[0] == 403
        assert (await client.refused("POST", "/agui/echo/runs/anns/stop", **as_user("eve")))[0] == 403
        assert (await client.refused("GET", "/agui/echo/threads/t"))[0] == 401
        listed = {user: (await client.http.get("/agui", **as_user(user))).json()["agents"] for user in ("ann", "eve")}
        assert [[found["name"] for found in listed[user]] for user in ("ann", "eve")] == [["echo"], []]
