"""`antiphon run`: a program in this terminal, whose lines are in the control room too."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.ending import say
from antiphon.cli.options import ConfigFile, Data
from antiphon.errors import AntiphonError, ConnectionFailed, InputError, StorageFailed


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")],
    name: Annotated[str | None, typer.Option(help="Name in the control room (default: the program's).")] = None,
    data: Data = None,
    config: ConfigFile = None,
) -> None:
    """Run a program here and show it in the control room too.

    Its output comes to this terminal and to the channel log:NAME; a name
    that is taken gets a number. The exit status is the program's (128 +
    signal if one ended it, 127 if there is no such program), and signals are
    passed on. The program goes on if the server stops, and no line is lost
    if there is none: the next server takes them in.

    [bold]Examples[/bold]
    antiphon run -- python train.py --epochs 3
    antiphon run --name nightly -- make report
    """
    name = _name(name, command[0])
    root = _data_directory(data, config) / "processes"
    from antiphon.services.processes.directories import create_run
    from antiphon.services.processes.shimlink import Spec, exec_in_terminal

    try:
        directory = create_run(root, name)
        spec = Spec(tuple(command), cwd=str(Path.cwd()), env=dict(os.environ))
        exec_in_terminal(directory.path, spec)
    except OSError as exc:
        raise StorageFailed(f"cannot keep the program's lines in {root}: {exc.strerror or exc}") from exc


def _name(given: str | None, program: str) -> str:
    """The given name if a process can have it, else one made from the program's."""
    from antiphon.services.names import NAME_PATTERN

    if given is None:
        return re.sub(r"[^A-Za-z0-9_.~-]", "-", Path(program).name).lstrip(".~-")[:64] or "program"
    if not re.fullmatch(NAME_PATTERN, given):
        raise InputError(f"{given!r} is no name of a process: 1 to 64 of A-Z a-z 0-9 _ . ~ -, none of . ~ - first")
    return given


def _data_directory(data: Path | None, config: Path | None) -> Path:
    """Where the server that one talks to keeps its data; without one, where the settings say it would."""
    from antiphon.cli.server_info import ask_server
    from antiphon.client.address import find_address

    if data is not None:
        return data.absolute()
    address = find_address(None, None)
    try:
        told = ask_server(address).get("data") if address.is_loopback else None
        problem = f"{address.url} does not say where this machine keeps its data"
    except ConnectionFailed as exc:
        told, problem = None, f"{exc.message}; to watch this program: antiphon serve"
    except AntiphonError as exc:
        told, problem = None, exc.message
    if told is not None and Path(told).is_dir():
        return Path(told)
    return _from_settings(config, problem)


def _from_settings(config: Path | None, problem: str) -> Path:
    from antiphon.server.settings import load  # only where nobody can be asked: it takes longer

    directory = load(config, {}, os.environ).settings.server.data.absolute()
    say(f"{problem} (lines are kept in {_short(directory)})")
    sys.stderr.flush()
    return directory


def _short(path: Path) -> str:
    here = Path.cwd()
    return f"./{path.relative_to(here)}" if path.is_relative_to(here) else str(path)
