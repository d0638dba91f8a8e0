"""A real shim with a real program: output, exit, stdin, what others can see."""

from __future__ import annotations

import ast
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop
from tests.shim.conftest import Follower, Launch, spec_of

from antiphon import shim
from antiphon.errors import Busy, ConflictError, InternalError, NotFound, TooLarge
from antiphon.services.processes.shimlink import ShimLink
from antiphon.services.processes.spool import Line

Output = Callable[[ShimLink], Awaitable[list[Line]]]
Follow = Callable[[ShimLink], Follower]


async def test_output_and_exit_code(launch: Launch, output: Output) -> None:
    link = await launch("import sys; print('out'); sys.stderr.write('no end'); sys.exit(3)")
    assert sorted((line.stream, line.text) for line in await output(link)) == [("stderr", "no end"), ("stdout", "out")]
    end = await link.wait()
    assert (end.exit_code, end.signal, end.reason) == (3, None, None)
    assert link.status.exit == end
    assert link.status.started_at_ms <= end.ended_at_ms
    assert not link.status.alive
    assert not link.status.lost


async def test_everything_is_in_the_spool_when_wait_returns(launch: Launch, output: Output) -> None:
    link = await launch("import os\nfor i in range(3000): os.write(1, b'%d\\n' % i)\nos.write(1, b'last')")
    await link.wait()
    assert [line.text for line in await output(link)] == [*map(str, range(3000)), "last"]


async def test_progress_long_lines_and_broken_text(launch: Launch, output: Output) -> None:
    program = "import os; os.write(1, b'1%\\r2%\\r\\n' + b'x' * 30 + b'\\n\\xff\\n')"
    link = await launch(program, line_limit_bytes=10)
    texts = [line.text for line in await output(link)]
    assert texts == ["2%", "x" * 10 + " [... 20 bytes cut]", "\N{REPLACEMENT CHARACTER}"]


async def test_line_of_any_length_without_limit(launch: Launch, output: Output) -> None:
    program = "import os\nfor _ in range(50): os.write(1, b'x' * 65536)\nos.write(1, b'\\nend\\n')"
    link = await launch(program, line_limit_bytes=None)
    assert [len(line.text) for line in await output(link)] == [50 * 65536, 3]


async def test_full_spool_drops_the_oldest(launch: Launch, output: Output) -> None:
    program = "import os\nfor i in range(20000): os.write(1, b'%07d\\n' % i)"
    link = await launch(program, spool_segment_bytes=8192, spool_limit_bytes=32768)
    await link.wait()
    assert sum(path.stat().st_size for path in link.directory.glob("spool-*")) <= 32768
    lines = await output(link)
    lost = 20000 - (len(lines) - 1)
    assert lost > 0
    assert f"{lost} lines ({8 * lost} bytes) lost" in lines[0].text
    assert [line.text for line in lines[1:]] == [f"{number:07d}" for number in range(lost, 20000)]


async def test_death_by_signal(launch: Launch) -> None:
    link = await launch("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    end = await link.wait()
    assert (end.exit_code, end.signal) == (None, "SIGSEGV")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"command": ("no-such-command-at-all",)}, "no-such-command-at-all"),
        ({"cwd": "/no/such/place"}, "/no/such/place"),
        ({"command": ("/",)}, "Permission denied"),
        ({"command": ("a\0b",)}, "null byte"),
    ],
)
async def test_what_cannot_start_says_why(
    launch: Launch, output: Output, options: dict[str, object], words: str
) -> None:
    link = await launch(**options)
    end = link.status.exit
    assert end is not None
    assert (end.exit_code, end.signal) == (None, None)
    assert end.reason is not None
    assert end.reason.startswith("cannot start: ")
    assert words in end.reason
    assert await link.wait() == end
    assert await link.stop(signal="TERM", grace_s=1) == end
    assert link.status.pid is None
    assert await output(link) == []


async def test_working_directory_and_environment(launch: Launch, output: Output, tmp_path: Path) -> None:
    program = "import os; print(os.getcwd()); print(os.environ['WORD']); print(len(os.environ), os.umask(0) == MASK)"
    mask = os.umask(0o022)
    os.umask(mask)
    env = {"WORD": "hé", "PATH": os.environ["PATH"], "PYTHONUTF8": "1"}
    link = await launch(program.replace("MASK", str(mask)), cwd=str(tmp_path), env=env)
    *texts, counted = [line.text for line in await output(link)]
    assert texts == [str(tmp_path), "hé"]
    assert counted.endswith("True")
    assert int(counted.split()[0]) <= 5  # ours, the mark, and LC_CTYPE, which Python may set itself


