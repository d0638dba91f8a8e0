"""Contract sections 3.1, 4.1 and 5.3: what the forum says, live and in its histories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.dialects.bettafish.room import House, Page, texts

SPEECH = "2025-11-14 10:00:00.000 | INFO | InsightEngine.nodes.summary_node:run:60 - "


def summary(text: str) -> str:
    """The line of an engine in which the forum finds a speech."""
    return SPEECH + "FirstSummaryNode 清理后的输出: " + json.dumps({"paragraph_latest_state": text}, ensure_ascii=False)


async def post(house: House, text: str, source: str | None = None) -> None:
    status, found = await house.post("/api/forums/main/speeches", {"text": text, "source": source})
    assert status == 201, found


async def test_a_speech_in_a_log_is_pushed_as_a_message_and_as_a_console_line(tmp_path: Path) -> None:
    async with House.open(tmp_path) as house:
        await house.start_all()
        async with Page.connect(house.server) as page:
            await house.say("insight", summary("Public opinion is warm, and getting warmer by the day."))
            (message,) = await page.forum_messages(1)
            assert set(message) == {"type", "sender", "content", "timestamp", "source"}
            assert message | {"timestamp": ""} == {
                "type": "agent",
                "sender": "Insight Engine",
                "content": "Public opinion is warm, and getting warmer by the day.",
                "timestamp": "",
                "source": "INSIGHT",
            }
            found = await house.get("/api/forum/log")
            assert message in found["parsed_messages"]
            wanted = len(found["log_lines"])
            lines = [value["line"] for _, value in page.heard if _ == "console_output" and value["app"] == "forum"]
            lines += await page.lines("forum", wanted - len(lines))
            assert texts(lines) == found["log_lines"]  # two times: of the record, and of its coming
            assert found["total_lines"] == wanted
            assert any("=== ForumEngine" in line for line in found["log_lines"])  # SYSTEM is not in the chat
            assert (await house.get("/api/output/forum"))["output"] == found["log_lines"]


async def test_a_new_session_begins_anew_and_is_pushed_at_once(tmp_path: Path) -> None:
    """Section 7: nothing is pushed after the file was recreated until it outgrows the old one."""
    async with House.open(tmp_path) as house:
        await house.start_all()
        async with Page.connect(house.server) as page:
            for number in range(4):
                await house.say("insight", summary(f"A long speech of the first session, number {number}"))
            await page.forum_messages(4)
            await house.post("/api/stop/insight")
            await house.post("/api/start/insight")  # a watched log that begins anew ends the session
            await house.say("insight", summary("A short one of the second session, the very first"))
            (message,) = await page.forum_messages(1)
            assert message["content"] == "A short one of the second session, the very first"
            found = await house.get("/api/forum/log")
            assert found["parsed_messages"] == [message]


async def test_the_host_is_pushed_and_in_the_log(tmp_path: Path) -> None:
    """Section 6: build A's server drops HOST; both pages show it."""
    async with House.open(tmp_path, ("insight",), forum={"threshold": 2}) as house, Page.connect(house.server) as page:
        await post(house, "The first speech says that tea is green.", "insight")
        await post(house, "The second speech says that tea is black.", "query")
        messages = await page.forum_messages(3)
        assert [(each["type"], each["sender"], each["source"]) for each in messages] == [
            ("agent", "Insight Engine", "INSIGHT"),
            ("agent", "Query Engine", "QUERY"),
            ("host", "Forum Host", "HOST"),
        ]
        found = await house.get("/api/forum/log")
        assert [each["source"] for each in found["parsed_messages"]] == ["INSIGHT", "QUERY", "HOST"]


async def test_people_are_in_the_console_but_not_in_this_chat(tmp_path: Path) -> None:
    async with House.open(tmp_path, ("insight",)) as house, Page.connect(house.server) as page:
        await post(house, "a person speaks")
        await post(house, "an agent speaks", "media")
        (message,) = await page.forum_messages(1)
        assert message["content"] == "an agent speaks"
        assert len([1 for event, value in page.heard if value and event == "console_output"]) >= 1


async def test_the_exact_text_is_pushed_where_the_file_loses_it(tmp_path: Path) -> None:
    """Section 7: escaping in forum.log is not reversible."""
    exact = "a path C:\\new\\table, and\na second line"
    async with House.open(tmp_path, ("insight",), forum={"threshold": 1}) as house, Page.connect(house.server) as page:
        await post(house, exact, "insight")
        (message,) = await page.forum_messages(1)
        assert message["content"] == exact
        records = (await house.get("/api/forum/log"))["log_lines"]
        assert all("\n" not in record for record in records)


