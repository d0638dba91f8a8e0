"""Build the dashboard into the Python package, if its sources changed: `python scripts/dashboard.py [--force]`.

`make` and the wheel's build hook both come here, so there is one way to build it. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import node

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (Path("clients/typescript"), Path("web"))
TESTED = (Path("tests/socket_io/node"),)  # only tests need these
STATIC = Path("src/antiphon/static")
STAMP = Path("web/.built")  # the digest of what STATIC was built from
NOT_SOURCES = {"node_modules", "dist", "coverage", "tests", "test"}


def sources(root: Path = ROOT) -> Iterator[Path]:
    """Every file that the build reads, in a stable order."""
    for package in PACKAGES:
        for folder, folders, names in os.walk(root / package):
            folders[:] = sorted(set(folders) - NOT_SOURCES)
            yield from (Path(folder, name) for name in sorted(names) if not _is_product(name))


def _is_product(name: str) -> bool:
    return name == STAMP.name or name.endswith(".tsbuildinfo")


def digest(root: Path = ROOT) -> str:
    """One word for the present state of the sources."""
    total = hashlib.sha256()
    for path in sources(root):
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def is_built(root: Path = ROOT) -> bool:
    """Whether what lies in the package was built from the present sources."""
    stamp = root / STAMP
    return (root / STATIC / "index.html").is_file() and stamp.is_file() and stamp.read_text() == digest(root)


def install(package: Path) -> None:
    """`npm ci`, unless this lock file is installed already."""
    stamp = package / "node_modules" / ".installed-lock"
    wanted = hashlib.sha256((package / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    node.run(["npm", "ci", "--loglevel=error", "--no-audit", "--no-fund"], folder=package)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(wanted)


def install_all(root: Path = ROOT) -> None:
    """Install what building and testing the JavaScript packages needs."""
    for package in (*PACKAGES, *TESTED):
        install(root / package)


def build(root: Path = ROOT, *, force: bool = False) -> bool:
    """Build what is missing or old; True if there was something to do.

    Raises:
        node.NoNode: There is no Node.js.
        subprocess.CalledProcessError: npm failed; it has said why.
    """
    if is_built(root) and not force:
        return False
    print("Building the dashboard", flush=True)
    before = digest(root)  # a file saved during the build makes the next build run again
    install(root / "web")  # the client is compiled from its sources, without packages of its own
    node.run(["npm", "run", "--silent", "build", "--", "--logLevel", "warn"], folder=root / "web")
    (root / STAMP).write_text(before)
    return True


def main(arguments: list[str]) -> int:
    try:
        if arguments == ["--install"]:
            install_all()
        else:
            build(force="--force" in arguments)
    except node.NoNode as problem:
        print(problem, file=sys.stderr)
        return 127
    except subprocess.CalledProcessError as failure:
        print(f"{' '.join(failure.cmd[1:])} failed", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
