"""`antiphon runs`: see, follow, cancel and start what agents do."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.ending import calm
from antiphon.cli.options import AsJson, Labels, read_labels
from antiphon.errors import InputError

app = typer.Typer(name="runs", rich_markup_mode="rich")

RunId = Annotated[str, typer.Argument(metavar="ID", help="The run, as `antiphon runs` names it.")]


class Status(StrEnum):
    """What a run is doing, or how it ended."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


@app.callback(invoke_without_command=True)
@calm
def runs(
    context: typer.Context,
    status: Annotated[list[Status] | None, typer.Option(help="Only those with this status; may be repeated.")] = None,
    name: Annotated[str | None, typer.Option(help="Only those of this name.")] = None,
    by: Annotated[str | None, typer.Option(metavar="USER", help="Only those that this user started.")] = None,
    thread: Annotated[str | None, typer.Option(metavar="ID", help="Only those of this thread.")] = None,
    parent: Annotated[str | None, typer.Option(metavar="ID", help="Only the children of this run.")] = None,
    label: Labels = None,
    last: Annotated[int, typer.Option("-n", "--last", min=1, max=1000, help="At most so many.")] = 30,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Stay and show what changes, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the runs, the newest first: what they are doing, for whom, and why they ended.

    With --watch the table lives; together with --json there is one line for
    each row that is new or has changed.

    [bold]Examples[/bold]
    antiphon runs
    antiphon runs --status waiting --status running --watch
    antiphon runs --name research --label team=blue --json | jq '.[].run_id'
    antiphon runs show ID
    antiphon runs follow ID
    """
    if context.invoked_subcommand is not None:
        return
    from antiphon.cli.run_table import list_runs, watch_runs

    wanted = {
        "status": [str(one) for one in status or ()],
        "name": name,
        "by": by,
        "thread_id": thread,
        "parent_run_id": parent,
        "label": read_labels(label),
        "limit": last,
    }
    given = {key: value for key, value in wanted.items() if value}
    (watch_runs if watch else list_runs)(given, as_json=as_json)


@app.command()
@calm
def show(run_id: RunId, as_json: AsJson = False) -> None:
    """Show one run: its input, its result or why there is none, its children and open questions.

    [bold]Example[/bold]
    antiphon runs show ID --json | jq .result
    """
    from antiphon.cli.run_details import show_run

    show_run(run_id, as_json=as_json)


@app.command()
@calm
def follow(run_id: RunId, as_json: AsJson = False) -> None:
    """Show what a run has said and says, until it ends.

    Text, tools, logs, questions and progress, over lost connections. Exit
    status 0 if the run succeeded, otherwise 1; Ctrl-C leaves the run alone.

    [bold]Examples[/bold]
    antiphon runs follow ID
    antiphon runs follow ID --json | jq 'select(.type == "tool.end")'
    """
    from antiphon.cli.following import follow_run

    follow_run(run_id, as_json=as_json)


@app.command()
@calm
def cancel(
    run_id: RunId,
    reason: Annotated[str | None, typer.Option(help="Why, for those who look at it later.")] = None,
    as_json: AsJson = False,
) -> None:
    """Cancel a run and its children; says what has stopped and what is still stopping.

    Its outcome will be `cancelled` whatever its code does. Cancelling twice,
    or a run that has ended, changes nothing.

    [bold]Example[/bold]
    antiphon runs cancel ID --reason "wrong customer"
    """
    from antiphon.cli.run_control import cancel_run

    cancel_run(run_id, reason, as_json=as_json)


@app.command()
@calm
def start(
    name: Annotated[str, typer.Argument(help="What to start: the name of a runnable.")],
    input_: Annotated[str, typer.Option("--input", metavar="JSON|-", help="Its input; - reads standard input.")] = "",
    title: Annotated[str | None, typer.Option(help="What people shall see beside the name.")] = None,
    thread: Annotated[str | None, typer.Option(metavar="ID", help="The thread it belongs to.")] = None,
    label: Labels = None,
    and_follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay and show it, as `runs follow` does.")
    ] = False,
    with_me: Annotated[
        bool, typer.Option("--cancel-with-me", help="With --follow: cancel it if this command goes away.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start a runnable; prints the run's ID. It goes on without whoever asked.

    [bold]Examples[/bold]
    antiphon runs start research --input '{"q": "tea"}'
    antiphon runs start research --input '{"q": "tea"}' --follow
    antiphon runs result $(antiphon runs start count --input 5)
    """
    from antiphon.cli.run_control import start_run

    if with_me and not and_follow:
        raise InputError("--cancel-with-me needs --follow: without it this command goes away at once")
    wanted = {"name": name, "title": title, "thread_id": thread, "labels": read_labels(label)}
    if with_me:
        wanted["on_disconnect"] = "cancel"
    start_run({key: value for key, value in wanted.items() if value}, input_, follow=and_follow, as_json=as_json)


@app.command()
@calm
def result(
    run_id: RunId,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0, help="Wait at most so long for its end (default: for ever)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Wait for a run's end and print its result as JSON.

    Exit status 1, and the reason on standard error, if it did not succeed;
    --json prints status, result and error instead.

    [bold]Example[/bold]
    antiphon runs result ID --timeout 60 > answer.json
    """
    from antiphon.cli.run_control import print_result

    print_result(run_id, timeout, as_json=as_json)


@app.command()
@calm
def export(
    run_id: RunId,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Where to write it; - is standard output.")],
) -> None:
    """Write a run with everything it said into one file (lines of JSON).

    [bold]Example[/bold]
    antiphon runs export ID run.ndjson
    """
    from antiphon.cli.run_files import export_run

    export_run(run_id, file)


@app.command("import")
@calm
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `antiphon runs export` wrote.")],
    as_json: AsJson = False,
) -> None:
    """Take in an exported run to look at it here; prints its new ID.

    [bold]Example[/bold]
    antiphon runs import run.ndjson
    """
    from antiphon.cli.run_files import import_run

    import_run(file, as_json=as_json)
