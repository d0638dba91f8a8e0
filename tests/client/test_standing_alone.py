"""The client is light, and stands without the server's packages."""

from __future__ import annotations

import subprocess
import sys

import antiphon
import antiphon.client


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_antiphon_loads_nothing_else() -> None:
    loaded = loaded_by("import antiphon")
    assert {name for name in loaded if name.startswith("antiphon")} == {"antiphon"}
    assert not {"pydantic", "orjson", "websockets", "asyncio"} & loaded


def test_the_client_loads_no_server() -> None:
    loaded = loaded_by("import antiphon; antiphon.connect; import antiphon.client")
    ours = {name.split(".")[1] for name in loaded if name.startswith("antiphon.")}
    assert ours == {"client", "errors", "messages"}
    assert not {"fastapi", "starlette", "uvicorn", "typer", "rich", "httpx2", "psutil", "structlog"} & loaded


def test_the_public_names_are_these() -> None:
    assert antiphon.client.__all__ == sorted(antiphon.client.__all__, key=str)
    for name in antiphon.__all__:
        assert getattr(antiphon, name).__module__.startswith("antiphon.") or name == "Item"
    assert set(antiphon.__all__) <= set(dir(antiphon))
