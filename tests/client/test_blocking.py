from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator

import pytest
from tests.client.small_server import SmallServer

import antiphon
from antiphon import AsyncLive, CaughtUp, Cursor, Event, Live
from antiphon.client.portal import Portal
from antiphon.errors import ClientClosed, ConnectionFailed, Forbidden, InvalidChannel


@pytest.fixture
def elsewhere() -> Iterator[tuple[SmallServer, Portal]]:
    """A server on the event loop of another thread, for tests that block."""
    portal, server = Portal(), SmallServer()
    portal.call(server.start())
    yield server, portal
    portal.call(server.stop())
    portal.close()


def test_the_same_names_with_a_plain_with(elsewhere: tuple[SmallServer, Portal]) -> None:
    server, portal = elsewhere
    with antiphon.connect(server.url) as live:
        assert live.publish("a", "t", {"n": 1}) == Cursor("one", 1)
        assert live.status.phase == "live"
        items = live.subscribe("a", after="start")
        first, second = next(items), next(items)
        assert isinstance(first, Event)
        assert isinstance(second, CaughtUp)
        portal.call(server.publish("a", 2))
        assert [item.data for item in [next(items)] if isinstance(item, Event)] == [2]
        assert items.cursors == {"a": Cursor("one", 2)}
        items.close()
        assert list(items) == []
    with pytest.raises(ClientClosed):
        live.publish("a", "t")
    live.close()


def test_both_faces_have_the_same_public_names_and_parameters() -> None:
    def public(face: type) -> set[str]:
        return {name for name in dir(face) if not name.startswith("_")}

    assert public(Live) == public(AsyncLive)
    for name in public(Live):
        mine, theirs = getattr(Live, name), getattr(AsyncLive, name)
        if callable(mine) and name != "close":
            assert inspect.signature(mine) == inspect.signature(theirs)


def test_errors_come_through(elsewhere: tuple[SmallServer, Portal]) -> None:
    server, _ = elsewhere
    with antiphon.connect(server.url) as live:
        with pytest.raises(InvalidChannel):
            live.subscribe("no spaces")
        server.answers["subscribe"] = [
            {"error": {"code": -32000, "message": "no", "data": {"code": "forbidden", "retryable": False}}}
        ]
        with pytest.raises(Forbidden), live.subscribe("a"):
            pass
    server.refusal = (503, {})
    with pytest.raises(ConnectionFailed), antiphon.connect(server.url, first_connection_s=0):
        pass


def test_an_interrupted_wait_loses_nothing(elsewhere: tuple[SmallServer, Portal]) -> None:
    server, portal = elsewhere
    with antiphon.connect(server.url) as live, live.subscribe("a", after="start") as items:
        assert isinstance(next(items), CaughtUp)
        filling = asyncio.run_coroutine_threadsafe(items._fill(), items._portal._loop)  # as `next`, interrupted
        for number in range(5):
            portal.call(server.publish("a", number))
            filling.cancel()
        got = [next(items) for _ in range(5)]
        assert [item.data for item in got if isinstance(item, Event)] == list(range(5))


def test_threads_share_one_client(elsewhere: tuple[SmallServer, Portal]) -> None:
    server, _ = elsewhere
    with antiphon.connect(server.url) as live:
        threads = [
            threading.Thread(target=lambda: [live.publish("a", "n", number) for number in range(50)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.logs["a"]) == 200
    assert server.welcomes == 1


def test_closing_in_another_thread_ends_a_wait(elsewhere: tuple[SmallServer, Portal]) -> None:
    server, portal = elsewhere
    server.answers["ping"] = ["silence"]
    with antiphon.connect(server.url) as live:
        ended: list[BaseException] = []

        def wait() -> None:
            try:
                live.request("ping")
            except ClientClosed as exc:
                ended.append(exc)

        thread = threading.Thread(target=wait)
        thread.start()
        portal.call(server.until(lambda: server.count("ping") == 1))
        live.close()
        thread.join()
        assert len(ended) == 1
