"""Stopping trees, finding shims again, and what happens when the shim itself is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.shim.conftest import Follower, Launch

from antiphon import shim
from antiphon.errors import InternalError
from antiphon.services.processes.orphans import find_orphans
from antiphon.services.processes.shimlink import ShimLink
from antiphon.services.processes.spool import Position

Follow = Callable[[ShimLink], Follower]

STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
"""
ESCAPED = (  # a double-forked grandchild in a session of its own that ignores SIGTERM
    STUBBORN
    + """
told, tell = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(1, b"escaped %d\\n" % os.getpid())
        os.write(tell, b"!")
        time.sleep(1000)
    os._exit(0)
os.wait()
os.read(told, 1)
"""
)


async def escaped_pid(reader: Follower) -> int:
    """The pid that ESCAPED prints."""
    while True:
        for line in await reader.batch():
            if line.text.startswith("escaped"):
                return int(line.text.split()[1])


def is_gone(pid: int) -> bool:
    facts = shim.look(pid)
    return facts is None or facts.zombie


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  nobody tells us of a process that is not our child
        await asyncio.sleep(0.01)


async def test_polite_program_ends_by_itself(launch: Launch, follow: Follow) -> None:
    program = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('ready'); time.sleep(1000)"
    link = await launch(program)
    await follow(link).until("ready")
    end = await link.stop(signal="TERM", grace_s=60)
    assert (end.exit_code, end.signal, end.reason) == (7, None, "stopped by SIGTERM")


async def test_other_stop_signal(launch: Launch, follow: Follow) -> None:
    link = await launch("import time\ntry: print('ready'); time.sleep(1000)\nexcept KeyboardInterrupt: print('bye')")
    reader = follow(link)
    await reader.until("ready")
    end = await link.stop(signal="SIGINT", grace_s=60)
    assert end.exit_code == 0
    assert await reader.until("bye") == ["bye"]


