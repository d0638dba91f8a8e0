"""`antiphon ps`, `start`, `stop`, `restart`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.ending import say, status_of
from antiphon.cli.options import AsJson
from antiphon.cli.output import STATUS_STYLES, duration, print_json, safe, size
from antiphon.errors import AntiphonError, ConnectionLost

if TYPE_CHECKING:
    from antiphon.client import Live, Process

Names = Annotated[list[str], typer.Argument(metavar="NAME", help="Processes, as `antiphon ps` names them.")]


def ps(as_json: AsJson = False) -> None:
    """Show the processes: what runs, what it uses, and why the rest does not.

    [bold]Examples[/bold]
    antiphon ps
    antiphon ps --json | jq 'keys'
    """
    with _connected() as live:
        if as_json:
            print_json(live.state("processes").value)
            return
        table = live.processes()
    if table:
        _print_table(table)
    else:
        say("there are no processes: name some in antiphon.toml, or use `antiphon run -- COMMAND`")


def start(names: Names) -> None:
    """Start processes; those that run already are left alone.

    [bold]Example[/bold]
    antiphon start indexer gauge
    """
    _each(names, lambda live: live.process_start)


def stop(names: Names) -> None:
    """Stop processes with all that they started; returns when they are gone.

    [bold]Example[/bold]
    antiphon stop indexer
    """
    _each(names, lambda live: live.process_stop)


def restart(names: Names) -> None:
    """Stop processes if they run, and start them.

    [bold]Example[/bold]
    antiphon restart indexer
    """
    _each(names, lambda live: live.process_restart)


def _connected() -> Any:
    import antiphon

    return antiphon.connect(first_connection_s=0)


def _each(names: list[str], choose: Callable[[Live], Callable[[str], Process]]) -> None:
    """Do it for one after the other; the last failure decides how the command ends."""
    failure: AntiphonError | None = None
    with _connected() as live:
        act = choose(live)
        for name in names:
            try:
                process = act(name)
            except ConnectionLost:
                raise
            except AntiphonError as exc:
                failure = exc
                say(f"{name}: {exc.message}")
            else:
                typer.echo(f"{name}: {_in_words(process)}")
    if failure is not None:
        raise typer.Exit(status_of(failure))


def _in_words(process: Process) -> str:
    pid = f" (pid {process.pid})" if process.pid is not None else ""
    reason = f": {safe(process.reason)}" if process.reason else ""
    return f"{process.status}{pid}{reason}"


def _print_table(processes: dict[str, Process]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("NAME", "STATUS"):
        table.add_column(title, no_wrap=True)
    for title in ("PID", "UPTIME", "CPU", "MEMORY", "RESTARTS"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("REASON", overflow="fold")
    for name, process in sorted(processes.items()):
        status = Text(process.status, style=STATUS_STYLES.get(process.status, ""))
        table.add_row(name, status, *_figures(process), Text(safe(process.reason or "")))
    Console(soft_wrap=False).print(table)


def _figures(process: Process) -> list[str]:
    alive = process.pid is not None and process.ended_at is None and process.started_at is not None
    uptime = duration(datetime.now(UTC) - process.started_at) if alive and process.started_at else ""
    cpu = "" if process.cpu_percent is None else f"{process.cpu_percent:.0f} %"
    pid = "" if process.pid is None else str(process.pid)
    return [pid, uptime, cpu, size(process.memory_bytes), str(process.restarts or "")]
