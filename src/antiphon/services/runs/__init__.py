"""Runs: what agents do, watched, cancelled, resumed and asked about from anywhere."""

from antiphon.services.runs.clock import Clock, ManualClock, SystemClock
from antiphon.services.runs.config import RunsConfig
from antiphon.services.runs.ending import Ending
from antiphon.services.runs.local import Turn, Turns
from antiphon.services.runs.opening import Opening
from antiphon.services.runs.port import LocalPort
from antiphon.services.runs.service import Ask, Runs
from antiphon.services.runs.states import ENDED
from antiphon.services.runs.values import (
    DEFAULT_LEASE_S,
    RUN_ID_PATTERN,
    RUNS,
    CancelReceipt,
    Details,
    Filter,
    Finished,
    Lease,
    NewRun,
    Opened,
    Owner,
    Renewed,
    RunEvent,
    RunId,
    RunResult,
    Said,
    ThreadId,
    run_channel,
    thread_channel,
)

__all__ = [
    "DEFAULT_LEASE_S",
    "ENDED",
    "RUNS",
    "RUN_ID_PATTERN",
    "Ask",
    "CancelReceipt",
    "Clock",
    "Details",
    "Ending",
    "Filter",
    "Finished",
    "Lease",
    "LocalPort",
    "ManualClock",
    "NewRun",
    "Opened",
    "Opening",
    "Owner",
    "Renewed",
    "RunEvent",
    "RunId",
    "RunResult",
    "Runs",
    "RunsConfig",
    "Said",
    "SystemClock",
    "ThreadId",
    "Turn",
    "Turns",
    "run_channel",
    "thread_channel",
]
