"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option(metavar="DIR", help="Data directory (default: ./data).")]
ConfigFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Settings file (default: ./antiphon.toml if there).")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
