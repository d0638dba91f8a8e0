"""Runs of this program: what it says, asks and ends as is seen by everybody who watches."""

from antiphon.client.run.asking import Approval
from antiphon.client.run.blocking import BlockingRun
from antiphon.client.run.current import current_run
from antiphon.client.run.editing import StateDict, StateList
from antiphon.client.run.face import Run, RunBlock
from antiphon.client.run.growing import RunMessage, RunTool
from antiphon.client.run.logs import RunHandler
from antiphon.client.run.port import Answer, Opened, RunEvent, RunPort
from antiphon.client.run.remote import RemotePort
from antiphon.client.run.rows import CancelReceipt, QuestionRow, RunDetails, RunPage, RunResult, RunRow
from antiphon.client.run.state import RunState

__all__ = [
    "Answer",
    "Approval",
    "BlockingRun",
    "CancelReceipt",
    "Opened",
    "QuestionRow",
    "RemotePort",
    "Run",
    "RunBlock",
    "RunDetails",
    "RunEvent",
    "RunHandler",
    "RunMessage",
    "RunPage",
    "RunPort",
    "RunResult",
    "RunRow",
    "RunState",
    "RunTool",
    "StateDict",
    "StateList",
    "current_run",
]
