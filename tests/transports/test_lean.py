"""A lean socket's life, over real connections."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
import websockets
from tests.transports.client_frames import CLOSE, PING, PONG, TEXT, closing, frame
from tests.transports.lean_server import DEADLINE_S, LIMITS, EchoSession, LeanServer, RawPeer

from antiphon.transports.base import Ending
from antiphon.transports.frames import encode_frame
from antiphon.transports.sweep import Beat


async def ending(session: EchoSession) -> Ending:
    async with asyncio.timeout(DEADLINE_S):
        return await session.over


# order and back-pressure


async def test_messages_in_one_packet_are_taken_in_order(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        wanted = [str(number) for number in range(500)]  # several turns
        peer.say(*wanted)
        assert await peer.texts(500) == [text.encode() for text in wanted]


async def test_nothing_is_taken_while_the_session_waits(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer, RawPeer.open(server) as other:
        session = await server.session()
        peer.say("wait", "a", "b")
        peer.say("wait", "c")
        other.say("is served")
        assert await other.frame() == (TEXT, b"is served")
        assert session.taken in ([], ["wait"])
        session.gate.set()
        assert await peer.texts(5) == [b"waited", b"a", b"b", b"waited", b"c"]


async def test_a_peer_that_only_asks_fills_the_queue_and_no_more(server: LeanServer) -> None:
    async with RawPeer.open(server, receive_buffer=4096) as peer:
        session = await server.session()
        asked = 400
        peer.say(*["much"] * asked)  # 40 MB of answers, more than the kernel holds
        async with asyncio.timeout(DEADLINE_S):
            while session.socket.queued_bytes <= LIMITS.queued_bytes:
                await session.next_message()
        assert len(session.taken) < asked
        assert session.socket.queued_bytes < LIMITS.queued_bytes + (101 << 10)
        assert all(len(text) == 100 << 10 for text in await peer.texts(asked))
        peer.say("still in order")
        assert await peer.frame() == (TEXT, b"still in order")
        assert session.drains
        assert session.socket.sent_bytes > asked * (100 << 10)


async def test_the_session_is_told_when_there_is_room(server: LeanServer) -> None:
    async with RawPeer.open(server, receive_buffer=4096) as peer:
        session = await server.session()
        sent = 0
        while session.socket.queued_bytes < LIMITS.queued_bytes // 4:  # from here on the hub has no room
            session.say("x" * 10_000)
            sent += 1
        assert session.drains == 0
        await peer.texts(sent)
        async with asyncio.timeout(DEADLINE_S):
            await session.drained_once.wait()
        assert session.socket.queued_bytes < LIMITS.queued_bytes // 4


async def test_what_is_sent_soon_keeps_its_place(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        session = await server.session()
        peer.say("soon", "6")
        assert await peer.texts(6) == [b"1", b"2", b"3", b"4", b"5", b"6"]
        assert session.socket.queued_bytes == 0
        assert session.socket.sent_bytes == len("\x81\x05hello") + 6 * 3
        session.socket.send_soon([encode_frame(b"alone")])
        assert await peer.frame() == (TEXT, b"alone")


# the end


async def test_the_peer_closes(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        peer.write(frame(CLOSE, closing(4321, b"enough")), frame(TEXT, b"too late"))
        assert await peer.closed() == (4321, "")
        assert await peer.gone()
        assert await ending(await server.session()) == Ending(4321, "enough")


async def test_the_peer_closes_without_a_code(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        peer.write(frame(CLOSE))
        assert await peer.frame() == (CLOSE, b"")
        assert await peer.gone()
        assert await ending(await server.session()) == Ending(None, "closed by the peer")


@pytest.mark.parametrize("abort", [True, False])
async def test_the_peer_vanishes(abort: bool, server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        if abort:
            peer.writer.transport.abort()
        else:
            peer.writer.close()
        session = await server.session()
        assert await ending(session) == Ending(None, "connection lost")
        session.say("into the void")


async def test_the_session_ends_the_socket_behind_its_last_words(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        peer.say("end", "ignored")
        assert await peer.frame() == (TEXT, b"last words")
        assert await peer.closed() == (1012, "the server is stopping")
        peer.say("ignored, too")
        peer.write(frame(PING), frame(CLOSE, closing(1012)))
        assert await peer.gone()
        session = await server.session()
        assert session.taken == ["end"]
        assert await ending(session) == Ending(1012, "the server is stopping")


@pytest.mark.parametrize(
    ("word", "code", "reason"),
    [("refuse", 1008, "abusive"), ("wait and fail", 1008, "abusive"), ("fail", 1011, "a fault of the server")],
)
async def test_the_session_refuses_or_fails(word: str, code: int, reason: str, server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        session = await server.session()
        session.gate.set()
        peer.say("first", word, "ignored")
        assert await peer.frame() == (TEXT, b"first")
        assert await peer.closed() == (code, reason)
        assert await ending(session) == Ending(code, reason)
        peer.write(frame(CLOSE, closing(code)))
        assert await peer.gone()


async def test_what_is_waited_for_may_end_after_the_connection(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        session = await server.session()
        peer.say("before", "wait")
        assert await peer.frame() == (TEXT, b"before")
        async with asyncio.timeout(DEADLINE_S):
            while session.taken[-1] != "wait":
                await session.next_message()
        session.socket.end()
        assert await peer.closed() == (1012, "the server is stopping")
        peer.write(frame(CLOSE, closing(1012)))
        session.gate.set()
        assert await peer.gone()
        assert await ending(session) == Ending(1012, "the server is stopping")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(TEXT, b"x", key=None), 1002),
        (frame(3), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"x" * (1 << 20) + b"x"), 1009),
        (frame(CLOSE, b"x"), 1002),
    ],
)
async def test_a_violation_ends_the_connection(data: bytes, code: int, server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        peer.write(data, frame(TEXT, b"ignored"))
        assert (await peer.closed())[0] == code
        peer.say("ignored, too")
        server.tick(2)
        assert await peer.gone()
        session = await server.session()
        assert session.taken == []
        assert (await ending(session)).code == code


async def test_who_sends_too_much_can_read_why() -> None:
    async with LeanServer(beat=Beat()) as server, websockets.connect(f"{server.url}/lean") as socket:
        await socket.recv()
        with pytest.raises(websockets.ConnectionClosed) as closed:  # noqa: PT012 - the write or the read may see it
            await socket.send("x" * 30_000_000)
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


# heartbeats, stalls, deadlines: the ticks are the test's


async def test_pings_are_answered(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        peer.write(frame(TEXT, b"a", fin=False), frame(PING, b"payload"), frame(0, b"b"))
        assert await peer.frame() == (PONG, b"payload")
        assert await peer.frame() == (TEXT, b"ab")


async def test_whoever_answers_pings_stays(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        for _ in range(3):
            server.tick_until_ping(server.socket())
            assert await peer.frame() == (PING, b"")
            peer.write(frame(PONG))
            peer.say("in order")
            assert await peer.frame() == (TEXT, b"in order")
            server.tick(2)


async def test_whoever_does_not_is_cleared(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        server.tick_until_ping(server.socket())
        assert await peer.frame() == (PING, b"")
        server.tick()
        session = await server.session()
        assert not session.over.done()
        server.tick()
        assert await peer.closed() == (1008, "silent")
        server.tick(2)
        assert await peer.gone()
        assert await ending(session) == Ending(1008, "silent")


async def test_a_peer_that_cannot_be_heard_is_not_silent(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        session = await server.session()
        peer.say("before", "wait")
        assert await peer.frame() == (TEXT, b"before")
        while session.taken[-1] != "wait":
            await session.next_message()
        server.tick_until_ping(server.socket())
        peer.write(frame(PONG))
        server.tick(2)
        session.gate.set()
        assert [await peer.frame(), await peer.frame()] == [(PING, b""), (TEXT, b"waited")]


async def test_whoever_takes_nothing_is_cut(server: LeanServer) -> None:
    server.sweep._stalled = 3
    async with RawPeer.open(server, receive_buffer=4096) as peer:
        session = await server.session()
        while session.socket.queued_bytes < LIMITS.queued_bytes:
            session.say("x" * 100_000)
        server.tick(3)
        assert await ending(session) == Ending(1008, "slow_consumer")
        server.tick(3)  # nor does it take the close frame
        async with asyncio.timeout(DEADLINE_S):
            with suppress(ConnectionResetError):
                await peer.reader.read(-1)


async def test_whoever_does_not_answer_our_close_frame_is_cut(server: LeanServer) -> None:
    async with RawPeer.open(server) as peer:
        peer.say("end")
        await peer.frame()
        await peer.closed()
        server.tick(3)
        assert await peer.gone()


# stopping


async def test_stopping_closes_with_1012(server: LeanServer) -> None:
    async with websockets.connect(f"{server.url}/lean") as socket:
        await socket.recv()
        await server.stop()
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert not server.uvicorn.server_state.connections
    assert len(server.sweep) == 0
    assert len(server.crew) == 0


async def test_stopping_does_not_wait_for_the_deaf() -> None:
    async with LeanServer(beat=Beat(tick_s=0.01)) as server, RawPeer.open(server) as peer:
        await server.stop()
        assert (await peer.closed())[0] == 1012
        assert await peer.gone()
        assert not server.uvicorn.server_state.connections
