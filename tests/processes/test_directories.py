"""The directories of starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.services.processes.directories import RUN, create, create_run, find


def test_starts_are_found_oldest_first(tmp_path: Path) -> None:
    made = [create(tmp_path, "b"), create_run(tmp_path, "a"), create(tmp_path, "b")]
    (tmp_path / "b" / "stray").mkdir()
    (tmp_path / "not a name!").mkdir()
    (tmp_path / "file").touch()
    found = list(find(tmp_path))
    assert {start.key for start in found} == {start.key for start in made}
    assert [start.name for start in found] == ["a", "b", "b"]
    assert [start.source for start in found] == ["run", "config", "config"]
    assert found == sorted(found, key=lambda start: start.key)


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    assert list(find(tmp_path / "missing")) == []


def test_a_run_keeps_its_assigned_name(tmp_path: Path) -> None:
    start = create_run(tmp_path, "web")
    assert start.name == "web"
    start.assign("web-2")
    (found,) = find(tmp_path)
    assert found.name == "web-2"
    assert found.run is not None
    assert found.run.assigned
    assert found.key == start.key


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "../../x"}', '{"name": 1}'])
def test_a_damaged_run_file_is_still_a_run(tmp_path: Path, text: str) -> None:
    start = create_run(tmp_path, "web")
    (start.path / RUN).write_text(text)
    (found,) = find(tmp_path)
    assert (found.name, found.source) == ("web", "run")


def test_removal_takes_the_empty_parent_too(tmp_path: Path) -> None:
    first, second = create(tmp_path, "a"), create(tmp_path, "a")
    first.remove()
    first.remove()
    assert list(find(tmp_path)) == [second]
    second.remove()
    assert list(tmp_path.iterdir()) == []
