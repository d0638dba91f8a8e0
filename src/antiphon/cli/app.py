"""All commands, and how each ends: 0 done, 1 failed, 2 wrong use or settings, 3 no server."""

from __future__ import annotations

from typing import Annotated

import typer

import antiphon
from antiphon.cli import about, agents, channels, forum, processes, questions, run, runs, serve
from antiphon.cli.ending import calm

app = typer.Typer(
    name="antiphon",
    help="The real-time backbone and control room for AI agent systems.",
    epilog="Server to talk to: ANTIPHON_URL (http://127.0.0.1:8003), token: ANTIPHON_TOKEN. "
    "Exit status: 0 done, 1 failed, 2 wrong use or settings, 3 no server.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(calm(serve.serve))
# What follows the command belongs to the program that is run, options included.
app.command(context_settings={"allow_interspersed_args": False})(calm(run.run))
for command in (
    processes.ps,
    processes.start,
    processes.stop,
    processes.restart,
    agents.agents,
    agents.chat,
    agents.tools,
    channels.publish,
    channels.tail,
    about.config,
    about.token,
    about.doctor,
):
    app.command()(calm(command))
app.add_typer(runs.app)
app.add_typer(questions.app)
app.add_typer(forum.app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"antiphon {antiphon.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """The real-time backbone and control room for AI agent systems."""


def main() -> None:
    """Entry point of the command `antiphon`."""
    app()
