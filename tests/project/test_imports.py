"""Imports point one way: server -> transports, services, dialects -> hub, brokers -> messages, errors."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "antiphon"

VALUES = {"errors", "messages"}
BELOW_SERVER = VALUES | {"hub", "brokers", "transports", "services", "dialects", "adapters"}

# What each part of the package may import from the others. A new part needs a line here: a choice to think about.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "messages": {"errors"},
    "brokers": VALUES,
    "hub": VALUES | {"brokers"},
    "transports": VALUES | {"hub", "brokers"},
    "adapters": VALUES | {"client"},  # they drive somebody's agent through the face of a run, in any process
    "services": VALUES | {"hub", "shim"},  # the shim's file format has one home, and that is the shim
    "dialects": VALUES | {"hub"},
    "server": BELOW_SERVER | {"client"},  # functions of the server are given the client's face of their run
    "client": VALUES,
    "shim": set(),
    "testing": BELOW_SERVER | {"server"},
    "cli": BELOW_SERVER | {"server", "client"},
    "__init__": {*VALUES, "server", "client", "transports"},  # the names that it hands out
    "__main__": {"cli"},
}
BESIDE_EACH_OTHER = ("services", "dialects")  # their folders do not know one another

# Agents stand on other services: their answers are runs, said through the face that every program uses.
MORE: dict[tuple[str, ...], set[str]] = {("services", "agents"): {"adapters", "client"}}
STANDS_ON: dict[tuple[str, str], set[str]] = {
    ("services", "agents"): {"runs", "questions", "tools"},
    ("services", "forum"): {"runs"},  # its host speaks in one
}


class Import(NamedTuple):
    file: Path
    line: int
    module: str  # absolute, e.g. antiphon.hub.state

    def __str__(self) -> str:
        return f"{self.file.relative_to(SOURCE)}:{self.line} imports {self.module}"


def imports(file: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(file, node)
            yield from (Import(file, node.lineno, f"{base}.{alias.name}") for alias in node.names)


def _absolute(file: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = ("antiphon", *file.relative_to(SOURCE).parts)[: -node.level]
    return ".".join((*package, *filter(None, [node.module])))


def all_imports() -> list[Import]:
    return [found for file in sorted(SOURCE.rglob("*.py")) for found in imports(file)]


def part_of(file: Path) -> str:
    """The top-level module or folder of a file: `hub`, `shim`."""
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def ours(found: Import) -> list[str]:
    """The path below `antiphon` of an import of ours that leads to a module; empty for all others."""
    names = found.module.split(".")
    below = names[1:] if names[0] == "antiphon" else []
    return below if below and ((SOURCE / below[0]).is_dir() or (SOURCE / f"{below[0]}.py").is_file()) else []


def test_every_part_has_its_place() -> None:
    parts = {part_of(path) for path in SOURCE.rglob("*.py")}
    assert parts <= ALLOWED.keys(), "a new part of the package needs its line in ALLOWED"


def test_imports_point_one_way() -> None:
    wrong = []
    for found in all_imports():
        below, part = ours(found), part_of(found.file)
        allowed = ALLOWED[part] | MORE.get(found.file.relative_to(SOURCE).parts[:2], set())
        if below and below[0] != part and below[0] not in allowed:
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("part", BESIDE_EACH_OTHER)
def test_neighbours_do_not_know_each_other(part: str) -> None:
    """services/processes and services/logs share what lies directly in services/, nothing else."""
    wrong = []
    for found in all_imports():
        here, below = found.file.relative_to(SOURCE).parts, ours(found)
        if here[0] != part or len(here) < 3 or below[:1] != [part] or len(below) < 2:
            continue
        allowed = {here[1], *STANDS_ON.get((part, here[1]), ())}
        if below[1] not in allowed and (SOURCE / part / below[1]).is_dir():
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def test_the_shim_needs_only_the_standard_library() -> None:
    """It is started as a file, in whatever Python the server runs, and must outlive every upgrade."""
    roots = {found.module.split(".")[0] for found in imports(SOURCE / "shim.py")}
    assert roots <= sys.stdlib_module_names


def test_a_service_opens_no_websockets_and_serves_no_http() -> None:
    foreign = {"fastapi", "starlette", "uvicorn", "websockets"}
    wrong = [
        str(found)
        for found in all_imports()
        if part_of(found.file) in {"services", "hub", "brokers"} and found.module.split(".")[0] in foreign
    ]
    assert not wrong, "\n".join(wrong)
