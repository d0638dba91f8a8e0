from __future__ import annotations

import asyncio

import pytest
from tests.client.small_server import SmallServer

import antiphon
from antiphon.errors import (
    ChannelOwned,
    ClientClosed,
    ConnectionLost,
    InvalidChannel,
    RemoteError,
    RequestTimeout,
    TooDeep,
    TooLarge,
)


async def test_publish_answers_with_the_place(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live:
        assert await live.publish("news:tea", "speech", {"text": "hi"}) == ("one", 1)
        assert live.user == "local"
    event = server.logs["news:tea"][0]
    assert (event["type"], event["data"]) == ("speech", {"text": "hi"})


async def test_a_retry_after_a_lost_connection_is_appended_once(server: SmallServer) -> None:
    server.answers["publish"] = ["apply, then drop"]
    async with antiphon.connect(server.url) as live:
        assert await live.publish("news:tea", "speech", "once") == ("one", 1)
    assert len(server.logs["news:tea"]) == 1
    sent = [request["params"]["idempotency_key"] for request in server.requests]
    assert len(sent) == 2
    assert len(set(sent)) == 1


async def test_publishes_made_while_the_server_is_away_arrive_in_order_once_it_is_back(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live:
        await server.stop()
        async with asyncio.TaskGroup() as tasks:
            for number in range(50):
                tasks.create_task(live.publish("a", "n", number))
            await asyncio.sleep(0)
            await server.start()
    assert [event["data"] for event in server.logs["a"]] == list(range(50))


async def test_more_publishes_at_once_than_may_be_in_flight_keep_their_order(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live:
        await asyncio.gather(*(live.publish("a", "n", number) for number in range(1000)))
    assert [event["data"] for event in server.logs["a"]] == list(range(1000))


async def test_what_cannot_be_repeated_fails_when_the_connection_is_lost(server: SmallServer) -> None:
    server.answers["process.write"] = ["drop"]
    async with antiphon.connect(server.url) as live:
        with pytest.raises(ConnectionLost) as caught:
            await live.process_write("x", "yes\n")
        assert caught.value.retryable
        assert await live.request("ping") == {"echo": {}}  # on the next connection
    assert server.count("process.write") == 1


async def test_what_was_not_sent_yet_waits_for_the_connection(server: SmallServer) -> None:
    noticed = asyncio.Event()
    async with antiphon.connect(
        server.url, on_status=lambda s: noticed.set() if s.phase == "waiting" else None
    ) as live:
        await server.stop()
        await noticed.wait()
        asking = asyncio.create_task(live.process_restart("x"))
        await asyncio.sleep(0)
        await server.start()
        assert (await asking).status == "running"


async def test_errors_have_the_class_that_their_code_names(server: SmallServer) -> None:
    def refusal(code: str) -> dict[str, object]:
        return {"error": {"code": -32000, "message": "no", "data": {"code": code, "pointer": "/p", "retryable": True}}}

    server.answers["publish"] = [refusal("channel_owned"), refusal("of_a_newer_server")]
    async with antiphon.connect(server.url) as live:
        with pytest.raises(ChannelOwned) as owned:
            await live.publish("a", "t")
        assert owned.value.pointer == "/p"
        with pytest.raises(RemoteError) as unknown:
            await live.publish("a", "t")
        assert unknown.value.facts() == {"code": "of_a_newer_server", "pointer": "/p", "retryable": True}


async def test_an_answer_that_breaks_the_protocol_is_an_error_of_its_request(server: SmallServer) -> None:
    server.answers["publish"] = [{"result": {"epoch": "one", "offset": "many"}}]
    async with antiphon.connect(server.url) as live:
        with pytest.raises(RemoteError, match="offset"):
            await live.publish("a", "t")
        assert await live.publish("a", "t") == ("one", 1)


async def test_wrong_input_is_refused_before_it_costs_the_connection(server: SmallServer) -> None:
    deep: list[object] = []
    for _ in range(70):
        deep = [deep]
    async with antiphon.connect(server.url) as live:
        with pytest.raises(TooLarge):
            await live.publish("a", "t", "x" * 3000)
        with pytest.raises(TooDeep):
            await live.publish("a", "t", deep)
        with pytest.raises(InvalidChannel):
            await live.publish("no spaces", "t")
        with pytest.raises(TypeError):
            await live.publish("a", "t", object())
        wide = [[index] for index in range(200)]
        await live.publish("a", "t", ['{[\\"' * 50, wide])
    assert server.welcomes == 1


async def test_deadlines_say_whether_there_was_a_connection(server: SmallServer) -> None:
    server.answers["ping"] = ["silence"]
    async with antiphon.connect(server.url) as live:
        with pytest.raises(RequestTimeout, match="no answer to ping"):
            await live.request("ping", timeout_s=0.01)
        await server.stop()
        with pytest.raises(ConnectionLost, match=r"refused|broke"):
            await live.publish("a", "t", timeout_s=0.2)


async def test_an_answer_after_the_deadline_is_for_nobody(server: SmallServer) -> None:
    server.answers["ping"] = ["silence"]
    async with antiphon.connect(server.url) as live:
        with pytest.raises(RequestTimeout):
            await live.request("ping", timeout_s=0.01)
        late = server.requests[0]["id"]
        await server.broadcast(b'{"jsonrpc": "2.0", "id": %d, "result": {}}' % late)
        assert await live.request("ping") == {"echo": {}}


async def test_closing_ends_what_waits_and_may_be_repeated(server: SmallServer) -> None:
    server.answers["ping"] = ["silence"]
    live = await antiphon.connect(server.url).__aenter__()
    asking = asyncio.create_task(live.request("ping"))
    await server.until(lambda: server.count("ping") == 1)
    await live.close()
    await live.close()
    with pytest.raises(ClientClosed):
        await asking
    with pytest.raises(ClientClosed):
        await live.publish("a", "t")
    with pytest.raises(ClientClosed):
        live.subscribe("a")


async def test_cancelling_a_request_goes_through_and_spoils_nothing(server: SmallServer) -> None:
    server.answers["ping"] = ["silence"]
    async with antiphon.connect(server.url) as live:
        asking = asyncio.create_task(live.request("ping"))
        await server.until(lambda: server.count("ping") == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await live.request("ping") == {"echo": {}}
