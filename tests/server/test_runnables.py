"""What makes a function startable, and how an input becomes its arguments."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel, Field

from antiphon.errors import InvalidParams, SettingsError
from antiphon.server.imported import imported_runnables
from antiphon.server.runnables import Runnable
from antiphon.server.settings import load

if TYPE_CHECKING:
    from antiphon import Run  # its annotation need not exist at run time


class Tea(BaseModel):
    name: str
    cups: Annotated[int, Field(ge=1)] = 1


async def brew(run: Run, tea: Tea, /, *, day: date | None = None) -> None: ...
async def plain(run: Run, q: str, depth: int = 3) -> None: ...
async def nested(run: Run, tea: Tea, day: date) -> None: ...
async def anything(run: Run, **rest: int) -> None: ...
async def unannotated(run, schema, copy=1) -> None: ...  # type: ignore[no-untyped-def]
async def lonely() -> None: ...
async def starred(run: Run, *more: str) -> None: ...
async def unknown(run: Run, q: Unknown) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def blocking(run: Run) -> None: ...


def arguments(function: Any, given: Any) -> dict[str, Any]:
    return Runnable("r", function).arguments(given)


def test_an_input_becomes_keyword_arguments() -> None:
    assert arguments(plain, {"q": "tea"}) == {"q": "tea"}
    assert arguments(plain, {"q": "tea", "depth": 1}) == {"q": "tea", "depth": 1}
    found = arguments(nested, {"tea": {"name": "Assam"}, "day": "2026-01-02"})
    assert found == {"tea": Tea(name="Assam"), "day": date(2026, 1, 2)}
    assert arguments(anything, None) == {}
    assert arguments(anything, {"a": 1}) == {"a": 1}
    assert arguments(unannotated, {"schema": [1]}) == {"schema": [1]}


@pytest.mark.parametrize(
    ("function", "given", "pointer"),
    [
        (plain, {}, "/q"),
        (plain, None, "/q"),
        (plain, {"q": 1}, "/q"),
        (plain, {"q": "tea", "depth": "deep"}, "/depth"),
        (plain, {"q": "tea", "milk": True}, "/milk"),
        (plain, "tea", ""),
        (plain, ["tea"], ""),
        (nested, {"tea": {"name": "Assam", "cups": 0}, "day": "2026-01-02"}, "/tea/cups"),
        (nested, {"tea": {"name": "Assam"}, "day": "soon"}, "/day"),
    ],
)
def test_a_wrong_input_is_named(function: Any, given: Any, pointer: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        arguments(function, given)
    assert caught.value.pointer == f"/params/input{pointer}"


@pytest.mark.parametrize("function", [lonely, starred, brew, blocking])
def test_what_cannot_be_started_is_refused_at_once(function: Any) -> None:
    with pytest.raises(TypeError, match=function.__name__):
        Runnable("r", function)


def test_annotations_are_looked_at_when_the_server_starts() -> None:
    with pytest.raises(TypeError, match="Unknown"):
        Runnable("r", unknown).check()
    with pytest.raises(SettingsError):
        Runnable("a b", plain)


MODULE = """
class Teas:
    @staticmethod
    async def brew(run, tea: str): ...

def blocking(run): ...

async def lonely(): ...

NUMBER = 7
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A directory with modules, of which nothing stays imported."""
    (tmp_path / "teas_of_a_test.py").write_text(MODULE)
    (tmp_path / "broken_of_a_test.py").write_text("import nothing_of_this_name")
    (tmp_path / "raising_of_a_test.py").write_text("raise RuntimeError('no water')")
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def imported(home: Path, place: str) -> list[Runnable]:
    (home / "antiphon.toml").write_text(f'[runnable.tea]\nimport = "{place}"\n')
    return imported_runnables(load(cwd=home))


def test_functions_are_found_beside_the_settings(home: Path) -> None:
    (found,) = imported(home, "teas_of_a_test:Teas.brew")
    assert (found.name, found.arguments({"tea": "Assam"})) == ("tea", {"tea": "Assam"})
    assert imported_runnables(load(cwd=home.parent)) == []


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("nothing_of_this_name:f", "there is no module 'nothing_of_this_name'"),
        ("teas_of_a_test:nothing", "teas_of_a_test has no 'nothing'"),
        ("teas_of_a_test:NUMBER", "async def"),
        ("teas_of_a_test:blocking", "async def"),
        ("teas_of_a_test:lonely", "first parameter"),
        ("broken_of_a_test:f", "broken_of_a_test cannot be imported: No module named 'nothing_of_this_name'"),
        ("raising_of_a_test:f", "raising_of_a_test cannot be imported: RuntimeError: no water"),
    ],
)
def test_what_cannot_be_imported_is_named_with_file_and_key(home: Path, place: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        imported(home, place)
    assert str(caught.value).startswith(f"{home / 'antiphon.toml'}:2: runnable.tea.import: ")
    assert why in str(caught.value)


@pytest.mark.parametrize("place", ["module", ":f", "module:", "a b:c", "/x:y"])
def test_a_place_is_a_module_and_a_function(home: Path, place: str) -> None:
    with pytest.raises(SettingsError, match=r"antiphon.toml:2: runnable.tea.import"):
        imported(home, place)
