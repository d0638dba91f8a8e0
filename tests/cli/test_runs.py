from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Begin, Cli, Own
from tests.live.real_server import RealServer

from antiphon import Live

RUNNABLE = """
async def shout(run, text):
    await run.log(f"heard {text}")
    async with run.message(role="assistant") as message:
        await message.append(text.upper())
    return text.upper()


async def refuse(run):
    raise ValueError("not today")
"""


@pytest.fixture(scope="module")
def startable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server that has something to start."""
    home = tmp_path_factory.mktemp("startable")
    (home / "runnables_of_a_test.py").write_text(RUNNABLE)
    config = home / "antiphon.toml"
    config.write_text(
        "[runnable.shout]\nimport = 'runnables_of_a_test:shout'\n"
        "[runnable.refuse]\nimport = 'runnables_of_a_test:refuse'\n"
    )
    found = RealServer(home / "data", config=config)
    asyncio.run(found.start())
    yield found
    asyncio.run(found.stop())


@pytest.mark.parametrize(
    "arguments",
    [["runs"], *[["runs", name] for name in ("show", "follow", "cancel", "start", "result", "export", "import")]],
)
def test_each_command_teaches_by_example(cli: Cli, arguments: list[str]) -> None:
    done = cli(*arguments, "--help")
    assert done.returncode == 0
    assert f"antiphon {' '.join(arguments)}" in done.stdout.split("Example")[1]


def test_the_list_says_what_they_do_and_why_they_ended(cli: Cli, own: Own) -> None:
    done = own("listed", title="Of tea", labels={"team": "blue"})
    done.finish("failed", error={"message": "no water", "type": "Thirst"})
    busy = own("listed", labels={"team": "red"})
    busy.say("run.progress", progress=0.25, message="boiling")
    asking = own("listed")
    asking.ask("Milk?")
    shown = {line.split()[0]: line for line in cli("runs", "--name", "listed").stdout.splitlines()}
    assert "failed" in shown[done.id]
    assert "no water · Of tea" in shown[done.id]
    assert "25% boiling" in shown[busy.id]
    assert "waiting" in shown[asking.id]
    assert "a question waits for you" in shown[asking.id]


def test_filters_and_json(cli: Cli, own: Own) -> None:
    blue, red = own("filtered", labels={"team": "blue"}), own("filtered", labels={"team": "red"})
    red.finish()

    def ids(*arguments: str) -> list[str]:
        done = cli("runs", "--json", "--name", "filtered", *arguments)
        assert done.returncode == 0
        return [row["run_id"] for row in json.loads(done.stdout)]

    assert ids() == [red.id, blue.id]
    assert ids("-n", "1") == [red.id]
    assert ids("--label", "team=blue") == [blue.id]
    assert ids("--status", "succeeded", "--status", "failed") == [red.id]
    assert ids("--by", "nobody-at-all") == []
    assert cli("runs", "--label", "blue").returncode == 2
    assert cli("runs", "--status", "asleep").returncode == 2


def test_without_a_match_it_says_so(cli: Cli) -> None:
    done = cli("runs", "--name", "never-used")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no run matches" in done.stderr


def test_an_unknown_run_is_named(cli: Cli, tmp_path: Path) -> None:
    for arguments in (["show"], ["follow"], ["cancel"], ["result"], ["export"]):
        more = [str(tmp_path / "file")] if arguments == ["export"] else []
        done = cli("runs", *arguments, "run_nobody", *more)
        assert (done.returncode, done.stdout) == (1, "")
        assert "run_nobody" in done.stderr
    assert not (tmp_path / "file").exists()


def test_without_a_server_it_says_how_to_start_one(cli: Cli, no_server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{}\n")
    for arguments in (["runs"], ["runs", "follow", "x"], ["runs", "import", "file"], ["questions"]):
        done = cli(*arguments, url=no_server)
        assert (done.returncode, done.stdout) == (3, "")
        assert "antiphon serve" in done.stderr
        assert "Traceback" not in done.stderr


def test_show_has_input_and_result(cli: Cli, own: Own) -> None:
    run = own("shown", input={"q": "tea"}, title="Of tea")
    child = own("shown-child", parent_run_id=run.id)
    child.finish()
    question = run.ask("Milk?")
    text = cli("runs", "show", run.id).stdout
    assert '{"q":"tea"}' in text
    assert f"{question}  Milk?" in text
    run.finish(result=[1, 2])
    text = cli("runs", "show", run.id).stdout
    assert "[1,2]" in text
    assert child.id in text
    assert json.loads(cli("runs", "show", run.id, "--json").stdout)["result"] == [1, 2]


def test_follow_shows_everything_and_ends_with_the_outcome(cli: Cli, own: Own) -> None:
    run = own("followed", input={"q": "tea"})
    run.say("log", level="info", text="looking around")
    run.say("log", level="error", text="a cup broke")
    run.say("message.open", message_id="m", role="assistant")
    run.say("message.append", message_id="m", delta="Tea is\n")
    run.say("message.append", message_id="m", delta="wet")
    run.say("tool.start", tool_call_id="t", name="pour")
    run.say("tool.args", tool_call_id="t", delta='{"cups": 2}')
    run.say("tool.end", tool_call_id="t", status="succeeded", result="poured", duration_ms=1500)
    run.say("message.append", message_id="m", delta="!")
    run.say("message.close", message_id="m", status="completed")
    run.say("x.smell", strength=3)
    run.finish(result={"cups": 2})
    done = cli("runs", "follow", run.id)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        'followed {"q":"tea"} · started by local',
        "looking around",
        "error: a cup broke",
        "Tea is",
        "wet",
        "▸ pour",
        '✓ pour({"cups": 2}) → poured (1.5 s)',
        "!",
        'x.smell {"strength":3}',
        "succeeded",
        '{"cups":2}',
    ]
    rows = [json.loads(line) for line in cli("runs", "follow", run.id, "--json").stdout.splitlines()]
    assert rows[0]["type"] == "run.started"
    assert rows[-1]["type"] == "run.succeeded"
    assert [row["offset"] for row in rows] == list(range(1, len(rows) + 1))


def test_follow_waits_and_its_exit_status_is_the_outcome(begin: Begin, own: Own) -> None:
    run = own("awaited")
    following = begin("runs", "follow", run.id)
    assert following.stdout is not None
    assert following.stdout.readline() == "awaited · started by local\n"
    run.say("log", level="info", text="now")
    assert following.stdout.readline() == "now\n"
    run.finish("failed", error={"message": "no water", "type": "Thirst"})
    rest, _ = following.communicate(timeout=30)
    assert (following.returncode, rest) == (1, "failed: no water\n")


def test_ctrl_c_leaves_the_run_alone(begin: Begin, own: Own) -> None:
    run = own("left")
    following = begin("runs", "follow", run.id)
    assert following.stdout is not None
    following.stdout.readline()
    following.send_signal(signal.SIGINT)
    _, said = following.communicate(timeout=30)
    assert following.returncode == 128 + signal.SIGINT
    assert f"antiphon runs cancel {run.id}" in said
    assert run.row()["status"] == "running"


def test_cancel_gives_a_receipt(cli: Cli, own: Own) -> None:
    run = own("cancelled")
    done = cli("runs", "cancel", run.id, "--reason", "enough")
    assert (done.returncode, done.stdout) == (0, f"{run.id}: cancelling\n  {run.id}: stopping\n")
    run.finish("succeeded")
    assert run.row()["status"] == "cancelled"
    assert json.loads(cli("runs", "cancel", run.id, "--json").stdout)["draining"] == []
    followed = cli("runs", "follow", run.id)
    assert followed.returncode == 1
    assert followed.stdout.splitlines()[-1] == "cancelled by local: enough"


def test_result_is_json_or_a_reason(cli: Cli, own: Own) -> None:
    good, bad, slow = own("good"), own("bad"), own("slow")
    good.finish(result={"a": 1})
    bad.finish("failed", error={"message": "no water", "type": "Thirst"})
    assert cli("runs", "result", good.id).stdout == '{"a":1}\n'
    done = cli("runs", "result", bad.id)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no water" in done.stderr
    late = cli("runs", "result", slow.id, "--timeout", "0")
    assert (late.returncode, late.stdout) == (1, "")
    assert "still running" in late.stderr
    assert json.loads(cli("runs", "result", bad.id, "--json").stdout)["status"] == "failed"


def test_an_exported_run_can_be_taken_in_again(cli: Cli, own: Own, live: Live, tmp_path: Path) -> None:
    run = own("exported", input=1)
    run.say("log", level="info", text="hi")
    run.finish(result=2)
    assert cli("runs", "export", run.id, "run.ndjson").returncode == 0
    assert cli("runs", "export", run.id, "-").stdout == (tmp_path / "run.ndjson").read_text()
    again = cli("runs", "import", "run.ndjson").stdout.strip()
    assert again != run.id
    found = live.request("run.get", {"run_id": again})
    assert (found["run"]["owner"]["kind"], found["input"], found["result"]) == ("imported", 1, 2)
    assert cli("runs", "follow", again).stdout == cli("runs", "follow", run.id).stdout


def test_import_names_what_is_wrong(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "rubbish").write_text("hello\n")
    done = cli("runs", "import", "rubbish")
    assert done.returncode == 2
    assert "line 1" in done.stderr
    assert cli("runs", "import", "nowhere").returncode == 2


def test_watching_prints_what_changes(begin: Begin, own: Own) -> None:
    run = own("watched")
    watching = begin("runs", "--name", "watched", "--watch", "--json")
    assert watching.stdout is not None
    assert json.loads(watching.stdout.readline())["status"] == "running"
    run.finish()
    row = json.loads(watching.stdout.readline())
    assert (row["run_id"], row["status"]) == (run.id, "succeeded")
    watching.send_signal(signal.SIGINT)
    assert watching.communicate(timeout=30) == ("", "")
    assert watching.returncode == 0


def test_start_and_result(cli: Cli, startable: RealServer) -> None:
    started = cli("runs", "start", "shout", "--input", '{"text": "tea"}', url=startable.url)
    assert started.returncode == 0
    assert cli("runs", "result", started.stdout.strip(), url=startable.url).stdout == '"TEA"\n'


def test_start_and_follow(cli: Cli, startable: RealServer) -> None:
    given = '{"text": "tea"}'
    done = cli("runs", "start", "shout", "--input", "-", "--follow", url=startable.url, input=given)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == ["heard tea", "TEA", "succeeded", '"TEA"']
    failing = cli("runs", "start", "refuse", "--follow", url=startable.url)
    assert failing.returncode == 1
    assert failing.stdout.splitlines()[-1] == "failed: not today"


def test_starting_what_is_not_there_names_what_is(cli: Cli, startable: RealServer) -> None:
    done = cli("runs", "start", "whisper", url=startable.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "shout" in done.stderr
    assert cli("runs", "start", "shout", "--input", "{", url=startable.url).returncode == 2
    assert cli("runs", "start", "shout", "--cancel-with-me", url=startable.url).returncode == 2
