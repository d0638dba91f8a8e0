"""RFC 6455, section by section, as bytes."""

from __future__ import annotations

import struct

import pytest
from tests.transports.client_frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, closing, frame, read

from antiphon.transports.frames import (
    Close,
    FrameReader,
    Opcode,
    Ping,
    Pong,
    Violation,
    encode_close,
    encode_frame,
)

TEA = "Tee, 茶, 🍵"


def whole_and_bytewise(data: bytes, *, limit: int = 1 << 20) -> list[tuple[list[object], int | None]]:
    return [read([data], limit=limit), read([data[at : at + 1] for at in range(len(data))], limit=limit)]  # type: ignore[list-item]


def check(data: bytes, events: list[object], code: int | None = None, *, limit: int = 1 << 20) -> None:
    for found in whole_and_bytewise(data, limit=limit):
        assert found == (events, code)


# 5.2, base framing


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_every_form_of_length(size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    assert read([frame(BINARY, payload[:size])]) == ([payload[:size]], None)
    assert read([frame(TEXT, b"x" * size)]) == (["x" * size], None)


@pytest.mark.parametrize(("size", "form"), [(0, 2), (125, 2), (125, 8), (126, 8), (65535, 8)])
def test_a_length_must_be_in_its_shortest_form(size: int, form: int) -> None:
    check(frame(TEXT, b"x" * size, form=form), [], 1002)


def test_the_highest_bit_of_a_long_length_must_be_clear() -> None:
    check(bytes([0x82, 0xFF]) + struct.pack("!Q", 1 << 63), [], 1002)


@pytest.mark.parametrize("rsv", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_reserved_bits_must_be_clear(rsv: int, opcode: int) -> None:
    check(frame(PING) + frame(opcode, rsv=rsv), [Ping(b"")], 1002)


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF])
def test_reserved_opcodes_are_refused(opcode: int) -> None:
    check(frame(opcode, b"x"), [], 1002)


def test_a_wrong_header_is_refused_before_its_payload() -> None:
    for head in (frame(TEXT, b"x" * 1000, rsv=1), frame(3, b"x" * 1000), frame(TEXT, b"x" * 1000, key=None)):
        assert read([head[:2]]) == ([], 1002)


# 5.3, masking


@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_clients_must_mask(opcode: int) -> None:
    check(frame(opcode, key=None), [], 1002)


def test_the_example_of_the_rfc() -> None:
    check(bytes.fromhex("818537fa213d7f9f4d5158"), ["Hello"])


# 5.4, fragmentation


def test_fragments_become_one_message() -> None:
    data = frame(TEXT, b"a", fin=False) + frame(CONT, fin=False) + frame(CONT, b"b", fin=False) + frame(CONT, b"c")
    check(data + frame(BINARY, b"", fin=False) + frame(CONT, b"\xff"), ["abc", b"\xff"])


def test_control_frames_may_stand_between_fragments() -> None:
    data = frame(TEXT, b"a", fin=False) + frame(PING, b"p") + frame(CONT, b"b", fin=False) + frame(PONG, b"q")
    check(data + frame(CONT, b"c"), [Ping(b"p"), Pong(b"q"), "abc"])


def test_a_close_frame_between_fragments_ends_all() -> None:
    data = frame(TEXT, b"a", fin=False) + frame(CLOSE) + frame(CONT, b"b")
    check(data, [Close(None, "")])


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_messages_are_not_interleaved(opcode: int) -> None:
    check(frame(TEXT, b"a", fin=False) + frame(opcode, b"b"), [], 1002)


@pytest.mark.parametrize("fin", [True, False])
def test_a_continuation_needs_a_beginning(fin: bool) -> None:
    check(frame(CONT, b"a", fin=fin), [], 1002)
    check(frame(TEXT, b"a") + frame(CONT, b"a", fin=fin), ["a"], 1002)


# 5.5, control frames


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_control_frames_are_whole_and_short(opcode: int) -> None:
    check(frame(opcode, fin=False), [], 1002)
    check(frame(opcode, b"x" * 126), [], 1002)
    check(frame(opcode, b"x" * 20, form=2), [], 1002)


