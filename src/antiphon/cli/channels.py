"""`antiphon publish` and `antiphon tail`."""

from __future__ import annotations

from typing import Annotated

import typer

from antiphon.cli.options import AsJson
from antiphon.errors import InputError


def publish(
    channel: Annotated[str, typer.Argument(help="The channel, e.g. news:tea.")],
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="The event's type, e.g. speech.")],
    data: Annotated[str, typer.Argument(metavar="DATA|-", help="JSON, or - for one value per line of standard input.")],
    key: Annotated[str | None, typer.Option(help="Idempotency key: a retry appends nothing twice.")] = None,
) -> None:
    """Append events to a channel; prints the cursor of each once it is on disk.

    With - there is one event per line of standard input, in order. With --key
    as well the keys are KEY-1, KEY-2, and so on: after a failure the same
    input may be sent again, and nothing is there twice.

    [bold]Examples[/bold]
    antiphon publish news:tea speech '{"text": "hi"}'
    antiphon publish jobs done '"nightly"' --key nightly-2026-10-15
    jq -c '.[]' plan.json | antiphon publish plan step - --key plan-7
    """
    from antiphon.cli.publishing import publish_one, publish_stream

    if data == "-":
        publish_stream(channel, type_, key)
    else:
        publish_one(channel, type_, data, key)


def tail(
    channels: Annotated[list[str], typer.Argument(metavar="CHANNEL", help="Channels, e.g. log:indexer.")],
    after: Annotated[
        str | None, typer.Option(metavar="PLACE", help="start, now (default), or a cursor EPOCH:OFFSET.")
    ] = None,
    last: Annotated[int | None, typer.Option("-n", "--last", min=0, help="Begin with the last N events.")] = None,
    follow: Annotated[bool, typer.Option(help="Go on with what comes, or end there.")] = True,
    as_json: AsJson = False,
) -> None:
    """Show what channels hold and what comes, until Ctrl-C.

    Lines of programs are shown as lines, other events as JSON; --json gives
    one event per line with its cursor. It goes on over lost connections; what
    is missing is said on standard error.

    [bold]Examples[/bold]
    antiphon tail log:indexer log:gauge
    antiphon tail log:indexer -n 100
    antiphon tail news:tea --after start --no-follow --json | jq .data
    """
    from antiphon.cli.tailing import show

    if after is not None and last is not None:
        raise InputError("--after and -n both say where to begin: give one of them")
    show(channels, after, last, follow=follow, as_json=as_json)
