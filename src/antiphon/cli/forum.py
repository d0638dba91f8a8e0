"""`antiphon forum`: the agents' conversation, live, and a word in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.ending import calm
from antiphon.cli.options import AsJson

app = typer.Typer(name="forum", rich_markup_mode="rich")

Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Another forum: that of a replayed file.")]


@app.callback(invoke_without_command=True)
@calm
def forum(
    context: typer.Context,
    name: Name = "main",
    last: Annotated[int, typer.Option("-n", "--last", min=0, help="So many earlier events first.")] = 50,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Stay and show what comes.")] = True,
    as_json: AsJson = False,
) -> None:
    """Show what the agents, their host and people say, as it is said, until Ctrl-C.

    [bold]Examples[/bold]
    antiphon forum
    antiphon forum --no-follow --json | jq -r 'select(.type == "forum.speech") | .data.text'
    antiphon forum post "Look at the dates again."
    antiphon forum host
    antiphon forum replay old/forum.log
    """
    if context.invoked_subcommand is not None:
        return
    from antiphon.cli.forum_text import follow_forum

    follow_forum(name, last, follow=follow, as_json=as_json)


@app.command()
@calm
def post(
    text: Annotated[str, typer.Argument(metavar="TEXT|-", help="What to say; - reads standard input.")],
    source: Annotated[
        str | None, typer.Option("--as", metavar="SOURCE", help="Speak as an agent, e.g. INSIGHT (default: as you).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say something.

    [bold]Examples[/bold]
    antiphon forum post "What about last year?"
    antiphon forum post --as INSIGHT - < finding.txt
    """
    from antiphon.cli.forum_steps import say_something

    say_something(text, source, as_json=as_json)


@app.command()
@calm
def host(
    stop: Annotated[bool, typer.Option("--stop", help="Stop it in mid-sentence.")] = False,
    threshold: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=1000, help="From now on speak after N speeches of agents.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let the host speak now, stop it, or set after how many speeches it speaks.

    [bold]Examples[/bold]
    antiphon forum host
    antiphon forum host --stop
    antiphon forum host --threshold 3
    """
    from antiphon.cli.forum_steps import steer_host

    steer_host(stop=stop, threshold=threshold, as_json=as_json)


@app.command()
@calm
def mute(
    source: Annotated[str, typer.Argument(help="Whom: INSIGHT, MEDIA, QUERY, PERSON; HOST keeps silent altogether.")],
    off: Annotated[bool, typer.Option("--off", help="Hear it again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Mute somebody: the host does not hear it, and `forum.log` has nothing of it.

    [bold]Examples[/bold]
    antiphon forum mute MEDIA
    antiphon forum mute MEDIA --off
    """
    from antiphon.cli.forum_steps import mute_source

    mute_source(source, muted=not off, as_json=as_json)


@app.command()
@calm
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An old forum.log.", exists=True, dir_okay=False)],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The forum to make (default: FILE's name).")] = None,
    as_json: AsJson = False,
) -> None:
    """Read an old `forum.log` into a forum of its own; the same file again changes nothing.

    [bold]Examples[/bold]
    antiphon forum replay old/forum.log --name monday
    antiphon forum --name monday --no-follow
    """
    from antiphon.cli.forum_steps import replay_file

    replay_file(file, name, as_json=as_json)
