"""The table of transitions, searched by machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.services.processes.states import LIVE, NEXT, OutOfOrder, Status, Step, advance, restarts

ENDED = set(Status) - LIVE


@given(st.lists(st.sampled_from(Step), max_size=30))
def test_any_order_of_steps_ends_in_a_status_or_is_refused(steps: list[Step]) -> None:
    status, is_live = Status.STOPPED, False
    for step in steps:
        try:
            after = advance(status, step)
        except OutOfOrder:
            assert (status, step) not in NEXT
            continue
        if step is Step.START:
            assert not is_live
            is_live = True
        elif step in (Step.END_WELL, Step.END_BADLY):
            assert is_live
            is_live = False
            assert (after is Status.STOPPED) == (status is Status.STOPPING)  # a stop is never a failure or a success
        assert (after in LIVE) == is_live
        status = after


@pytest.mark.parametrize("status", sorted(LIVE))
def test_whatever_lives_can_be_stopped_and_can_end(status: Status) -> None:
    stopping = status if status is Status.STOPPING else advance(status, Step.STOP)
    assert stopping is Status.STOPPING
    assert advance(stopping, Step.END_BADLY) is Status.STOPPED
    assert advance(status, Step.END_WELL) in ENDED


@pytest.mark.parametrize("status", sorted(ENDED))
def test_whatever_ended_can_be_started(status: Status) -> None:
    assert advance(status, Step.START) is Status.STARTING


@pytest.mark.parametrize(
    ("policy", "again"),
    [("never", set()), ("on-failure", {Status.FAILED}), ("always", {Status.FAILED, Status.EXITED})],
)
def test_restart_policies(policy: str, again: set[Status]) -> None:
    assert {status for status in Status if restarts(policy, status)} == again
