"""Documents: found by their words, kept fresh, whatever wrote them; and nothing outside of the folder."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.errors import InvalidParams, ToolError
from antiphon.services.tools import DocumentsConfig, Tools, ToolsConfig
from antiphon.services.tools.documents.files import Folder, decode
from antiphon.services.tools.documents.index import Index
from antiphon.services.tools.documents.passages import passages

GUIDE = "# Guide\n\nStart the engine slowly.\n\n## Fuel\n\nThe tank holds forty litres.\n"
DEADLINE_S = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    (root / "car").mkdir(parents=True)
    (root / "car" / "guide.md").write_text(GUIDE)
    (root / "other.txt").write_text("Nothing about engines.\nA slow river.\n")
    return root


@pytest.fixture
async def tools(folder: Path) -> AsyncIterator[Tools]:
    async with Tools(ToolsConfig(documents=DocumentsConfig(folder=Path("docs"))), folder.parent) as found:
        yield found


async def search(tools: Tools, query: str, **arguments: Any) -> list[tuple[str, int]]:
    hits = await tools.call("search_documents", {"query": query, **arguments})
    return [(hit["path"], hit["line"]) for hit in hits]


async def read(tools: Tools, path: str, **arguments: Any) -> str:
    return str((await tools.call("read_document", {"path": path, **arguments}))["text"])


async def until_found(tools: Tools, query: str, *expected: tuple[str, int]) -> None:
    """Wait until a search finds this; a change is told by the system, some time after it."""
    async with asyncio.timeout(DEADLINE_S):
        while await search(tools, query) != list(expected):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_words_are_found_with_path_and_line(tools: Tools) -> None:
    (hit,) = await tools.call("search_documents", {"query": "tank litres"})
    assert (hit["path"], hit["line"]) == ("car/guide.md", 7)
    assert "The tank holds forty litres." in hit["snippet"]
    assert set(await search(tools, "ENGINE")) == {("car/guide.md", 3), ("other.txt", 1)}
    assert await search(tools, "slow river") == [("other.txt", 2)]
    assert len(await search(tools, "engine", limit=1)) == 1
    assert await search(tools, "guide") == [("car/guide.md", 1)]
    assert await search(tools, "zeppelin") == []


async def test_any_of_the_words_where_no_passage_holds_all(tools: Tools) -> None:
    assert {path for path, _ in await search(tools, "litres river zeppelin")} == {"car/guide.md", "other.txt"}


@pytest.mark.parametrize(
    "query", ['"', "'", "NEAR(a b)", "path:x", "a AND", "*", "^", "-", "%", "(", "\0", "a OR b", "{}"]
)
async def test_a_query_is_never_a_program(tools: Tools, query: str) -> None:
    await search(tools, query)


async def test_lines_are_read(tools: Tools) -> None:
    assert await read(tools, "car/guide.md") == GUIDE.rstrip("\n")
    found = await tools.call("read_document", {"path": "./car/guide.md", "from_line": 5, "lines": 3})
    assert found == {
        "path": "car/guide.md",
        "text": "## Fuel\n\nThe tank holds forty litres.",
        "from_line": 5,
        "of_lines": 7,
        "is_cut": False,
    }
    assert await read(tools, "other.txt", from_line=100) == ""
    with pytest.raises(InvalidParams):
        await read(tools, "other.txt", from_line=0)


async def test_what_changes_is_found_anew(tools: Tools, folder: Path) -> None:
    assert await search(tools, "zeppelin") == []
    (folder / "new.md").write_text("a zeppelin\n")
    await until_found(tools, "zeppelin", ("new.md", 1))
    (folder / "new.md").write_text("an airship, no more\n")
    await until_found(tools, "airship", ("new.md", 1))
    assert await search(tools, "zeppelin") == []
    (folder / "new.md").unlink()
    await until_found(tools, "airship")


async def test_a_watched_folder_is_looked_at_when_it_changes(folder: Path) -> None:
    """Once it is watched, searches trust what is told."""
    (folder / "sub").mkdir()
    async with Tools(ToolsConfig(documents=DocumentsConfig(folder=folder))) as tools:
        documents = tools._documents
        assert documents is not None
        async with asyncio.timeout(DEADLINE_S):
            while not documents._is_watched:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        (folder / "sub" / "late.md").write_text("a late airship")
        await until_found(tools, "airship", ("sub/late.md", 1))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "latin-1"])
async def test_unusual_encodings_are_read(tools: Tools, folder: Path, encoding: str) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    (folder / "old.txt").write_bytes(mark + "Müller aß Käse\r\nzweite Zeile\r\n".encode(encoding))
    assert await search(tools, "kase") == [("old.txt", 1)]
    assert await read(tools, "old.txt") == "Müller aß Käse\nzweite Zeile"


async def test_languages_without_spaces_are_found(tools: Tools, folder: Path) -> None:
    (folder / "jp.md").write_text("一行目\nこれは日本語の文書です\n")
    assert await search(tools, "日本語") == [("jp.md", 2)]


async def test_what_is_no_text_is_left_out(tools: Tools, folder: Path) -> None:
    (folder / "binary.md").write_bytes(b"zeppelin\0\1\2")
    (folder / "broken.md").write_bytes(b"zeppelin \xff\xfe\x80 end")
    assert await search(tools, "zeppelin") == [("broken.md", 1)]


async def test_nothing_outside_of_the_folder_is_read(tools: Tools, folder: Path) -> None:
    outside = folder.parent / "secret.md"
    outside.write_text("zeppelin\n")
    (folder.parent / "elsewhere").mkdir()
    (folder.parent / "elsewhere" / "more.md").write_text("zeppelin\n")
    (folder / "link.md").symlink_to(outside)
    (folder / "linked").symlink_to(folder.parent / "elsewhere")
    (folder / ".hidden.md").write_text("zeppelin\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "note.md").write_text("zeppelin\n")
    os.mkfifo(folder / "pipe.md")
    os.link(folder / "other.txt", folder / "hard.txt")
    assert await search(tools, "zeppelin") == []
    for path in (
        "link.md",
        "linked/more.md",
        "../secret.md",
        str(outside),
        "car/../../secret.md",
        ".hidden.md",
        "pipe.md",
    ):
        with pytest.raises(ToolError, match="There is no document"):
            await read(tools, path)


async def test_globs_and_limits_say_which_files_count(folder: Path) -> None:
    (folder / "car" / "engine.py").write_text("# engine\n")
    (folder / "large.md").write_text("engine " * 1000)
    config = DocumentsConfig(folder=folder, glob=("*.md", "car/*.py"), max_bytes=2000)
    async with Tools(ToolsConfig(documents=config)) as tools:
        assert await search(tools, "engine") == [("car/engine.py", 1)]
    async with Tools(ToolsConfig(documents=DocumentsConfig(folder=folder, max_files=1))) as tools:
        assert await search(tools, "engine") == [("large.md", 1)]


async def test_a_folder_may_come_later(tmp_path: Path) -> None:
    async with Tools(ToolsConfig(documents=DocumentsConfig(folder=tmp_path / "later"))) as tools:
        with pytest.raises(ToolError, match="folder does not exist"):
            await search(tools, "zeppelin")
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "a.md").write_text("zeppelin")
        assert await search(tools, "zeppelin") == [("a.md", 1)]


def test_only_what_has_changed_is_read_again(folder: Path) -> None:
    index = Index(Folder(folder, ("**/*",), max_bytes=10_000), max_files=10)
    assert index.refresh(lambda: False) == (2, 2, 0)
    assert index.refresh(lambda: False) == (2, 0, 0)
    (folder / "other.txt").write_text("changed")
    assert index.refresh(lambda: False) == (2, 1, 0)
    assert index.refresh(lambda: True) == (0, 0, 0)  # stopped at once, and nothing is forgotten
    assert [hit.path for hit in index.search("changed", 5)] == ["other.txt"]
    index.close()


def test_a_long_line_is_shown_around_the_word(tmp_path: Path) -> None:
    (tmp_path / "long.md").write_text("x " * 5000 + "zeppelin " + "y " * 5000)
    index = Index(Folder(tmp_path, ("*",), max_bytes=100_000), max_files=10)
    index.refresh(lambda: False)
    (hit,) = index.search("zeppelin", 5)
    assert "zeppelin" in hit.snippet
    assert len(hit.snippet) <= 600
    index.close()


def test_passages_are_the_whole_text() -> None:
    text = "\n".join(f"line {n}" if n % 5 else "" for n in range(1, 200)) + "\n" + "w" * 10_000 + "\nend"
    found = list(passages(text))
    assert "\n".join(passage.text for passage in found) == text
    for passage in found:
        assert text.split("\n")[passage.line - 1] == passage.text.split("\n")[0]


def test_bytes_become_text() -> None:
    assert decode(b"") == ""
    assert decode(b"\0\0\0") is None
    assert decode("\ufeffx".encode("utf-16-le")) == "x"
