"""`antiphon run`: a program in this terminal, which is a run in the control room."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from antiphon.cli.ending import say
from antiphon.cli.options import ConfigFile, Data, Labels
from antiphon.errors import AntiphonError, ConnectionFailed, InputError, StorageFailed

if TYPE_CHECKING:
    from antiphon.client.address import Address


class Place(NamedTuple):
    """Where lines are kept, and the server that takes them from there now; None = nobody yet."""

    data: Path
    address: Address | None


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")],
    name: Annotated[str | None, typer.Option(help="Name in the control room (default: the program's).")] = None,
    title: Annotated[str | None, typer.Option(help="What people shall see beside the name.")] = None,
    thread: Annotated[str | None, typer.Option(metavar="ID", help="The thread it belongs to.")] = None,
    label: Labels = None,
    as_run: Annotated[bool, typer.Option("--run/--no-run", help="Make it a run, or only keep its lines.")] = True,
    data: Data = None,
    config: ConfigFile = None,
) -> None:
    """Run a program here and show it in the control room too.

    Its output comes to this terminal, to the channel log:NAME and, as it is a
    run, to the page of that; a name that is taken gets a number. Cancelling the
    run stops the program with all that it started. The exit status is the
    program's (128 + signal if one ended it, 127 if there is no such program),
    and signals are passed on. The program goes on if the server stops, and no
    line is lost if there is none: the next server takes them in.

    The program finds ANTIPHON_URL, ANTIPHON_RUN_ID and ANTIPHON_TOKEN (good
    for this run only) in its environment. A line like
    {"antiphon": "run.progress", "progress": 0.5} on its standard output is
    taken for what it says instead of for a line.

    [bold]Examples[/bold]
    antiphon run -- python train.py --epochs 3
    antiphon run --name nightly --label team=blue -- make report
    """
    name = _name(name, command[0])
    place = _place(data, config)
    from antiphon.cli.wrapping import without_run, wrap
    from antiphon.services.processes.directories import create_run
    from antiphon.services.processes.shimlink import Spec, exec_in_terminal

    wrapped = wrap(name, title, thread, label, place.address) if as_run else without_run()
    root = place.data / "processes"
    try:
        directory = create_run(root, name, wrapped.ticket)
        spec = Spec(tuple(command), cwd=str(Path.cwd()), env=wrapped.environment)
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


def _place(data: Path | None, config: Path | None) -> Place:
    """Where the server that one talks to keeps its data; without one, where the settings say it would."""
    from antiphon.cli.server_info import ask_server
    from antiphon.client.address import find_address

    address = find_address(None, None)
    try:
        told = ask_server(address).get("data") if address.is_loopback else None
        problem = f"{address.url} does not say where this machine keeps its data"
    except ConnectionFailed as exc:
        told, problem = None, f"{exc.message}; to watch this program: antiphon serve"
    except AntiphonError as exc:
        told, problem = None, exc.message
    if data is not None:
        is_same = told is not None and data.is_dir() and Path(told).is_dir() and data.samefile(told)
        return Place(data.absolute(), address if is_same else None)
    if told is not None and Path(told).is_dir():
        return Place(Path(told), address)
    return Place(_from_settings(config, problem), None)


def _from_settings(config: Path | None, problem: str) -> Path:
    from antiphon.server.settings import load  # only where nobody can be asked: it takes longer

    directory = load(config, {}, os.environ).settings.server.data.absolute()
    say(f"{problem} (lines are kept in {_short(directory)})")
    sys.stderr.flush()
    return directory


def _short(path: Path) -> str:
    here = Path.cwd()
    return f"./{path.relative_to(here)}" if path.is_relative_to(here) else str(path)
