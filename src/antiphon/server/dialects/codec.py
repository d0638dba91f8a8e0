"""What the hub sends of runs, as a dialect's messages: one translator per run that a socket follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from antiphon.dialects.base import Row, Translator
from antiphon.hub import Encoded, Gap
from antiphon.messages import Event
from antiphon.server.live.codec import LiveCodec

NOTHING = Encoded((), 0)


class _Followed:
    """One run, and what its newest batch was said as.

    The hub may ask for a batch again: one that did not fit was not sent, and is pulled later. Translators remember what
    they were asked, so each event is translated once and its messages are kept until what comes after it is asked for.
    """

    __slots__ = ("_said", "made", "translator")

    def __init__(self, translator: Translator) -> None:
        self.translator = translator
        self.made = 0  # messages so far
        self._said: dict[int, list[bytes]] = {}  # by offset

    def batch(self, events: Sequence[Event]) -> list[bytes]:
        self._said = {offset: said for offset, said in self._said.items() if offset >= events[0].offset}
        return [message for event in events for message in self._messages(event)]

    def _messages(self, event: Event) -> list[bytes]:
        said = self._said.get(event.offset)
        if said is None:
            said = self._said[event.offset] = self._made(event)
        return said

    def _made(self, event: Event) -> list[bytes]:
        made = [] if self.translator.ended else self.translator.event(event)
        self.made += len(made)
        return made

    def anew(self, row: Row, gap: Gap) -> list[bytes]:
        made = [] if self.translator.ended else self.translator.begin(row, gap.summary, gap.last)
        self.made += len(made)
        return made


class RunsCodec:
    """The codec of one socket.

    Args:
        framing: Makes messages into what the socket takes.
        row_of: A run's row by its channel, for what has to begin anew.
        ended: Told the channel of each run whose last message was made, whenever it is asked for.
    """

    __slots__ = ("_ended", "_followed", "_framing", "_row_of", "sent")
    is_shared = False

    def __init__(self, framing: LiveCodec, row_of: Callable[[str], Row], ended: Callable[[str], None]) -> None:
        self.sent = 0  # messages that were made
        self._framing = framing
        self._row_of = row_of
        self._ended = ended
        self._followed: dict[str, _Followed] = {}

    def add(self, channel: str, translator: Translator) -> None:
        self._followed[channel] = _Followed(translator)

    def drop(self, channel: str) -> None:
        self._followed.pop(channel, None)

    def message(self, found: bytes) -> tuple[str] | tuple[bytes]:
        """A message of the dialect's own."""
        self.sent += 1
        return self._framing.message(found)

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:  # noqa: ARG002 - dialects have no cursors
        found = self._followed.get(events[0].channel)
        return NOTHING if found is None else self._made(events[0].channel, found, lambda: found.batch(events))

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:  # noqa: ARG002
        return NOTHING

    def gap(self, gap: Gap) -> Encoded:
        """Events are gone: the translator begins anew from what they add up to."""
        found, row = self._followed.get(gap.channel), self._row_of(gap.channel)
        return NOTHING if found is None else self._made(gap.channel, found, lambda: found.anew(row, gap))

    def _made(self, channel: str, found: _Followed, make: Callable[[], list[bytes]]) -> Encoded:
        before = found.made
        said = make()
        self.sent += found.made - before
        if found.translator.ended:
            self._ended(channel)
        return self._framing.messages(said) if said else NOTHING