def test_pings_and_pongs_carry_up_to_125_bytes() -> None:
    check(frame(PING, b"x" * 125) + frame(PONG, b"\xff\x00"), [Ping(b"x" * 125), Pong(b"\xff\x00")])


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
def test_close_codes_that_may_be_sent(code: int) -> None:
    check(frame(CLOSE, closing(code, TEA.encode())), [Close(code, TEA)])


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_close_codes_that_may_not(code: int) -> None:
    check(frame(CLOSE, closing(code)), [], 1002)


def test_odd_payloads_of_close_frames() -> None:
    check(frame(CLOSE), [Close(None, "")])
    check(frame(CLOSE, b"\x03"), [], 1002)
    check(frame(CLOSE, closing(1000, b"\xff")), [], 1007)
    check(frame(CLOSE, closing(1000, b"x" * 123)), [Close(1000, "x" * 123)])


def test_nothing_is_read_after_a_close_frame() -> None:
    check(frame(CLOSE) + frame(TEXT, b"late") + b"rubbish", [Close(None, "")])


# 8.1, text


@pytest.mark.parametrize(
    "wrong",
    [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\x80", "茶".encode()[:2]],
)
def test_text_is_utf8(wrong: bytes) -> None:
    check(frame(TEXT, b"a" + wrong), [], 1007)
    check(frame(TEXT, b"a", fin=False) + frame(CONT, wrong), [], 1007)
    assert read([frame(BINARY, wrong)]) == ([wrong], None)


def test_characters_may_be_cut_by_fragments() -> None:
    text = TEA.encode()
    parts = [frame(TEXT, fin=False)] + [frame(CONT, bytes([byte]), fin=False) for byte in text] + [frame(CONT)]
    check(b"".join(parts), [TEA])


def test_wrong_text_is_noticed_before_its_message_is_complete() -> None:
    check(frame(TEXT, b"a\xff", fin=False), [], 1007)
    whole = frame(TEXT, b"ab\xf4\x90" + b"x" * 1000)
    assert read([whole[:12]]) == ([], 1007)  # in the middle of a frame


# limits


def test_a_message_over_the_limit_is_refused_at_its_header() -> None:
    assert read([frame(BINARY, b"x" * 1000)], limit=1000) == ([b"x" * 1000], None)
    assert read([frame(BINARY, b"x" * 1001)[:4]], limit=1000) == ([], 1009)
    huge = bytes([0x82, 0xFF]) + struct.pack("!Q", 1 << 62)
    assert read([huge], limit=1000) == ([], 1009)


def test_the_limit_counts_all_fragments() -> None:
    parts = [frame(TEXT, b"x" * 400, fin=False), frame(CONT, b"x" * 400, fin=False)]
    assert read([*parts, frame(CONT, b"x" * 200)], limit=1000) == (["x" * 1000], None)
    assert read([*parts, frame(CONT, b"x" * 201)[:4]], limit=1000) == ([], 1009)
    control = frame(PING, b"x" * 125)
    assert read([*parts, control * 10, frame(CONT, b"x" * 200)], limit=1000)[0][-1] == "x" * 1000


def test_an_idle_reader_keeps_nothing() -> None:
    reader = FrameReader(1 << 20)
    reader.feed(frame(TEXT, b"x" * 100_000))
    assert reader.next() == "x" * 100_000
    assert reader.next() is None
    assert reader._data == b""
    assert reader._message is None


def test_a_violation_is_raised_once() -> None:
    reader = FrameReader(10)
    reader.feed(frame(CONT))
    with pytest.raises(Violation):
        reader.next()
    assert reader.next() is None


# what the server sends


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_server_frames_are_not_masked(size: int) -> None:
    sent = encode_frame(b"x" * size)
    head = {0: 2, 125: 2, 126: 4, 65535: 4, 65536: 10}[size]
    assert (sent[0], sent[1] & 0x80, len(sent)) == (0x81, 0, head + size)


def test_close_frames_hold_123_bytes_of_reason() -> None:
    assert encode_close() == bytes([0x88, 0])
    assert encode_close(1000) == bytes([0x88, 2, 0x03, 0xE8])
    sent = encode_close(1008, "茶" * 100)
    assert len(sent) == 2 + 2 + 123
    assert sent[4:].decode() == "茶" * 41
    assert encode_frame(b"p", Opcode.PONG) == b"\x8a\x01p"
