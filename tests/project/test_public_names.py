"""What a package offers is what its `__all__` says, in order; growing it is a choice that shows in a diff."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import antiphon

PACKAGES = ["antiphon"] + [
    module.name
    for module in pkgutil.walk_packages(antiphon.__path__, "antiphon.")
    if module.ispkg and "static" not in module.name
]


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_sorted_and_complete(name: str) -> None:
    module = importlib.import_module(name)
    offered = list(getattr(module, "__all__", []))
    assert offered == sorted(offered, key=shelf)
    assert all(hasattr(module, word) for word in offered)
    assert not public(module) - set(offered), "public, but not in __all__"


def shelf(name: str) -> tuple[int, str]:
    """The order in which ruff sorts names: CONSTANTS, Classes, functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def public(module: ModuleType) -> set[str]:
    """Names of ours without an underscore that are not modules themselves."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and str(getattr(value, "__module__", "")).startswith("antiphon")
    }


@pytest.mark.parametrize("module", ["antiphon", "antiphon.client"])
def test_imports_without_extras_and_without_a_word(module: str, tmp_path: Path) -> None:
    """In a fresh interpreter: no warning, no output, none of the libraries that only extras bring."""
    extras = ("pydantic_ai", "mcp", "opentelemetry", "webview")
    code = f"import sys, {module}; print([name for name in {extras!r} if name in sys.modules])"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("[]", "", 0)


def test_the_client_does_not_load_the_server(tmp_path: Path) -> None:
    foreign = ("antiphon.server", "antiphon.hub", "fastapi", "uvicorn")
    code = f"import sys, antiphon.client; print([name for name in sys.modules if name.startswith({foreign!r})])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
