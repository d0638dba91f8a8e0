"""BettaFish's live room: consoles, statuses and the forum over Socket.IO and HTTP."""

from antiphon.dialects.bettafish.apps import ENGINES, FORUM, channel_of
from antiphon.dialects.bettafish.blocks import Block, Render, render_console, render_forum
from antiphon.dialects.bettafish.desk import Desk, Done
from antiphon.dialects.bettafish.dialect import FACTS, STREAM, make_dialect
from antiphon.dialects.bettafish.forum import CLEARED

__all__ = [
    "CLEARED",
    "ENGINES",
    "FACTS",
    "FORUM",
    "STREAM",
    "Block",
    "Desk",
    "Done",
    "Render",
    "channel_of",
    "make_dialect",
    "render_console",
    "render_forum",
]
