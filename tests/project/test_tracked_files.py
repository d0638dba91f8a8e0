"""What lies in the repository: no machine's paths, no registry's names, no secrets, nothing generated, nothing huge."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KIB = 1024

# Put together from pieces, so that this file does not find itself.
HOSTS = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))]
HOSTS += [".".join(parts) for parts in (("crates", "io"), ("golang", "org"), ("debian", "org"), ("maven", "org"))]
MACHINE_PATHS = re.compile(
    r"(?<![\w.~-])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + r"me/\w+", "Us" + r"ers/\w+"]) + ")/"
)
SECRETS = re.compile(
    "BEGIN [A-Z ]*PRIVATE" + " KEY|AK" + "IA[0-9A-Z]{16}|gh[pos]" + "_[A-Za-z0-9]{36}|sk-[A-Za-z0-9]{32}"
)
GENERATED = re.compile(
    r"(^|/)(node_modules|__pycache__|dist|static|data|\.venv)/|\.(pyc|tsbuildinfo|sqlite3?|log|whl)$"
)


@cache
def tracked() -> list[Path]:
    try:
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone")
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


@cache
def texts() -> dict[str, str]:
    """Every tracked file that is text, by its path in the repository."""
    found = {}
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            found[path.relative_to(ROOT).as_posix()] = content.decode("utf-8")
    return found


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_registry_is_named() -> None:
    hosts = re.compile("|".join(rf"\b{re.escape(host)}\b" for host in HOSTS))
    assert not lines_with(hosts)


def test_no_path_of_a_machine() -> None:
    assert not lines_with(MACHINE_PATHS)


def test_no_secret() -> None:
    assert not lines_with(SECRETS)


def test_nothing_generated() -> None:
    assert not [name for name in (path.relative_to(ROOT).as_posix() for path in tracked()) if GENERATED.search(name)]


def test_nothing_huge() -> None:
    """A source file stays readable; a picture stays below what a page may weigh."""
    sizes = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in tracked()}
    limits = {True: 256 * KIB, False: 800 * KIB}
    huge = {name: size for name, size in sizes.items() if size > limits[name in texts()] and "lock" not in name}
    assert not huge


def test_python_files_hold_one_idea() -> None:
    """Past 500 lines there is a second idea in the file: find it and give it a name."""
    limits = {"src/antiphon/shim.py": 1000}  # started by its path, without the package: it cannot be several files
    lengths = {name: text.count("\n") for name, text in texts().items() if re.fullmatch(r"src/.*\.py", name)}
    assert not {name: length for name, length in lengths.items() if length > limits.get(name, 500)}


def test_text_files_end_with_one_newline_and_carry_no_trailing_blanks() -> None:
    wrong = [name for name, text in texts().items() if text and (not text.endswith("\n") or text.endswith("\n\n"))]
    blanks = [line for line in lines_with(re.compile(r"[ \t]+$")) if "/snapshots/" not in line]
    assert not wrong
    assert not blanks
