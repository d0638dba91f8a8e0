"""The Python client: `antiphon.connect()`."""

from antiphon.client.agents import (
    AgentAnswer,
    AgentRow,
    BlockingAgentAnswer,
    ThreadDetails,
    ThreadRow,
    ToolRow,
)
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
from antiphon.client.run import (
    Approval,
    BlockingRun,
    CancelReceipt,
    QuestionRow,
    Run,
    RunBlock,
    RunDetails,
    RunHandler,
    RunPage,
    RunResult,
    RunRow,
    current_run,
)
from antiphon.client.subscription import Subscription
from antiphon.messages import Cursor

__all__ = [
    "AgentAnswer",
    "AgentRow",
    "Approval",
    "AsyncLive",
    "BlockingAgentAnswer",
    "BlockingRun",
    "BlockingSubscription",
    "CancelReceipt",
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
    "QuestionRow",
    "Run",
    "RunBlock",
    "RunDetails",
    "RunHandler",
    "RunPage",
    "RunResult",
    "RunRow",
    "SearchSlice",
    "Snapshot",
    "State",
    "Status",
    "Subscription",
    "ThreadDetails",
    "ThreadRow",
    "ToolRow",
    "connect",
    "current_run",
]
