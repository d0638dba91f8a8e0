"""`antiphon questions`: what runs ask of people."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from antiphon.cli.ending import calm
from antiphon.cli.options import AsJson
from antiphon.errors import InputError

app = typer.Typer(name="questions", rich_markup_mode="rich")

Run = Annotated[str | None, typer.Option("--run", metavar="ID", help="Only those of this run.")]
Status = Literal["open", "answered", "withdrawn"]


@app.callback(invoke_without_command=True)
@calm
def questions(
    context: typer.Context,
    run: Run = None,
    status: Annotated[Status, typer.Option(help="Which ones.")] = "open",
    by: Annotated[
        str | None,
        typer.Option(metavar="USER", help="Only those of runs that this user started, or that this user answered."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what runs ask of people, the most urgent first, with what happens if nobody answers.

    [bold]Examples[/bold]
    antiphon questions
    antiphon questions --status answered --by ann --json
    antiphon questions answer ID yes
    """
    if context.invoked_subcommand is not None:
        return
    from antiphon.cli.question_table import list_questions

    wanted = {"run_id": run, "status": status, "by": by}
    list_questions({key: value for key, value in wanted.items() if value}, as_json=as_json)


@app.command()
@calm
def answer(
    question_id: Annotated[str, typer.Argument(metavar="ID", help="The question, as `antiphon questions` names it.")],
    value: Annotated[
        str | None,
        typer.Argument(metavar="VALUE|-", help="An option or a text; JSON for a form; - reads standard input."),
    ] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Approve it as it is.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Reject it; VALUE may say why.")] = False,
    edit: Annotated[str | None, typer.Option(metavar="JSON|-", help="Approve it with this instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question. The first answer counts; a later one is told who was first.

    [bold]Examples[/bold]
    antiphon questions answer ID staging
    antiphon questions answer ID '{"name": "Ann", "count": 3}'
    antiphon questions answer ID --approve
    antiphon questions answer ID --reject "not on a Friday"
    antiphon questions answer ID --edit '{"amount": 10}'
    """
    from antiphon.cli.answering import answer_question

    if approve + reject + (edit is not None) > 1:
        raise InputError("--approve, --reject and --edit exclude each other")
    if value is not None and (approve or edit is not None):
        raise InputError("VALUE goes alone or with --reject")
    action = "approve" if approve else "reject" if reject else "edit" if edit is not None else None
    answer_question(question_id, action, edit if edit is not None else value, as_json=as_json)


@app.command()
@calm
def watch(run: Run = None, as_json: AsJson = False) -> None:
    """Stay and show the open questions as they come and go, until Ctrl-C.

    With --json there is one line for each question that is new or has changed.

    [bold]Examples[/bold]
    antiphon questions watch
    antiphon questions watch --json | jq -r 'select(.status == "open") | .prompt'
    """
    from antiphon.cli.question_table import watch_questions

    watch_questions({"run_id": run} if run else {}, as_json=as_json)