async def test_forum_log_has_an_etag(tmp_path: Path) -> None:
    async with House.open(tmp_path, ("insight",)) as house, house.http() as http:
        await post(house, "something to read", "insight")
        first = await http.get("/api/forum/log")
        again = await http.get("/api/forum/log", headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        await post(house, "something new to read", "insight")
        changed = await http.get("/api/forum/log", headers={"if-none-match": first.headers["etag"]})
        assert len(changed.json()["parsed_messages"]) == 2


GRAMMAR: list[tuple[str, dict[str, Any] | None]] = [
    ("ForumEngine is ready", None),
    ("[10:00:00] [SYSTEM] === ForumEngine 监控开始 - 2025-11-14 10:00:00 ===", None),
    ("[10:00:01] [INSIGHT] plain", {"sender": "Insight Engine", "content": "plain", "source": "INSIGHT"}),
    ("[10:00:02] [MEDIA] [1f0a92cc] tagged", {"sender": "Media Engine", "content": "tagged", "source": "MEDIA"}),
    ("[10:00:03] [QUERY]  no session", {"sender": "Query Engine", "content": "no session", "source": "QUERY"}),
    (
        "[10:00:04] [HOST] first\\nsecond\\r",
        {"type": "host", "sender": "Forum Host", "content": "first\nsecond", "source": "HOST"},
    ),
    ("[10:00:05] [ query ] lower", {"sender": "Query Engine", "content": "lower", "source": "QUERY"}),
    ("[10:00:06] [NOBODY] unknown", None),
    ("[10:00:07] [INSIGHT]   ", None),
    ("[10:00:08] [INSIGHT] [x] in brackets", {"sender": "Insight Engine", "content": "[x] in brackets"}),
    ("[10:00:09] [INSIGHT] twice", {"content": "twice"}),
    ("[10:00:09] [INSIGHT] twice", {"content": "twice"}),
    ("no record at all", None),
]


async def test_the_grammar_of_a_file_that_another_program_writes(tmp_path: Path) -> None:
    """Section 5.3, rule by rule; a genuine repeat in the same second counts (section 7)."""
    path = tmp_path / "forum.log"
    path.touch()
    async with House.open(tmp_path, (), **{"log.forum": {"path": str(path)}}) as house:
        async with Page.connect(house.server) as page:
            assert (await page.statuses())["forum"]["status"] == "running"
            with path.open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line, _ in GRAMMAR))
            lines = texts(await page.lines("forum", len(GRAMMAR)))
            assert lines == [line.strip() for line, _ in GRAMMAR]
            pushed = [value for event, value in page.heard if event == "forum_message"]
        wanted = [(line[1:9], message) for line, message in GRAMMAR if message is not None]
        assert len(pushed) == len(wanted)
        for message, (at, fields) in zip(pushed, wanted, strict=True):
            assert message == {**message, "type": "agent", "timestamp": at, **fields}
        found = await house.get("/api/forum/log")
        assert found["parsed_messages"] == pushed
        assert found["log_lines"] == lines


@pytest.mark.parametrize("at_once", [1, 7, 40, 5000])
async def test_history_really_pages(tmp_path: Path, at_once: int) -> None:
    """Section 7: `/api/forum/log/history` never pages, and `has_more` is never true."""
    path = tmp_path / "forum.log"
    records = [f"[10:00:00] [INSIGHT] speech {number}" for number in range(40)]
    path.write_text("".join(f"{record}\n" for record in records), encoding="utf-8")
    async with House.open(tmp_path, (), **{"log.forum": {"path": str(path)}}) as house:
        async with Page.connect(house.server) as page:
            while (await house.get("/api/forum/log"))["total_lines"] < 40:
                await page.next("console_output")
        found: list[str] = []
        position, has_more = 0, True
        while has_more:
            status, answer = await house.post("/api/forum/log/history", {"position": position, "max_lines": at_once})
            assert (status, answer["success"]) == (200, True)
            assert len(answer["log_lines"]) == min(at_once, 40 - position)
            position, has_more = answer["position"], answer["has_more"]
            assert has_more == (position < 40)
            found += answer["log_lines"]
        assert texts(found) == records


async def test_history_takes_what_the_page_sends(tmp_path: Path) -> None:
    async with House.open(tmp_path, ()) as house:
        assert await house.post("/api/forum/log/history", {"position": 0, "max_lines": 5000}) == (
            200,
            {"success": True, "log_lines": [], "position": 0, "has_more": False},
        )
        assert (await house.post("/api/forum/log/history", {}))[0] == 200
        status, answer = await house.post("/api/forum/log/history", {"position": "x"})
        assert (status, answer["success"]) == (400, False)


async def test_nobody_in_the_forum(tmp_path: Path) -> None:
    async with House.open(tmp_path, ()) as house:
        assert await house.get("/api/forum/log") == {
            "success": True,
            "log_lines": [],
            "parsed_messages": [],
            "total_lines": 0,
        }
        assert (await house.post("/api/forum/start"))[1]["success"] is False
        assert (await house.post("/api/forum/stop"))[1]["success"] is True
