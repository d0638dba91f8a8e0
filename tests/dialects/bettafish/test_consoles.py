"""Contract sections 3.1, 5.2 and 5.4: console lines, and `/api/output`, which counts them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.dialects.bettafish.room import House, Page, texts
from tests.live.workspace import ask, until_row, whole_log


async def output(house: House, app: str, query: str = "") -> list[str]:
    found = await house.get(f"/api/output/{app}{query}")
    assert found["success"] is True
    lines: list[str] = found["output"]
    return lines


async def test_a_line_is_time_one_space_and_trimmed_text(house: House) -> None:
    async with Page.connect(house.server) as page:
        await house.say("insight", "  two words \t", "", "   ", "日本語 🎼", "done one")
        found = await page.until_line("insight", "done one")
    assert texts(found) == ["two words", "日本語 🎼", "done one"]


async def test_the_time_is_local_and_that_of_the_line(house: House) -> None:
    async with Page.connect(house.server) as page:
        await house.say("media", "what time is it")
        line = (await page.until_line("media", "what time is it"))[-1]
    said = next(e for e in reversed(await whole_log(house.server, "log:media")) if e["type"] == "line")
    assert re.fullmatch(r"\[\d\d:\d\d:\d\d\] what time is it", line)
    moment = time.strptime(said["time"][:19], "%Y-%m-%dT%H:%M:%S")
    import calendar

    assert line[1:9] == time.strftime("%H:%M:%S", time.localtime(calendar.timegm(moment)))


async def test_bytes_that_are_no_utf8_are_replaced(house: House) -> None:
    async with Page.connect(house.server) as page:
        await house.write("query", b"caf\xff\xfe!\n")
        assert texts([(await page.lines("query", 1))[-1]])[0].startswith("caf\ufffd")


async def test_no_line_is_too_long(house: House) -> None:
    async with Page.connect(house.server) as page:
        await house.say("insight", "x" * 300_000)
        (line,) = await page.lines("insight", 1)
        assert texts([line]) == ["x" * 300_000]
        assert (await output(house, "insight"))[-1] == line


async def test_console_output_has_app_and_line_and_reaches_everyone(house: House) -> None:
    async with Page.connect(house.server) as one, Page.connect(house.server) as two:
        await house.say("query", "for all")
        for page in (one, two):
            event, data = await page.next("console_output")
            assert set(data) == {"app", "line"}
            assert (event, data["app"], texts([data["line"]])) == ("console_output", "query", ["for all"])


async def test_output_is_the_whole_log_and_each_index_that_of_its_console_output(house: House) -> None:
    async with Page.connect(house.server) as page:
        before = await output(house, "media")
        await house.say("media", "", "a", "  ", "b", *(f"c{number}" for number in range(2500)), "last one")
        pushed = await page.until_line("media", "last one")
    found = await house.get("/api/output/media")
    assert found["output"] == [*before, *pushed]
    assert found["total_lines"] == len(found["output"])
    assert (await house.get("/api/status"))["media"]["output_lines"] == found["total_lines"]


async def test_output_tail(house: House) -> None:
    async with Page.connect(house.server) as page:
        await house.say("media", *(f"t{number}" for number in range(2200)), "last two")
        await page.until_line("media", "last two")
    whole = await output(house, "media")
    for asked, given in ((1, 1), (3, 3), (1500, 1500), (0, 1), (-5, 1), (99999, 2000)):
        found = await house.get(f"/api/output/media?tail={asked}")
        assert found["output"] == whole[-given:]
        assert found["total_lines"] == len(whole)
    assert await output(house, "media", "?tail=x") == whole


async def test_output_has_an_etag(house: House) -> None:
    """Section 7: whole files are read and sent again on every poll. What has not changed is not sent."""
    async with house.http() as http, Page.connect(house.server) as page:
        first = await http.get("/api/output/query")
        tag = first.headers["etag"]
        assert first.headers["cache-control"] == "no-cache"
        for given in (tag, f'"x", {tag}', f"W/{tag}", "*"):
            again = await http.get("/api/output/query", headers={"if-none-match": given})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        await house.say("query", "something new")
        await page.until_line("query", "something new")
        changed = await http.get("/api/output/query", headers={"if-none-match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag
        assert changed.json()["output"][: len(first.json()["output"])] == first.json()["output"]


async def test_test_log_is_a_line_like_any_other(house: House) -> None:
    async with Page.connect(house.server) as page:
        status, found = await house.post("/api/test_log/insight")
        assert (status, found["success"]) == (200, True)
        (line,) = await page.lines("insight", 1)
    assert (await output(house, "insight"))[-1] == line


async def test_a_repeat_in_the_same_second_is_not_dropped(house: House) -> None:
    """Section 7: duplicate suppression by text."""
    async with Page.connect(house.server) as page:
        await house.say("query", *["again"] * 50, "no more")
        assert texts(await page.until_line("query", "no more")) == [*["again"] * 50, "no more"]


async def test_cpu_and_memory_push_no_status(tmp_path: Path) -> None:
    async with House.open(tmp_path, ("insight",)) as house:
        await house.start_all()
        async with Page.connect(house.server) as page:
            await until_usage(house, "insight")
            await house.say("insight", "marker")
            await page.until_line("insight", "marker")
            assert [event for event, _ in page.heard if event == "status_update"] == []


async def until_usage(house: House, app: str) -> None:
    """Wait until the table tells what the program uses."""
    from tests.live.peers import Rpc

    async with Rpc.connect(house.server.live) as rpc:
        await rpc.call("subscribe", channel="processes")
        while (await rpc.call("state", channel="processes"))["value"][app]["memory_bytes"] is None:
            await rpc.next("event")


async def test_a_start_begins_the_count_anew(tmp_path: Path) -> None:
    """Numbers count from that start's first line; the announcement of a start is no line."""
    async with House.open(tmp_path, ("insight",)) as house, Page.connect(house.server) as page:
        for life in range(3):
            await ask(house.server, "process.start", name="insight")
            await house.say("insight", f"life {life}", "ready")
            pushed = await page.until_line("insight", "ready")
            assert texts(pushed) == ["engine is up", f"life {life}", "ready"]
            assert await output(house, "insight") == pushed
            await ask(house.server, "process.stop", name="insight")
            await until_row(house.server, "insight", status="stopped")
            assert await output(house, "insight") == pushed  # until it is started again


