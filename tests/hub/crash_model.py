"""The simplest model of a hub that survives crashes: what was told, and what may never be contradicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

KEEPS = {"plain": 6, "board": 4}


@dataclass
class View:
    """What one follower knows of one channel."""

    cursor: int
    told_caught_up: bool = False
    is_open: bool = True


@dataclass
class Model:
    crossed: Counter[str]
    epoch: str = ""
    log: dict[str, dict[int, int]] = field(default_factory=lambda: {"plain": {}, "board": {}})  # offset -> number
    places: dict[int, tuple[str, int]] = field(default_factory=dict)  # number -> where it is
    oldest: dict[str, int] = field(default_factory=lambda: {"plain": 1, "board": 1})
    views: dict[tuple[str, str], View] = field(default_factory=dict)
    patches: set[int] = field(default_factory=set)  # numbers that are patches
    claims: list[tuple[str, int, int, Any]] = field(default_factory=list)  # (channel, as of, version, value)
    begun_after_crash: bool = False

    def take(self, fact: list[Any]) -> None:
        getattr(self, f"on_{fact[0]}")(*fact[1:])

    def note(self, channel: str, offset: int, number: int) -> None:
        """An event was seen by somebody at a place: nothing else may ever be there, and it nowhere else."""
        assert self.log[channel].setdefault(offset, number) == number, f"{channel} {offset} was used twice"
        assert self.places.setdefault(number, (channel, offset)) == (channel, offset), f"{number} was stored twice"

    def on_kept(self, kept: dict[str, list[list[int]]], oldest: dict[str, int], epoch: str) -> None:
        assert self.epoch in ("", epoch), "a crash is no reason for a new epoch"
        self.epoch = epoch
        for channel, events in kept.items():
            offsets = [offset for offset, _ in events]
            head = oldest[channel] + len(offsets) - 1
            assert offsets == list(range(oldest[channel], head + 1)), "no holes"
            assert oldest[channel] >= self.oldest[channel]
            assert len(offsets) >= min(head, KEEPS[channel]), "more was forgotten than may be"
            known = {offset for offset in self.log[channel] if offset >= oldest[channel]}
            assert known <= set(offsets), "what was acknowledged or seen is in the log"
            for offset, number in events:
                self.note(channel, offset, number)
            self.oldest[channel] = oldest[channel]
        for view in self.views.values():
            view.is_open = False

    def on_ack(self, number: int, offset: int) -> None:
        channel, known = self.places.get(number, ("", 0))
        self.crossed["acknowledged"] += 1
        if known:
            assert offset == known, "a retry gets the first answer"
        self.note(channel or self.channel_of[number], offset, number)

    channel_of: dict[int, str] = field(default_factory=dict)

    def on_refused(self, number: int, code: str) -> None:
        raise AssertionError(f"{number} was refused: {code}")

    def on_subscribed(
        self, who: str, channel: str, given: Any, after: int, oldest: int, recovered: bool, state: Any
    ) -> None:
        view = self.views.get((who, channel))
        if isinstance(given, str):
            assert recovered
            assert given == "now" or after == oldest - 1
        else:
            is_ours = given[0] == self.epoch and view is not None and given[1] == view.cursor
            assert recovered or not is_ours or given[1] < oldest - 1, "a good cursor is continued"
            assert not recovered or after == given[1]
            self.crossed["cursors continued" if recovered else "cursors refused"] += 1
            if self.begun_after_crash and recovered and is_ours:
                self.crossed["resumed after a crash"] += 1
        assert (state is not None) == (given == "now" or not recovered or (given == "start" and oldest > 1))
        if state is not None:
            self.claims.append((channel, after, *state))
        self.views[who, channel] = View(after)

    def on_event(self, who: str, channel: str, offset: int, number: int) -> None:
        view = self._view(who, channel)
        assert offset == view.cursor + 1, f"{who} had {view.cursor} of {channel} and was sent {offset}"
        view.cursor = offset
        self.note(channel, offset, number)
        self.crossed["seen"] += 1

    def on_gap(self, who: str, channel: str, first: int, last: int, state: Any) -> None:
        view = self._view(who, channel)
        assert view.cursor + 1 == first <= last
        view.cursor = last
        if state is not None:
            self.claims.append((channel, last, *state))
        self.crossed["gaps"] += 1

    def on_caught_up(self, who: str, channel: str, offset: int) -> None:
        view = self._view(who, channel)
        assert offset == view.cursor
        assert not view.told_caught_up
        view.told_caught_up = True

    def _view(self, who: str, channel: str) -> View:
        view = self.views[who, channel]
        assert view.is_open, "silence until subscribed"
        return view

    def on_state(self, channel: str, version: int, value: Any) -> None:
        self.claims.append((channel, max(self.log[channel], default=0), version, value))

    def on_swept(self) -> None:
        self.crossed["sweeps"] += 1

    def on_stats(self, stats: dict[str, int]) -> None:
        for name in ("cuts", "pages", "trimmed"):
            self.crossed[name] += stats[name]

    def on_doomed(self, point: str, unacknowledged: int) -> None:
        self.crossed[f"crashed {point}"] += 1
        self.crossed["crashed with unacknowledged in flight"] += unacknowledged > 0

    def check_claims(self) -> None:
        """Every state that was told is a replay of the log up to where it was said to stand."""
        for channel, as_of, version, value in self.claims:
            patched = list(self._patches(channel, as_of))
            assert version == (patched[-1][0] if patched else 0)
            assert value == {str(number % 5): number for _, number in patched}
            self.crossed["states checked"] += bool(patched)
        self.claims.clear()

    def _patches(self, channel: str, as_of: int) -> Iterator[tuple[int, int]]:
        for offset in range(1, as_of + 1):
            number = self.log[channel][offset]
            if number in self.patches:
                yield offset, number

    def seen(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for (who, channel), view in self.views.items():
            found.setdefault(who, {})[channel] = view.cursor
        return found
