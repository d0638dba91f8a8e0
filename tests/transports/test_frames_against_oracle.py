"""Any sequence of frames, cut anywhere, reads the same as in the sans-I/O core of `websockets`."""

from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st
from tests.transports.client_frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, closing, cut, frame, read
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from antiphon.transports.frames import Close, Event, Ping, Pong, encode_close, encode_frame
from antiphon.transports.masking import LONG, unmask, unmask_in_python

LIMIT = 500

keys = st.binary(min_size=4, max_size=4)
controls = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))
messages = st.one_of(
    st.tuples(st.just(TEXT), st.text(max_size=100).map(str.encode)), st.tuples(st.just(BINARY), st.binary(max_size=400))
)
cuts = st.lists(st.integers(min_value=0, max_value=1 << 16), max_size=20)

FAULTS = {
    "reserved bits": frame(TEXT, b"x", rsv=2),
    "opcode": frame(0xB),
    "unmasked": frame(BINARY, b"x", key=None),
    "long control": frame(PING, b"x" * 126),
    "fragmented control": frame(PONG, fin=False),
    "close code": frame(CLOSE, closing(1005)),
    "close payload": frame(CLOSE, b"x"),
    "close reason": frame(CLOSE, closing(1000, b"\xff")),
}
IN_A_MESSAGE = {"interleaved": frame(TEXT, b"x"), "too long": frame(CONT, b"x" * (LIMIT + 1))}
BETWEEN_MESSAGES = {
    "continuation": frame(CONT, b"x"),
    "too long": frame(BINARY, b"x" * (LIMIT + 1)),
    "no text": frame(TEXT, b"\xff"),
}


@st.composite
def conversations(draw: st.DrawFn) -> bytes:
    """Messages in fragments with control frames between them; then a fault, a close, or nothing."""
    out, inside = [], False
    for opcode, payload in draw(st.lists(messages, max_size=5)):
        pieces = cut(payload, draw(st.lists(st.integers(0, 400), max_size=3)))
        last = len(pieces) - 1
        for number, piece in enumerate(pieces):
            out += [frame(*control, key=draw(keys)) for control in draw(st.lists(controls, max_size=2))]
            out.append(frame(CONT if number else opcode, piece, fin=number == last, key=draw(keys)))
            inside = number != last
            if inside and draw(st.integers(0, 9)) == 0:
                break
        if inside:
            break
    ends = FAULTS | (IN_A_MESSAGE if inside else BETWEEN_MESSAGES) | {"nothing": b"", "half": frame(PING, b"xyz")[:-1]}
    if not inside:  # the oracle takes a close frame inside a message for a fault; RFC 6455, 5.4 allows control frames
        ends["close"] = frame(CLOSE, closing(1000, b"bye"))
    out.append(ends[draw(st.sampled_from(sorted(ends)))])
    return b"".join(out)


def oracle(data: bytes) -> tuple[list[Event], int | None]:
    """What `websockets` makes of it; messages are put together and decoded as its users do."""
    protocol = ServerProtocol(state=OPEN, max_size=LIMIT)
    protocol.receive_data(data)
    events: list[Event] = []
    opcode, payload = CONT, b""
    for found in protocol.events_received():
        assert isinstance(found, Frame)
        if found.opcode in (PING, PONG):
            events.append((Ping if found.opcode == PING else Pong)(bytes(found.data)))
        elif found.opcode == CLOSE:
            assert protocol.close_rcvd is not None
            events.append(Close(int(protocol.close_rcvd.code), protocol.close_rcvd.reason))
        else:
            opcode, payload = (
                (opcode, payload + found.data) if found.opcode == CONT else (found.opcode, bytes(found.data))
            )
            if found.fin and opcode == TEXT:
                try:
                    events.append(payload.decode())
                except UnicodeDecodeError:
                    return events, 1007
            elif found.fin:
                events.append(payload)
    if protocol.parser_exc is None:
        return events, None
    assert protocol.close_sent is not None
    return events, int(protocol.close_sent.code)


@given(conversations(), cuts)
def test_any_cut_of_any_conversation_reads_as_the_oracle_reads_it(data: bytes, places: list[int]) -> None:
    assert read(cut(data, places), limit=LIMIT) == oracle(data)


@given(st.binary(max_size=60), cuts)
def test_rubbish_fails_the_same_wherever_it_is_cut(data: bytes, places: list[int]) -> None:
    assert read(cut(data, places), limit=LIMIT) == read([data], limit=LIMIT)


@given(st.binary(max_size=3000), keys)
def test_unmasking_is_xor(data: bytes, key: bytes) -> None:
    expected = bytes(byte ^ key[at % 4] for at, byte in enumerate(data))
    assert unmask(data, key) == unmask_in_python(data, key) == expected


def test_unmasking_long_data() -> None:
    data, key = bytes(range(256)) * (LONG // 256 + 1), b"\x01\x80\xff\x00"
    assert unmask_in_python(data + b"x", key) == unmask(data + b"x", key)
    assert list(islice(unmask_in_python(data, key), 4)) == [1, 0x81, 0xFD, 3]


@given(st.one_of(st.binary(max_size=300), st.just(b"x" * 65536)))
def test_the_oracle_reads_our_frames(payload: bytes) -> None:
    from websockets.client import ClientProtocol
    from websockets.uri import parse_uri

    client = ClientProtocol(parse_uri("ws://x/"), state=OPEN)
    client.receive_data(encode_frame(payload, BINARY) + encode_frame(b"p", PING) + encode_close(1012, "stopping"))
    frames = client.events_received()
    assert [bytes(found.data) for found in frames[:2] if isinstance(found, Frame)] == [payload, b"p"]
    assert client.close_rcvd is not None
    assert (client.close_rcvd.code, client.close_rcvd.reason) == (1012, "stopping")
