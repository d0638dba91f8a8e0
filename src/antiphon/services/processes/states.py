"""The states of a process and what moves it from one to the next. Plain code without I/O.

stopped  --start-->  starting  --up-->  running  <--up/down-->  unhealthy
starting, running, unhealthy  --stop-->  stopping  --end-->  stopped
starting, running, unhealthy  --end-->  exited (exit code 0) or failed, from where it can be started again;
                                        stopped while it waits for its restart, it becomes stopped
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    STOPPED = "stopped"  # never started, or stopped by somebody
    STARTING = "starting"  # waits for its dependencies, or does not answer yet
    RUNNING = "running"
    UNHEALTHY = "unhealthy"  # lives, but its port or URL does not answer
    STOPPING = "stopping"  # asked to end; its tree is not gone yet
    EXITED = "exited"  # ended by itself with exit code 0
    FAILED = "failed"  # ended otherwise, or could not be started


class Step(StrEnum):
    START = "start"  # somebody, or the restart policy, starts it
    UP = "up"  # it answers
    DOWN = "down"  # it does not
    STOP = "stop"  # somebody stops it
    END_WELL = "end well"  # the tree is gone, exit code 0
    END_BADLY = "end badly"  # the tree is gone, anything else


LIVE: Final = frozenset({Status.STARTING, Status.RUNNING, Status.UNHEALTHY, Status.STOPPING})
"""There is, or soon will be, a program."""

NEXT: Final = {
    (Status.STOPPED, Step.START): Status.STARTING,
    (Status.EXITED, Step.START): Status.STARTING,
    (Status.FAILED, Step.START): Status.STARTING,
    (Status.STARTING, Step.UP): Status.RUNNING,
    (Status.STARTING, Step.DOWN): Status.UNHEALTHY,
    (Status.RUNNING, Step.UP): Status.RUNNING,
    (Status.RUNNING, Step.DOWN): Status.UNHEALTHY,
    (Status.UNHEALTHY, Step.UP): Status.RUNNING,
    (Status.UNHEALTHY, Step.DOWN): Status.UNHEALTHY,
    (Status.STARTING, Step.STOP): Status.STOPPING,
    (Status.RUNNING, Step.STOP): Status.STOPPING,
    (Status.UNHEALTHY, Step.STOP): Status.STOPPING,
    (Status.STOPPING, Step.UP): Status.STOPPING,
    (Status.STOPPING, Step.DOWN): Status.STOPPING,
    (Status.EXITED, Step.STOP): Status.STOPPED,  # while it waits for its restart
    (Status.FAILED, Step.STOP): Status.STOPPED,
    (Status.STOPPING, Step.END_WELL): Status.STOPPED,
    (Status.STOPPING, Step.END_BADLY): Status.STOPPED,
    (Status.STARTING, Step.END_WELL): Status.EXITED,
    (Status.RUNNING, Step.END_WELL): Status.EXITED,
    (Status.UNHEALTHY, Step.END_WELL): Status.EXITED,
    (Status.STARTING, Step.END_BADLY): Status.FAILED,
    (Status.RUNNING, Step.END_BADLY): Status.FAILED,
    (Status.UNHEALTHY, Step.END_BADLY): Status.FAILED,
}


class OutOfOrder(ValueError):
    """This step is impossible in this status; nothing has changed."""


def advance(status: Status, step: Step) -> Status:
    """The status after `step`. Raises OutOfOrder."""
    try:
        return NEXT[status, step]
    except KeyError:
        raise OutOfOrder(f"{step} is impossible while {status}") from None


def restarts(policy: str, status: Status) -> bool:
    """Whether a process that ended with `status` is started again."""
    return (policy == "always" and status in (Status.EXITED, Status.FAILED)) or (
        policy == "on-failure" and status is Status.FAILED
    )
