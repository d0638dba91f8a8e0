"""What `--watch` does: ask again whenever a channel says that something changed."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson

import antiphon
from antiphon.cli.tailing import Notices
from antiphon.errors import ConnectionLost

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon import AsyncLive, Subscription

REDRAW_S = 1.0  # ages and countdowns move
PAUSE_S = 0.2  # a busy channel is asked about no more often

Row = dict[str, Any]
Ask = Callable[["AsyncLive"], Awaitable[list[Row]]]


def watch(channel: str, ask: Ask, draw: Callable[[list[Row]], RenderableType], *, if_none: str) -> None:
    """Show the rows as a table that lives, until Ctrl-C; without rows, the text `if_none`."""

    def shown(rows: list[Row]) -> RenderableType:
        return draw(rows) if rows else if_none

    with contextlib.suppress(KeyboardInterrupt):  # the usual way to end it
        asyncio.run(_draw(channel, ask, shown))


def watch_as_json(channel: str, ask: Ask, key: str, *, old_news: Callable[[Row], bool] = lambda _: False) -> None:
    """Print a line for each row that is new or has changed, until Ctrl-C.

    Args:
        key: The field by which a row is known again.
        old_news: Which of those that are there at the beginning are of no interest.
    """
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_print_changes(channel, ask, key, old_news))


async def _draw(channel: str, ask: Ask, draw: Callable[[list[Row]], RenderableType]) -> None:
    from rich.console import Console
    from rich.live import Live as Screen

    async with antiphon.connect(first_connection_s=0, on_status=Notices()) as live, live.subscribe(channel) as changes:
        rows = await _surely(ask, live)
        with Screen(draw(rows), console=Console(), auto_refresh=False) as screen:
            while True:
                if await _changed(changes, within_s=REDRAW_S):
                    rows = await _surely(ask, live)
                screen.update(draw(rows), refresh=True)


async def _print_changes(channel: str, ask: Ask, key: str, old_news: Callable[[Row], bool]) -> None:
    known: dict[str, Row] | None = None
    async with antiphon.connect(first_connection_s=0, on_status=Notices()) as live:
        async for rows in _rows(live, channel, ask):
            if known is None:
                known = {row[key]: row for row in rows if old_news(row)}
            fresh = [row for row in rows if known.get(row[key]) != row]
            known = {row[key]: row for row in rows}
            sys.stdout.buffer.write(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in fresh))
            sys.stdout.buffer.flush()


async def _rows(live: AsyncLive, channel: str, ask: Ask) -> AsyncIterator[list[Row]]:
    async with live.subscribe(channel) as changes:
        while True:
            yield await _surely(ask, live)
            await _changed(changes, within_s=None)


async def _surely(ask: Ask, live: AsyncLive) -> list[Row]:
    """Ask over lost connections."""
    while True:
        try:
            return await ask(live)
        except ConnectionLost:
            if live.status.phase == "closed":
                raise


async def _changed(changes: Subscription, *, within_s: float | None) -> bool:
    """Whether something came in time; what comes right behind it belongs to it."""
    try:
        async with asyncio.timeout(within_s):
            await changes.take()
    except TimeoutError:
        return False
    await asyncio.sleep(PAUSE_S)
    return True
