"""Trees and their CPU, from invented process tables; and one look at the real one."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from antiphon.services.processes.usage import MEMORY_STEP_BYTES, Look, Seen, Usage, below, look, measure, steady

MIB = MEMORY_STEP_BYTES


def test_a_tree_is_summed_without_its_root() -> None:
    before = Look(10.0, {1: Seen(0, 1.0, 50.0, 0), 2: Seen(1, 2.0, 1.0, MIB), 9: Seen(0, 1.0, 0.0, MIB)})
    now = Look(
        12.0,
        {
            1: Seen(0, 1.0, 99.0, 7 * MIB),
            2: Seen(1, 2.0, 2.0, 2 * MIB),  # a second more
            3: Seen(2, 11.0, 0.5, 3 * MIB),  # new, half a second
            9: Seen(0, 1.0, 2.0, MIB),
        },
    )
    assert below(1, now) == {2, 3}
    assert measure([1], before, now) == {1: Usage(75.0, 5 * MIB)}
    assert measure([1], None, now) == {1: Usage(0.0, 5 * MIB)}


def test_a_reused_pid_is_another_process() -> None:
    before = Look(0.0, {2: Seen(1, 1.0, 500.0, 0)})
    now = Look(1.0, {2: Seen(1, 9.0, 0.25, 0)})
    assert measure([1], before, now)[1].cpu_percent == 25.0


def test_circles_in_a_torn_table_end() -> None:
    torn = Look(0.0, {2: Seen(3, 1.0, 0.0, 0), 3: Seen(2, 1.0, 0.0, 0), 1: Seen(1, 1.0, 0.0, 0)})
    assert below(2, torn) == {3}
    assert below(1, torn) == set()


usages = st.builds(Usage, st.floats(0, 800), st.integers(0, 2**36))


@given(usages, usages)
def test_what_is_shown_is_near_what_was_measured(shown: Usage, measured: Usage) -> None:
    for before in (None, steady(None, shown)):
        after = steady(before, measured)
        assert abs(after.cpu_percent - measured.cpu_percent) <= 1
        assert abs(after.memory_bytes - measured.memory_bytes) <= max(MIB, 0.03 * measured.memory_bytes)
        assert steady(after, measured) == after  # the same again changes nothing


def test_noise_is_not_shown() -> None:
    shown = Usage(12.0, 100 * MIB)
    assert steady(shown, Usage(12.9, 101 * MIB + 5)) == shown
    assert steady(shown, Usage(14.0, 100 * MIB)) == Usage(14.0, 100 * MIB)
    assert steady(Usage(1.0, 0), Usage(0.0, 0)).cpu_percent == 0.0


def test_the_real_table_has_us() -> None:
    seen = look()
    assert seen.processes[os.getpid()].memory_bytes > 0
    assert seen.processes[os.getpid()].parent == os.getppid()
