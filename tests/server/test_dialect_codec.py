"""A dialect's codec: each event is translated once, whatever the hub asks for again."""

from __future__ import annotations

from antiphon.dialects.base import Row
from antiphon.hub import Gap, State, Summary
from antiphon.messages import Event
from antiphon.server.dialects.codec import NOTHING, RunsCodec
from antiphon.server.live.codec import FRAMES, TEXT

CHANNEL = "run:r"


class Counting:
    """Says of each event its place in the order in which it was asked; the last type ends it."""

    def __init__(self) -> None:
        self.asked = 0
        self.ended = False

    def begin(self, row: Row, summary: Summary | None, after: int) -> list[bytes]:
        return [f"{row['name']} from {after}".encode()]

    def event(self, event: Event) -> list[bytes]:
        assert not self.ended
        self.asked += 1
        self.ended = event.type == "end"
        return [] if event.type == "quiet" else [str(self.asked).encode()]


def events(*kinds: str, first: int = 1) -> list[Event]:
    return [Event(CHANNEL, offset, kind, b"{}", 0, None) for offset, kind in enumerate(kinds, first)]


def codec(ended: list[str] | None = None) -> RunsCodec:
    found = RunsCodec(TEXT, lambda _: {"name": "r"}, (ended if ended is not None else []).append)
    found.add(CHANNEL, Counting())
    return found


def test_a_batch_that_did_not_fit_is_said_again_in_the_same_words() -> None:
    found = codec()
    assert found.events("e", events("a", "quiet", "b")).parts == ("1", "3")
    assert found.events("e", events("a", "quiet")).parts == ("1",)
    assert found.events("e", events("b", "c", first=3)).parts == ("3", "4")
    assert found.sent == 3


def test_again_and_more_behind_it() -> None:
    found = codec()
    found.events("e", events("a", "b"))
    assert found.events("e", events("a", "b", "c")).parts == ("1", "2", "3")
    assert found.events("e", events("d", first=4)).parts == ("4",)
    assert found.sent == 4


def test_after_the_end_nothing_is_asked_and_the_end_is_said_again() -> None:
    ended: list[str] = []
    found = codec(ended)
    assert found.events("e", events("a", "end")).parts == ("1", "2")
    assert found.events("e", events("a", "end")).parts == ("1", "2")
    assert found.events("e", events("late", first=3)) == NOTHING
    assert set(ended) == {CHANNEL}
    assert found.sent == 2


def test_what_nobody_follows_and_what_has_no_word() -> None:
    found = codec()
    assert found.events("e", events("quiet")) == NOTHING
    assert found.caught_up(CHANNEL, "e", 1) == NOTHING
    found.drop(CHANNEL)
    assert found.events("e", events("a")) == NOTHING
    assert found.sent == 0


def test_a_gap_begins_anew() -> None:
    found = codec()
    gap = Gap(CHANNEL, "e", 2, 9, "retention", Summary(State(0, {}), []))
    assert found.gap(gap).parts == ("r from 9",)
    assert found.gap(gap._replace(channel="run:x")) == NOTHING
    assert found.sent == 1


def test_messages_of_its_own_are_counted_and_framed() -> None:
    found = RunsCodec(FRAMES, lambda _: {}, lambda _: None)
    assert found.message(b"hi") == (b"\x81\x02hi",)
    assert found.sent == 1
