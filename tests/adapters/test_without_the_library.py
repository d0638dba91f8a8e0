"""The package does not need the libraries, and says which one an adapter needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

NEEDS = {
    "langgraph": ("langgraph", "pip install langgraph"),
    "openai_agents": ("agents", "pip install openai-agents"),
    "pydantic_ai": ("pydantic_ai", "pip install 'antiphon[agents]'"),
}


def python(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("adapter", NEEDS)
def test_a_missing_library_is_named_with_its_remedy(adapter: str) -> None:
    library, remedy = NEEDS[adapter]
    printed = python(
        "import sys\n"
        f"sys.modules[{library!r}] = None\n"
        "try:\n"
        f"    import antiphon.adapters.{adapter}\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    assert f"antiphon.adapters.{adapter} needs" in printed
    assert remedy in printed


def test_nothing_is_loaded_unasked() -> None:
    printed = python("import sys, antiphon, antiphon.adapters\nprint([*sys.modules])")
    assert not any(f"'{library}'" in printed for library, _ in NEEDS.values())
