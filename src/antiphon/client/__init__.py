"""The Python client: `antiphon.connect()`."""

from antiphon.client.blocking import BlockingSubscription, Live
from antiphon.client.connecting import connect
from antiphon.client.items import (
    CaughtUp,
    ChannelInfo,
    Connections,
    Event,
    Gap,
    History,
    Item,
    Message,
    Process,
    SearchSlice,
    Snapshot,
    State,
    Status,
)
from antiphon.client.live import AsyncLive
from antiphon.client.subscription import Subscription
from antiphon.messages import Cursor

__all__ = [
    "AsyncLive",
    "BlockingSubscription",
    "CaughtUp",
    "ChannelInfo",
    "Connections",
    "Cursor",
    "Event",
    "Gap",
    "History",
    "Item",
    "Live",
    "Message",
    "Process",
    "SearchSlice",
    "Snapshot",
    "State",
    "Status",
    "Subscription",
    "connect",
]
