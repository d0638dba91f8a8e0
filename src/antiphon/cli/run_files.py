"""Runs as files: lines of JSON, a head and then everything the run said."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import typer

from antiphon.cli.ending import say
from antiphon.cli.http import exchange, pieces
from antiphon.cli.output import print_json
from antiphon.client.address import find_address
from antiphon.errors import InputError, StorageFailed

TRANSFER_S = 60.0  # without a byte


def export_run(run_id: str, target: str) -> None:
    """Write a run to a file; the file is there once it is whole. Raises NotFound, StorageFailed."""
    address = find_address(None, None)
    path = f"/api/runs/{quote(run_id, safe='')}/export"
    with exchange(address, path, None, headers={}, timeout_s=TRANSFER_S) as answer:
        if target == "-":
            for piece in pieces(answer, address):
                sys.stdout.buffer.write(piece)
            return
        try:
            _write(Path(target), pieces(answer, address))
        except OSError as exc:
            raise StorageFailed(f"{target} cannot be written: {exc.strerror or exc}") from exc
    say(f"{run_id} is in {target} ({Path(target).stat().st_size} bytes)")


def _write(target: Path, content: Iterable[bytes]) -> None:
    part = target.with_name(f"{target.name}.part")
    with part.open("wb") as file:
        file.writelines(content)
    part.replace(target)


def import_run(source: Path, *, as_json: bool) -> None:
    """Take in an exported run and print its new id. Raises InputError, which names what is wrong with the file."""
    try:
        with source.open("rb") as file:
            made = _send(file, source.stat().st_size)
    except OSError as exc:
        raise InputError(f"{source} cannot be read: {exc.strerror or exc}") from exc
    if as_json:
        print_json(made)
    else:
        typer.echo(made["run_id"])


def _send(file: BinaryIO, size: int) -> dict[str, Any]:
    address = find_address(None, None)
    headers = {"Content-Type": "application/x-ndjson", "Content-Length": str(size)}
    with exchange(address, "/api/runs/import", file, headers=headers, timeout_s=TRANSFER_S) as answer:
        made: dict[str, Any] = json.loads(b"".join(pieces(answer, address)))
    return made