async def test_retention_never_takes_of_the_current_start(tmp_path: Path) -> None:
    async with House.open(tmp_path, ("query",), **{'retention."log:*"': {"max_events": 10}}) as house:
        await house.start_all()
        async with Page.connect(house.server) as page:
            await house.write("query", b"count 0 300\n")
            pushed = await page.until_line("query", "line 299")
            await house.server.stop()  # the next server's first sweep trims what it may
        house.server.port += 0
        await house.server.start()
        await ask(house.server, "process.stop", name="query")
        found = await output(house, "query")
        assert found[-300:] == pushed[-300:]
        assert len(found) == 301


class CountingPage:
    """What build B's page does: it counts pushed lines, and appends what a poll has beyond its count."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def pushed(self, line: str) -> None:
        self.shown.append(line)

    def polled(self, found: Sequence[str]) -> None:
        self.shown += found[len(self.shown) :]


async def test_push_and_poll_together_show_each_line_once(house: House) -> None:
    """Section 5.2: the page's count must stay equal to the number of lines in the log."""
    counting = CountingPage()
    counting.polled(await output(house, "insight"))
    async with Page.connect(house.server) as page:
        for round_ in range(5):
            await house.say("insight", *(f"r{round_} {number}" for number in range(100)), f"end {round_}")
            for line in await page.until_line("insight", f"end {round_}"):
                counting.pushed(line)
            counting.polled(await output(house, "insight"))
    assert counting.shown == await output(house, "insight")


def numbers(lines: Sequence[Any]) -> list[int]:
    return [int(line.rpartition(" ")[2]) for line in lines if "] line " in line]


async def test_kill_9_console_lines_exactly_once(tmp_path: Path) -> None:
    """Section 7: nothing replays what a disconnected page missed. It comes back, asks for the history, and goes on."""
    async with House.open(tmp_path, ("insight",)) as house:
        await house.start_all()
        counting = CountingPage()
        written = 0
        for _ in range(3):
            await settled(house, "insight", f"line {written - 1}" if written else "engine is up")
            async with Page.connect(house.server) as page:
                counting.polled(await output(house, "insight"))
                await house.write("insight", f"count {written} {written + 700}\n".encode())
                for line in await page.lines("insight", 300):
                    counting.pushed(line)
                written += 700
                await house.server.kill()
            await house.write("insight", f"count {written} {written + 300}\n".encode())  # while nobody listens
            written += 300
            await house.server.start()
        await house.say("insight", "the end")
        found = await settled(house, "insight", "the end")
        counting.polled(found)
        assert numbers(found) == list(range(written))
        assert counting.shown == found


async def settled(house: House, app: str, last: str) -> list[str]:
    """The output once it ends with this line."""
    async with Page.connect(house.server) as page:
        found = await output(house, app)
        if not found or not found[-1].endswith(f"] {last}"):
            await page.until_line(app, last)
            found = await output(house, app)
    return found
