"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.errors import InputError

Data = Annotated[Path | None, typer.Option(metavar="DIR", help="Data directory (default: ./data).")]
ConfigFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Settings file (default: ./antiphon.toml if there).")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
Labels = Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A label; may be repeated.")]


def read_labels(given: list[str] | None) -> dict[str, str]:
    """`["team=blue"]` as a dictionary. Raises InputError."""
    found: dict[str, str] = {}
    for text in given or []:
        key, is_pair, value = text.partition("=")
        if not is_pair or not key:
            raise InputError(f"--label {text!r} is not KEY=VALUE")
        found[key] = value
    return found
