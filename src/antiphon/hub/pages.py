"""Pages that were pulled lately, encoded: a crowd that comes back at once reads and encodes each page once."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from antiphon.hub.outlet import Codec, Encoded

KEPT = 64  # about 64 KiB each


class Page(NamedTuple):
    """The events behind an offset up to `last`, as one codec writes them. Events never change, so neither does it."""

    encoded: Encoded
    last: int
    events: int


Key = tuple[Codec, str, int]  # channel, offset that it begins behind


class Pages:
    """The pages used last."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Key, Page] = OrderedDict()

    def get(self, key: Key, *, upto: int) -> Page | None:
        """A page that does not go beyond `upto`."""
        page = self._pages.get(key)
        if page is None or page.last > upto:
            return None
        self._pages.move_to_end(key)
        return page

    def keep(self, key: Key, page: Page) -> None:
        self._pages[key] = page
        if len(self._pages) > KEPT:
            self._pages.popitem(last=False)
