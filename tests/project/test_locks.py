"""What is installed is pinned, hashed, and bound to no registry."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
LOCKED = ("web", "clients/typescript", "examples/run-page", "tests/socket_io/node")
NODE_LOCKS = [ROOT / folder / "package-lock.json" for folder in LOCKED]


def pins(lock: Path) -> dict[str, str]:
    """Name and version of every package in a lock file."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)", lock.read_text(), re.MULTILINE))


def wanted(requirements: list[str]) -> set[str]:
    """The names that requirements ask for, as lock files write them."""
    names = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requirements)
    return {re.sub(r"[-_.]+", "-", name[0]).lower() for name in names if name}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_is_hashed_and_none_says_where_from(lock: Path) -> None:
    text = lock.read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|--index-url|--find-links|--trusted-host", text)


def test_locks_hold_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    assert wanted(project["project"]["dependencies"]) <= pins(ROOT / "requirements/run.txt").keys()
    for group in ("dev", "build", "node"):
        assert wanted(groups[group]) <= pins(ROOT / f"requirements/{group}.txt").keys()


@pytest.mark.parametrize("smaller", ["run", "build"])
def test_locks_agree(smaller: str) -> None:
    """Installing one after the other changes nothing that is there."""
    small, large = pins(ROOT / f"requirements/{smaller}.txt"), pins(ROOT / "requirements/dev.txt")
    both = small.keys() & large.keys()
    assert {name: small[name] for name in both} == {name: large[name] for name in both}
    if smaller == "run":
        assert both == small.keys()


@pytest.mark.parametrize("lock", NODE_LOCKS, ids=lambda path: path.parent.name)
def test_javascript_is_hashed_and_none_says_where_from(lock: Path) -> None:
    packages = json.loads(lock.read_text())["packages"]
    for name, package in packages.items():
        if name and not package.get("link"):
            assert "resolved" not in package, name
            assert package.get("inBundle") or package["integrity"].startswith("sha512-"), name


@pytest.mark.parametrize("lock", NODE_LOCKS, ids=lambda path: path.parent.name)
def test_javascript_is_locked_for_every_platform(lock: Path) -> None:
    """npm leaves out silently what it could not find, and `npm ci` then refuses the lock file."""
    packages = json.loads(lock.read_text())["packages"]
    held = {name.rpartition("node_modules/")[2] for name in packages}
    asked = {other for package in packages.values() for other in package.get("optionalDependencies", {})}
    assert not asked - held
