"""Packets are read back as they were written; whatever else comes is refused, never half taken."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from antiphon.transports.socketio import packets
from antiphon.transports.socketio.engine import (
    MESSAGE,
    BadPacket,
    decode_mail,
    decode_packet,
    decode_payload,
    encode_mail,
    join_mail,
)
from antiphon.transports.socketio.packets import ACK, EVENT, Assembly, SocketPacket, complete, decode, encode

MOST = 1_000_000
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
KEYS = TEXTS.filter(lambda key: key != "_placeholder")
VALUES: st.SearchStrategy[Any] = st.recursive(
    PLAIN | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
NAMES = TEXTS.filter(lambda name: name not in packets.RESERVED)
NAMESPACES = st.just("/") | st.from_regex(r"/[a-z0-9_-]{1,8}", fullmatch=True)
NUMBERS = st.integers(0, 10**15)
EVENTS = st.builds(
    lambda namespace, name, args, number: SocketPacket(EVENT, namespace, [name, *args], number),
    NAMESPACES,
    NAMES,
    st.lists(VALUES, max_size=4),
    st.none() | NUMBERS,
)
ACKS = st.builds(
    lambda namespace, args, number: SocketPacket(ACK, namespace, args, number),
    NAMESPACES,
    st.lists(VALUES, max_size=4),
    NUMBERS,
)


def read(pieces: list[str | bytes]) -> SocketPacket:
    """As a session does that gets these one by one."""
    first, *attachments = pieces
    assert isinstance(first, str)
    assert first[0] == MESSAGE
    packet = decode(first[1:])
    if not packet.attachments:
        assert not attachments
        return complete(packet, ())
    assembly = Assembly(packet, MOST)
    found = [assembly.add(part) for part in attachments if isinstance(part, bytes)]
    assert found[:-1] == [None] * (len(attachments) - 1)
    assert found[-1] is not None
    return found[-1]


@given(EVENTS | ACKS)
def test_what_is_written_is_read_back(packet: SocketPacket) -> None:
    assert read(encode(packet)) == packet


@given(st.lists(EVENTS | ACKS, min_size=1, max_size=5))
def test_and_through_the_body_of_a_poll(said: list[SocketPacket]) -> None:
    pieces = [piece for packet in said for piece in encode(packet)]
    mail = [encode_mail(piece) for piece in pieces]
    assert [decode_mail(each) for each in mail] == pieces
    parts = [packet.data for packet in decode_payload(join_mail(mail).decode())]
    assert parts == [piece[1:] if isinstance(piece, str) else piece for piece in pieces]


@given(st.text(max_size=40) | st.from_regex(r'[0-9]{1,3}-?(/[a-z]*,)?[0-9]*[\[{"}\]a-z0-9:, ]*', fullmatch=True))
def test_any_text_is_a_packet_or_refused(text: str) -> None:
    with suppress(BadPacket):
        packet = decode(text)
        assert 0 <= packet.kind <= packets.BINARY_ACK
        assert packet.namespace.startswith("/")
        complete(packet, [b""] * packet.attachments)
    with suppress(BadPacket):
        decode_packet(text)
    with suppress(BadPacket):
        assert decode_payload(text)


@given(EVENTS, st.data())
def test_a_packet_that_is_cut_is_never_taken_for_another(packet: SocketPacket, data: st.DataObject) -> None:
    text = encode(packet)[0]
    assert isinstance(text, str)
    cut = text[1 : data.draw(st.integers(1, len(text) - 1))]
    with suppress(BadPacket):
        found = decode(cut)
        assert found.kind not in (EVENT, packets.BINARY_EVENT)