async def test_stdin_is_written(launch: Launch, follow: Follow) -> None:
    link = await launch("while True: print('got', input())", stdin=True)
    reader = follow(link)
    await link.write("one\ntwo é\n")
    assert await reader.until("got two é") == ["got one", "got two é"]


async def fill_stdin(link: ShimLink) -> None:
    while True:
        await link.write("x" * 100_000)


async def test_stdin_that_is_not_read_is_refused_not_waited_for(launch: Launch) -> None:
    link = await launch("import time; time.sleep(1000)", stdin=True)
    with pytest.raises(Busy):
        await asyncio.wait_for(fill_stdin(link), 30)
    with pytest.raises(TooLarge):
        await link.write("é" * 200_000)
    assert link.status.alive


async def test_stdin_closed_or_absent(launch: Launch, follow: Follow) -> None:
    without = await launch("import sys; print(repr(sys.stdin.read())); import time; time.sleep(1000)")
    assert await follow(without).until("''") == ["''"]
    with pytest.raises(ConflictError):
        await without.write("x")
    closed = await launch("import os, time; os.close(0); print('closed'); time.sleep(1000)", stdin=True)
    await follow(closed).until("closed")
    with pytest.raises(ConflictError):
        await closed.write("x")
    ended = await launch(stdin=True)
    await ended.wait()
    with pytest.raises(ConflictError):
        await ended.write("x")


async def test_command_and_environment_stay_private(launch: Launch) -> None:
    link = await launch("import time; time.sleep(1000)  # hush-command", env={"SECRET": "hush-value"})
    of_shim = Path("/proc", str(link.status.shim_pid))
    argv = (of_shim / "cmdline").read_bytes()
    assert b"shim.py" in argv
    for path in [*link.directory.iterdir(), of_shim / "environ"]:
        if path.name != shim.CONTROL:
            assert b"hush" not in path.read_bytes()
    assert b"hush" not in argv
    assert link.directory.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in link.directory.iterdir())


async def test_shim_has_a_session_of_its_own_and_no_tie_to_us(launch: Launch) -> None:
    link = await launch("import time; time.sleep(1000)")
    facts = shim.look(link.status.shim_pid)
    assert facts is not None
    assert facts.session == link.status.shim_pid
    assert facts.parent != os.getpid()
    descriptors = Path("/proc", str(link.status.shim_pid), "fd")
    assert [str((descriptors / fd).readlink()) for fd in "01"] == ["/dev/null"] * 2


def test_launch_does_not_wait_for_the_program_on_uvloop_either(tmp_path: Path) -> None:
    async def start_and_stop() -> str | None:
        link = await ShimLink.launch(tmp_path / "life", spec_of("import time; time.sleep(1000)"))
        return (await link.stop(signal="TERM", grace_s=30)).signal

    assert uvloop.run(start_and_stop()) == "SIGTERM"  # its children inherit copies of its pipes


async def test_long_directory(launch: Launch, output: Output, tmp_path: Path) -> None:
    link = await launch("print(input())", stdin=True, directory=tmp_path / ("d" * 120) / ("e" * 120))
    await link.write("far\n")
    assert [line.text for line in await output(link)] == ["far"]
    assert (await link.wait()).exit_code == 0


async def test_directory_serves_one_life(launch: Launch) -> None:
    link = await launch()
    await link.wait()
    with pytest.raises(InternalError, match="one directory per life"):
        await ShimLink.launch(link.directory, spec_of(""))


async def test_no_shim_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await ShimLink.attach(tmp_path)


async def test_cancelled_launch_leaves_nothing(tmp_path: Path) -> None:
    starting = asyncio.create_task(ShimLink.launch(tmp_path / "life", spec_of("import time; time.sleep(1000)")))
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    if (tmp_path / "life" / shim.STATUS).exists():
        await (await ShimLink.attach(tmp_path / "life")).wait()


async def test_bad_requests_get_an_answer(launch: Launch) -> None:
    link = await launch("import time; time.sleep(1000)")
    reader, writer = await link._connect()
    for request in (b"[]", b"nonsense", b"{}", b'{"op": "dance"}', b'{"op": "stop", "signal": "NO", "grace_s": 1}'):
        writer.write(request + b"\n")
        assert b'"ok": false' in await reader.readline()
    writer.write(b'{"op": "status", "id": 7}\n')
    answer = await reader.readline()
    assert b'"id": 7' in answer
    assert b'"ok": true' in answer
    writer.close()


def test_shim_needs_the_standard_library_only() -> None:
    tree = ast.parse(Path(shim.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
