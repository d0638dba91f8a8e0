"""Chats over Vercel's UI message stream, on a real server: answered, reloaded, asked, stopped, refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.dialects.programs import Wire
from tests.dialects.serving import Client, Stream
from tests.dialects.vercel.page import Page
from tests.dialects.vercel.requests import chat, user
from tests.live.running import until_run


async def shown(stream: Stream, page: Page) -> list[Any]:
    """All that is left of a stream, on the page."""
    found = await stream.rest()
    for entry in found:
        page.take(b"[DONE]" if entry == "[DONE]" else json.dumps(entry).encode())
    return found


async def test_a_message_is_answered(client: Client) -> None:
    page = Page()
    async with client.stream("POST", "/vercel/echo", json=chat(user("hello"), messageId=None, more="ours")) as stream:
        assert stream.response.headers["x-vercel-ai-ui-message-stream"] == "v1"
        found = await shown(stream, page)
    assert found[-2:] == [{"type": "finish", "finishReason": "stop"}, "[DONE]"]
    assert [part.get("text") for part in page.parts] == [None, "You said: hello."]
    [(_, run)] = [data for data in page.data if data[0] == "run"]
    assert page.message["id"] == run["run_id"]
    await until_run(client.server, run["run_id"], status="succeeded")


async def test_a_page_that_is_reloaded_sees_the_answer_go_on(client: Client) -> None:
    async with Wire.open() as wire:
        body = chat(user("go"), input={"port": wire.port}, id="a chat / of mine")
        path = "/vercel/relay/a%20chat%20%2F%20of%20mine/stream"
        assert (await client.http.get(path)).status_code == 204
        async with client.stream("POST", "/vercel/relay", json=body) as stream:
            await wire.say("one ")
            await stream.until("text-delta")
        await wire.say("two ")
        first, second = Page(replays=True), Page(replays=True)
        async with client.stream("GET", path) as stream, client.stream("GET", path) as other:
            await wire.say("three")
            await wire.end()
            for page, viewer in ((first, stream), (second, other)):
                assert (await shown(viewer, page))[-1] == "[DONE]"
        assert first.message == second.message
        assert first.parts[-1] == {"type": "text", "text": "one two three"}
        assert (await client.http.get(path)).status_code == 204


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        ({"approved": True}, "output-available", 'approve: {"version": "2"}'),
        ({"approved": False, "reason": "late"}, "output-denied", 'reject: "late"'),
    ],
)
async def test_an_approval_is_asked_for_and_the_answer_goes_on_in_the_same_message(
    client: Client, answer: dict[str, Any], state: str, text: str
) -> None:
    body = chat(user("deploy"), input={"version": "2"})
    page = Page()
    async with client.stream("POST", "/vercel/deploy", json=body) as stream:
        await shown(stream, page)
    part = page.tools()["c1"]
    assert (part["state"], page.reason) == ("approval-requested", "tool-calls")
    async with client.stream("GET", f"/vercel/deploy/{body['id']}/stream") as stream:  # a page that was reloaded now
        again = Page(replays=True)
        await shown(stream, again)
    assert again.message == page.message
    part.update(state="approval-responded", approval={**part["approval"], **answer})
    answered = {**body, "messages": [*body["messages"], page.message], "messageId": page.message["id"]}
    more = Page(page.message)
    async with client.stream("POST", "/vercel/deploy", json=answered) as stream:
        await shown(stream, more)
    assert more.message["id"] == page.message["id"]
    assert more.tools()["c1"]["state"] == state
    assert [found["text"] for found in more.parts if found["type"] == "text"] == [text]


async def test_a_choice_is_a_tool_of_the_page(client: Client) -> None:
    body = chat(user("choose"))
    page = Page()
    async with client.stream("POST", "/vercel/choose", json=body) as stream:
        await shown(stream, page)
    [part] = page.tools().values()
    assert (part["type"], part["input"]["prompt"]) == ("tool-question", "Which?")
    part.update(state="output-available", output="red")
    wrong = {**body, "messages": [*body["messages"], page.message]}
    status, problem = await client.refused("POST", "/vercel/choose", json=wrong)
    index = page.parts.index(part)
    assert (status, problem["pointer"]) == (422, f"/messages/1/parts/{index}")
    part["output"] = "black"
    more = Page(page.message)
    async with client.stream("POST", "/vercel/choose", json=wrong) as stream:
        await shown(stream, more)
    texts = [found["text"] for found in more.parts if found["type"] == "text"]
    assert "".join(texts) == "Let me ask. It is black."
    assert more.last == "[DONE]"


async def test_stop_aborts_what_everybody_sees(client: Client) -> None:
    async with Wire.open() as wire:
        body = chat(user("go"), input={"port": wire.port})
        page = Page()
        async with client.stream("POST", "/vercel/relay", json=body) as stream:
            await wire.say("one")
            stopped = (await client.http.post(f"/vercel/relay/{body['id']}/stop")).json()
            assert [len(receipt["stopped"]) for receipt in stopped["runs"]] == [1]
            found = await shown(stream, page)
        assert found[-2]["type"] == "abort"
        await wire.until_gone()


async def test_stop_reaches_all_that_is_under_way_in_a_chat(client: Client) -> None:
    async with Wire.open() as one, Wire.open() as two:
        body = chat(user("go"), input={"port": one.port})
        more = {**body, "input": {"port": two.port}}
        path = f"/vercel/relay/{body['id']}/stop"
        async with (
            client.stream("POST", "/vercel/relay", json=body),
            client.stream("POST", "/vercel/relay", json=more) as stream,
        ):
            await one.say("1")
            await two.say("2")
            stopped = (await client.http.post(path, json={"reason": "enough"})).json()["runs"]
            assert [len(receipt["stopped"]) for receipt in stopped] == [1, 1]
            assert (await stream.rest())[-2] == {"type": "abort", "reason": "enough"}
        assert (await client.http.post(path)).json() == {"runs": []}


async def test_a_page_that_goes_away_cancels_where_that_is_wanted(client: Client) -> None:
    async with Wire.open() as wire:
        body = chat(user("go"), input={"port": wire.port})
        async with client.stream("POST", "/vercel/relay?onDisconnect=cancel", json=body) as stream:
            await wire.say("one")
            run = await stream.until("data-run")
        await wire.until_gone()
    await until_run(client.server, run["data"]["run_id"], status="cancelled")


async def test_a_failure_is_said(client: Client) -> None:
    page = Page()
    async with client.stream("POST", "/vercel/fail", json=chat(user("try"))) as stream:
        found = await shown(stream, page)
    assert found[-2:] == [{"type": "error", "errorText": "no tea"}, "[DONE]"]
    assert ("state-patch", {"ops": [{"op": "add", "path": "/tasks", "value": {"t1": "begun"}}]}) in page.data


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"id": ""}, "/id"),
        ({"messages": []}, "/messages"),
        ({"messages": [{"id": "1", "role": "robot", "parts": []}]}, "/messages/0/role"),
        ({"messages": [{"id": "1", "role": "user", "content": "old"}]}, "/messages/0/parts"),
        ({"trigger": "explode"}, "/trigger"),
        ({"input": {"prompt": 3}}, "/input/prompt"),
    ],
)
async def test_a_wrong_body_is_pointed_at(client: Client, fields: dict[str, Any], pointer: str) -> None:
    status, problem = await client.refused("POST", "/vercel/echo", json=chat(user("x"), **fields))
    assert (status, problem["code"], problem["pointer"]) == (422, "invalid_params", pointer)


async def test_nobody_and_other_pages_are_refused(client: Client) -> None:
    assert (await client.refused("POST", "/vercel/nobody", json=chat(user("x"))))[0] == 404
    assert (await client.refused("POST", "/vercel/echo/nothing/stop"))[0] == 404
    foreign = {"origin": "https://elsewhere.example"}
    assert (await client.refused("POST", "/vercel/echo", json=chat(user("x")), headers=foreign))[0] == 403
