"""`antiphon agents`, `antiphon chat` and `antiphon tools`."""

from __future__ import annotations

from typing import Annotated

import typer

from antiphon.cli.options import AsJson


def agents(as_json: AsJson = False) -> None:
    """Show the agents that one may ask, with their models and tools.

    [bold]Examples[/bold]
    antiphon agents
    antiphon agents --json | jq '.[].tools[].name'
    """
    from antiphon.cli.agent_table import list_agents

    list_agents(as_json=as_json)


def tools(as_json: AsJson = False) -> None:
    """Show the tools that agents and programs may call, and where they come from.

    [bold]Example[/bold]
    antiphon tools --json | jq '.[] | {name, parameters}'
    """
    from antiphon.cli.agent_table import list_tools

    list_tools(as_json=as_json)


def chat(
    agent: Annotated[str | None, typer.Argument(help="Whom to ask (default: `assistant`, or the only one).")] = None,
    thread: Annotated[str | None, typer.Option(metavar="ID", help="Go on in this conversation.")] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="One of the agent's models.")] = None,
    once: Annotated[
        str | None, typer.Option(metavar="QUESTION|-", help="Ask this, print the answer, and end; - reads it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Talk with an agent; its answer is shown as it grows.

    Ctrl-C stops an answer, a second one leaves, and so does Ctrl-D. Questions
    that the agent asks (may this tool be called?) are put to you. Without a
    terminal each line of standard input is a question.

    With --once only the answer goes to standard output; exit status 1 if there
    is none. With --json there is one line for each answer: its text, result,
    status, run and thread.

    [bold]Examples[/bold]
    antiphon chat
    antiphon chat assistant --thread ID
    antiphon chat --once "What is 17 * 23?"
    antiphon chat --once - --json < question.txt | jq -r .text
    """
    from antiphon.cli.chatting import chat_with

    chat_with(agent, thread, model, once, as_json=as_json)
