"""Every setting is documented, and nothing else is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from antiphon.server.settings import load
from antiphon.server.settings.catalogue import entries

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `([a-z]+\.[A-Za-z0-9_.]+)` \| `(.*?)` \| (.+) \|$", re.MULTILINE)


def test_the_page_holds_exactly_the_settings_and_their_defaults() -> None:
    documented = {key: default for key, default, _ in ROW.findall(PAGE.read_text("utf-8"))}
    assert documented == {".".join(entry.key): entry.default for entry in entries()}


def test_every_setting_describes_itself() -> None:
    assert [".".join(entry.key) for entry in entries() if not (entry.field.description or "").endswith(".")] == []


def test_the_example_is_valid(tmp_path: Path) -> None:
    examples = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        assert tomllib.loads(example)
        (tmp_path / "antiphon.toml").write_text(example)
        load(cwd=tmp_path)
