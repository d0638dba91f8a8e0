"""The documentation is true where a program can tell: codes, links, snippets, commands."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from antiphon import errors
from antiphon.errors import AntiphonError

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]+)?\)")

NEVER_SENT = (errors.TransportError, errors.RemoteError, errors.SettingsError, errors.DataDirectoryInUse)


class Snippet(NamedTuple):
    page: Path
    line: int
    language: str
    code: str


def snippets(*languages: str) -> Iterator[Snippet]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match[2] in languages:
                code = "\n".join(line.removeprefix(match[1]) for line in match[3].splitlines())
                yield Snippet(page, text[: match.start()].count("\n") + 1, match[2], code)


def named(snippet: Snippet) -> str:
    return f"{snippet.page.relative_to(ROOT)}:{snippet.line}"


def all_errors(base: type[AntiphonError] = AntiphonError) -> Iterator[type[AntiphonError]]:
    yield base
    for child in base.__subclasses__():
        if child.__module__ == errors.__name__ and child not in NEVER_SENT:
            yield from all_errors(child)


def documented_codes() -> dict[str, int]:
    """Code and HTTP status of every row in the protocol's table of errors; a row may share one status."""
    section = (ROOT / "docs/protocol.md").read_text().split("### Errors")[1].split("\n## ")[0]
    found: dict[str, int] = {}
    for codes, statuses in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([\d, ]+) \|", section, re.MULTILINE):
        words, numbers = re.findall(r"`(\w+)`", codes), [int(number) for number in statuses.split(", ")]
        found |= zip(words, numbers if len(numbers) > 1 else numbers * len(words), strict=True)
    return found


def test_every_error_code_is_documented_with_its_status() -> None:
    ours = {error.code: error.http_status for error in all_errors()}
    assert documented_codes() == ours


def test_pages_exist() -> None:
    names = {page.relative_to(ROOT).as_posix() for page in PAGES}
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md"} <= names
    for topic in (
        "README",
        "start",
        "concepts",
        "protocol",
        "configuration",
        "operations",
        "cli",
        "client",
        "decisions/README",
    ):
        assert f"docs/{topic}.md" in names


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    assert not [page.name for page in (ROOT / "docs").glob("[!R]*.md") if f"({page.name})" not in index]


@pytest.mark.parametrize("snippet", list(snippets("python", "py")), ids=named)
def test_python_compiles(snippet: Snippet) -> None:
    compile(snippet.code, named(snippet), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("snippet", list(snippets("json")), ids=named)
def test_json_parses(snippet: Snippet) -> None:
    json.loads(snippet.code)


@pytest.mark.parametrize("snippet", list(snippets("toml")), ids=named)
def test_toml_parses(snippet: Snippet) -> None:
    tomllib.loads(snippet.code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    lost = []
    for target, anchor in LINK.findall(text):
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor[1:] not in anchors(path)):
            lost.append(target + anchor)
    assert not lost


def anchors(page: Path) -> set[str]:
    """The names that a page's headings get."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_make_targets_that_pages_name_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES) + (ROOT / ".ci/run").read_text()
    named_targets = set(re.findall(r"(?:`|^\s*)make ([a-z]+)", text, re.MULTILINE))
    assert {"run", "test", "check"} <= named_targets <= targets


def test_changelog_is_kept() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in text
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_decisions_are_numbered_and_listed() -> None:
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text()
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert len({name[:4] for name in records}) == len(records), "two decisions share a number"
    assert not [name for name in records if f"({name})" not in index]
