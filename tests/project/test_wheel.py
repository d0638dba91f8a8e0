"""What users install: the source distribution builds a wheel, and the wheel runs in an empty environment.

Nothing here uses this checkout's installation; what is installed comes from the lock file, the wheel and nothing else.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def call(*command: object, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command to its end; its stdout."""
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    call(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return Path(str(archive).removesuffix(".tar.gz"))


@pytest.fixture(scope="module")
def wheel(sources: Path) -> Path:
    """The wheel, built from the source distribution alone, dashboard included."""
    assert not (sources / "src/antiphon/static").exists()
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", sources / "dist", cwd=sources)
    (wheel,) = (sources / "dist").glob("*.whl")
    return wheel


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower() for requirement in requirements}


def plain_lock() -> str:
    """Of requirements/run.txt what a plain install needs: the comments say who wants each package."""
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements/run.txt").read_text())[1:]
    texts = {entry.split("==")[0]: entry for entry in entries}
    parents = {
        name: set(re.findall(r"^    #(?: via)? +([a-z0-9][\w.-]*)$", text, re.M)) for name, text in texts.items()
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    kept, fresh = set[str](), names_of(project["dependencies"])
    while fresh:
        kept |= fresh
        fresh = {name for name, names in parents.items() if names & fresh} - kept
    assert not kept & {"pydantic-ai-slim", "openai", "anthropic", "mcp"}
    return "\n".join(texts[name] for name in sorted(kept))


def install(wheel: Path, lock: Path, folder: Path) -> Path:
    """The `bin` of an environment that holds the wheel and what a lock file names."""
    call(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    python = folder / "venv/bin/python"
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    call(*pip, "--require-hashes", "-r", lock, cwd=folder)
    call(*pip, "--no-deps", wheel, cwd=folder)
    call(python, "-m", "pip", "check", cwd=folder)
    return folder / "venv/bin"


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an empty environment into which the wheel was installed, without extras."""
    folder = tmp_path_factory.mktemp("plain")
    lock = folder / "plain.txt"
    lock.write_text(plain_lock())
    return install(wheel, lock, folder)


@pytest.fixture(scope="module")
def with_extras(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with all extras."""
    return install(wheel, ROOT / "requirements/run.txt", tmp_path_factory.mktemp("full"))


def test_the_wheel_holds_the_dashboard_and_nothing_else_that_was_built(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "antiphon/static/index.html" in names
    assert any(re.fullmatch(r"antiphon/static/assets/.+\.js", name) for name in names)
    assert {"antiphon/py.typed", "antiphon/shim.py"} <= set(names)
    assert all(name.startswith(("antiphon/", "antiphon-")) for name in names)
    assert not [name for name in names if "node_modules" in name or "__pycache__" in name or "/." in name]


@pytest.mark.parametrize("module", ["antiphon", "antiphon.client", "antiphon.cli", "antiphon.server"])
def test_it_imports_without_extras(installed: Path, module: str, tmp_path: Path) -> None:
    call(installed / "python", "-W", "error", "-c", f"import {module}", cwd=tmp_path)


@pytest.fixture
def address(installed: Path, tmp_path: Path) -> Iterator[str]:
    """An `antiphon serve` from the wheel, in an empty folder; yields the address that it prints."""
    with serving(installed, tmp_path) as found:
        yield found


@contextmanager
def serving(programs: Path, tmp_path: Path) -> Iterator[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [str(programs / "antiphon"), "serve", "--port", "0"]
    server = subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert server.stdout is not None
        said = []
        for line in server.stdout:
            said.append(line)
            if found := re.search(r"http://[\w.:-]+", line):
                yield found[0]
                break
        else:
            pytest.fail("it printed no address:\n" + "".join(said))
    finally:
        server.terminate()
        rest, _ = server.communicate()
    assert server.returncode in (0, -15), rest


def test_it_serves_the_dashboard_in_an_empty_folder(address: str) -> None:
    with httpx2.Client(base_url=address) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assets = re.findall(r'(?:src|href)="\.?/?(assets/[^"]+)"', page.text)
        assert assets
        for asset in assets:
            answer = client.get(f"/{asset}")
            assert answer.status_code == 200
            assert answer.content
        assert client.get("/api/server").json()["protocol"] == 1


def test_without_extras_there_is_no_agent_and_it_says_why(address: str, installed: Path, tmp_path: Path) -> None:
    (tmp_path / "antiphon.toml").write_text("[agent.helpdesk]\n")
    asked = subprocess.run(
        [installed / "antiphon", "serve", "--port", "0"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert asked.returncode == 2
    assert "pip install 'antiphon[agents]'" in asked.stderr
    with httpx2.Client(base_url=address) as client:
        assert "agents" not in client.get("/api/server").json()["features"]
        assert client.get("/api/agents").json() == {"agents": []}


def test_with_extras_the_offline_assistant_answers(with_extras: Path, tmp_path: Path) -> None:
    with serving(with_extras, tmp_path) as address:
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ANTIPHON_URL": address}
        said = call(with_extras / "antiphon", "chat", "--once", "What is 17 * 23?", cwd=tmp_path, env=env)
        assert "391" in said
