from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

from tests.cli.conftest import Begin, Cli
from tests.live.real_server import RealServer


def test_publish_prints_the_cursor_and_tail_shows_the_event(cli: Cli) -> None:
    done = cli("publish", "news:one", "speech", '{"text": "hi"}')
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(":1\n")
    shown = cli("tail", "news:one", "--after", "start", "--no-follow")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, 'speech {"text":"hi"}\n', "")


def test_a_retry_with_a_key_appends_nothing(cli: Cli) -> None:
    first = cli("publish", "news:key", "t", "1", "--key", "k")
    assert cli("publish", "news:key", "t", "1", "--key", "k").stdout == first.stdout
    conflict = cli("publish", "news:key", "t", "2", "--key", "k")
    assert conflict.returncode == 1
    assert "key" in conflict.stderr


def test_many_from_standard_input_arrive_in_order_once(cli: Cli) -> None:
    lines = "\n".join(str(number) for number in range(500))
    for _ in range(2):
        done = cli("publish", "news:many", "n", "-", "--key", "batch", input=lines + "\n\n")
        assert done.returncode == 0
        assert [int(line.rsplit(":")[1]) for line in done.stdout.splitlines()] == list(range(1, 501))
    shown = cli("tail", "news:many", "--no-follow", "--json")
    assert [json.loads(line)["data"] for line in shown.stdout.splitlines()] == list(range(500))


def test_a_line_that_is_not_json_is_named_and_ends_it(cli: Cli) -> None:
    done = cli("publish", "news:broken", "n", "-", input="1\n{\n3\n")
    assert done.returncode == 2
    assert "line 2" in done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_wrong_input_says_what_was_expected(cli: Cli) -> None:
    done = cli("publish", "news:x", "t", "hello")
    assert done.returncode == 2
    assert "DATA is not JSON" in done.stderr
    assert cli("publish", "no spaces", "t", "1").returncode == 2
    assert cli("tail", "a", "--after", "yesterday").returncode == 2
    assert cli("tail", "a", "--after", "start", "-n", "3").returncode == 2
    assert cli("tail").returncode == 2


def test_a_channel_of_a_service_is_refused(cli: Cli) -> None:
    done = cli("publish", "log:x", "line", "{}")
    assert done.returncode == 1
    assert "log:x" in done.stderr


def test_tail_begins_where_one_says(cli: Cli) -> None:
    cursors = cli("publish", "news:places", "n", "-", input="1\n2\n3\n4\n5\n").stdout.split()

    def data(*arguments: str) -> list[int]:
        done = cli("tail", "news:places", "--json", "--no-follow", *arguments)
        assert done.returncode == 0
        return [json.loads(line)["data"] for line in done.stdout.splitlines()]

    assert data() == [1, 2, 3, 4, 5]
    assert data("-n", "2") == [4, 5]
    assert data("-n", "0") == []
    assert data("-n", "99") == [1, 2, 3, 4, 5]
    assert data("--after", cursors[2]) == [4, 5]
    assert data("--after", "now") == []


def test_json_rows_hold_the_whole_event(cli: Cli) -> None:
    cursor = cli("publish", "news:row", "t", '"x"').stdout.strip()
    row = json.loads(cli("tail", "news:row", "--no-follow", "--json").stdout)
    assert row.pop("time").endswith("Z")
    assert row == {"channel": "news:row", "offset": 1, "type": "t", "data": "x", "by": "local", "cursor": cursor}


def test_several_channels_name_their_lines(cli: Cli) -> None:
    cli("publish", "news:ab", "t", "1")
    cli("publish", "news:longer", "t", "2")
    shown = cli("tail", "news:ab", "news:longer", "--no-follow").stdout
    assert sorted(shown.splitlines()) == ["news:ab     │ t 1", "news:longer │ t 2"]


def test_a_cursor_of_another_life_is_a_gap_on_standard_error(cli: Cli) -> None:
    cli("publish", "news:gap", "t", "1")
    shown = cli("tail", "news:gap", "--after", "gone:7", "--no-follow")
    assert shown.stdout == "t 1\n"
    assert "the log does not go on where it was (epoch)" in shown.stderr


def test_following_ends_cleanly_with_ctrl_c(cli: Cli, begin: Begin) -> None:
    cli("publish", "news:follow", "t", "1")
    tail = begin("tail", "news:follow", "-n", "1")
    assert tail.stdout is not None
    assert tail.stdout.readline() == "t 1\n"
    cli("publish", "news:follow", "t", "2")
    assert tail.stdout.readline() == "t 2\n"
    tail.send_signal(signal.SIGINT)
    rest, complaint = tail.communicate(timeout=30)
    assert (tail.returncode, rest, complaint) == (0, "", "")


def test_a_reader_that_has_seen_enough_ends_it_quietly(cli: Cli, begin: Begin) -> None:
    cli("publish", "news:pipe", "n", "-", input="1\n" * 50)
    tail = begin("tail", "news:pipe", "--after", "start")
    assert tail.stdout is not None
    assert tail.stdout.readline() == "n 1\n"
    tail.stdout.close()
    tail.stdout = None
    cli("publish", "news:pipe", "n", "2")
    assert tail.wait(timeout=30) == 0
    assert tail.stderr is not None
    assert tail.stderr.read() == ""


def test_a_killed_server_is_said_and_survived(cli: Cli, begin: Begin, tmp_path: Path) -> None:
    mine = RealServer(tmp_path / "own")
    asyncio.run(mine.start())
    try:
        cli("publish", "news:kill", "t", "1", url=mine.url)
        tail = begin("tail", "news:kill", "--after", "start", url=mine.url)
        assert tail.stdout is not None
        assert tail.stdout.readline() == "t 1\n"
        asyncio.run(mine.kill())
        asyncio.run(mine.start())
        cli("publish", "news:kill", "t", "2", url=mine.url)
        assert tail.stdout.readline() == "t 2\n"
        tail.send_signal(signal.SIGINT)
        _, said = tail.communicate(timeout=30)
        assert "connection lost" in said
        assert "connected again" in said
    finally:
        asyncio.run(mine.kill())