async def test_suspended_program_can_be_stopped(launch: Launch) -> None:
    link = await launch("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    assert (await link.stop(signal="TERM", grace_s=60)).signal == "SIGTERM"


async def test_tree_that_ignores_sigterm_is_killed_after_the_grace(launch: Launch, follow: Follow) -> None:
    link = await launch(ESCAPED + "time.sleep(1000)")
    pid = await escaped_pid(follow(link))
    end = await link.stop(signal="TERM", grace_s=0.2)
    assert end.signal == "SIGKILL"
    assert end.reason is not None
    assert "did not end in time" in end.reason
    assert is_gone(pid)


async def test_descendants_do_not_outlive_the_program(launch: Launch, follow: Follow) -> None:
    link = await launch(ESCAPED + "sys.exit(4)", grace_s=0.2)
    pid = await escaped_pid(follow(link))
    end = await link.wait()
    assert (end.exit_code, end.signal, end.reason) == (4, None, None)
    assert is_gone(pid)


async def test_exit_is_known_while_descendants_live_on(launch: Launch, follow: Follow) -> None:
    link = await launch(ESCAPED + "print('exiting'); sys.exit(4)", grace_s=1000)
    reader = follow(link)
    pid = await escaped_pid(reader)
    await until(lambda: link.status.exit is not None)
    assert link.status.alive
    assert not is_gone(pid)
    end = await link.stop(signal="TERM", grace_s=0)
    assert end.exit_code == 4
    assert is_gone(pid)


async def test_output_of_the_dying_is_kept(launch: Launch, follow: Follow) -> None:
    program = (
        "import signal, os, time\nsignal.signal(15, lambda *_: (print('last words'), os._exit(0)))\nprint('ready')\n"
    )
    link = await launch(program + "time.sleep(1000)")
    reader = follow(link)
    await reader.until("ready")
    await link.stop(signal="TERM", grace_s=60)
    assert [line.text for line in await reader.rest()] == ["last words"]


async def test_stopping_twice_and_after_the_end(launch: Launch) -> None:
    link = await launch(STUBBORN + "time.sleep(1000)")
    patient = asyncio.create_task(link.stop(signal="TERM", grace_s=1000))
    await asyncio.sleep(0)
    first = await link.stop(signal="TERM", grace_s=0)
    assert await patient == first
    assert await link.stop(signal="TERM", grace_s=0) == first == await link.wait()


async def test_sigterm_to_the_shim_stops_the_tree(launch: Launch, follow: Follow) -> None:
    link = await launch(ESCAPED + "time.sleep(1000)", grace_s=0.2)
    pid = await escaped_pid(follow(link))
    os.kill(link.status.shim_pid, signal.SIGTERM)
    assert (await link.wait()).signal == "SIGKILL"
    assert is_gone(pid)


async def test_second_link_carries_on(launch: Launch, follow: Follow) -> None:
    first = await launch("while True: print(input())", stdin=True)
    reader = follow(first)
    await first.write("one\n")
    await reader.until("one")
    await first.close()
    second = await ShimLink.attach(first.directory)
    assert second.status == first.status
    await second.write("two\n")
    again = Follower(second, first.directory, Position.parse(str(reader.position)))
    assert await again.until("two") == ["two"]
    assert (await second.stop(signal="TERM", grace_s=60)).signal == "SIGTERM"
    third = await ShimLink.attach(first.directory)
    assert not third.status.alive
    assert (await third.wait()).signal == "SIGTERM"
    await second.close()


async def test_waiters_on_several_links_hear_of_the_end(launch: Launch) -> None:
    link = await launch("input()", stdin=True)
    others = [await ShimLink.attach(link.directory) for _ in range(5)]
    waits = [asyncio.create_task(other.wait()) for other in others]
    rings = [asyncio.create_task(other.new_output(Position(99))) for other in others]
    await link.write("\n")
    assert {end.exit_code for end in await asyncio.gather(*waits)} == {0}
    await asyncio.gather(*rings)
    await asyncio.gather(*(other.close() for other in others))


async def test_doorbell_waits_until_there_is_more(launch: Launch, follow: Follow) -> None:
    link = await launch("print('one')\nwhile True: print(input())", stdin=True)
    reader = follow(link)
    await reader.until("one")
    ring = asyncio.create_task(link.new_output(reader.position))
    await asyncio.sleep(0)
    ring.cancel()
    ring = asyncio.create_task(link.new_output(reader.position))
    await link._ask({"op": "status"})  # answered after the watch was heard: it did not ring
    assert not ring.done()
    await link.write("two\n")
    await ring
    assert await reader.until("two") == ["two"]


@pytest.fixture
async def killed(launch: Launch, follow: Follow) -> tuple[ShimLink, int]:
    """A shim that got SIGKILL while its tree lives on, and the pid of one that tried to escape."""
    link = await launch(ESCAPED + "time.sleep(1000)")
    reader = follow(link)
    pid = await escaped_pid(reader)
    os.kill(link.status.shim_pid, signal.SIGKILL)
    return link, pid


async def test_killed_shim_is_lost(killed: tuple[ShimLink, int]) -> None:
    link, pid = killed
    await link.new_output(Position(99))
    end = await link.wait()
    assert (end.exit_code, end.signal) == (None, None)
    assert end.reason == "lost: its supervisor was killed"
    again = await ShimLink.attach(link.directory)
    assert again.status.lost
    assert not is_gone(pid)


async def test_what_a_killed_shim_left_is_stopped(killed: tuple[ShimLink, int]) -> None:
    link, pid = killed
    child = link.status.pid
    end = await (await ShimLink.attach(link.directory)).stop(signal="TERM", grace_s=0.2)
    assert end.reason == "lost: its supervisor was killed; 2 of its processes lived on and were stopped"
    assert is_gone(pid)
    assert is_gone(child or 0)


async def test_shim_that_does_not_answer_is_taken_over(
    launch: Launch, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.services.processes.shimlink.STOP_MARGIN_S", 0.1)
    monkeypatch.setattr("antiphon.services.processes.shimlink.SETTLE_DEADLINE_S", 0.1)
    link = await launch(ESCAPED + "time.sleep(1000)")
    pid = await escaped_pid(follow(link))
    os.kill(link.status.shim_pid, signal.SIGSTOP)
    end = await link.stop(signal="TERM", grace_s=0.1)
    assert end.reason is not None
    assert end.reason.startswith("lost: ")
    assert is_gone(pid)


async def test_missing_socket_is_not_taken_for_the_end(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.services.processes.shimlink.SETTLE_DEADLINE_S", 0.1)
    link = await launch("import time; time.sleep(1000)")
    (link.directory / shim.CONTROL).unlink()
    with pytest.raises(InternalError, match="does not answer"):
        await link.wait()


async def test_nothing_is_found_after_a_reboot_or_with_a_reused_pid(launch: Launch) -> None:
    link = await launch("import time; time.sleep(1000)")
    record = link._record
    assert find_orphans(record) == {link.status.pid}
    assert find_orphans({**record, "boot_id": "another"}) == set()
    strangers = {"token": "another", "child": {"pid": link.status.pid, "start": "1"}}
    assert find_orphans({**record, **strangers}) == set()
    (link.directory / shim.STATUS).write_text(
        (link.directory / shim.STATUS).read_text().replace(f'"start": "{record["shim"]["start"]}"', '"start": "1"')
    )
    assert (await ShimLink.attach(link.directory)).status.lost
    os.kill(record["shim"]["pid"], signal.SIGTERM)
    await until(lambda: is_gone(record["shim"]["pid"]))


async def test_fault_of_the_shim_leaves_neither_orphan_nor_riddle(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "life").mkdir()
    (tmp_path / "life" / "spool-what.log").touch()  # nobody thought of this: the first rotation fails
    link = await launch(STUBBORN + "print(input())\ntime.sleep(1000)", stdin=True, directory=tmp_path / "life")
    child = link.status.pid
    await link.write("\n")
    end = await link.wait()
    assert end.reason == "the shim failed: see shim.log"
    assert is_gone(child or 0)
    assert "ValueError" in (tmp_path / "life" / shim.LOG).read_text()
