"""Answer a question from the command line."""

from __future__ import annotations

from typing import Any

import orjson
import typer

import antiphon
from antiphon.cli.json_input import decode, given_or_read
from antiphon.cli.output import print_json
from antiphon.errors import InputError


def answer_question(question_id: str, action: str | None, text: str | None, *, as_json: bool) -> None:
    """Give an answer and say what it was taken for.

    Raises:
        InputError: It does not fit the question; the message says what would.
        AlreadyAnswered: Somebody else was first.
    """
    given = None if text is None else given_or_read(text)
    with antiphon.connect(first_connection_s=0) as live:
        question = live.request("question.get", {"question_id": question_id})["question"]
        params = {"question_id": question_id, **answer_params(question, action, given)}
        answered = live.request("question.answer", params)["question"]
    if as_json:
        print_json(answered)
        return
    word = "answered" if answered["action"] in (None, "answer") else answered["action"]
    said = "" if answered["answer"] is None else f" {orjson.dumps(answered['answer']).decode()}"
    typer.echo(f"{question_id}: {word}{said}")


def answer_params(question: dict[str, Any], action: str | None, text: str | None) -> dict[str, Any]:
    """What somebody chose or typed as the parameters of `question.answer`. Raises InputError."""
    match action:
        case "approve":
            return {"action": action}
        case "reject":
            return {"action": action, **({} if text is None else {"answer": text})}
        case "edit":
            return {"action": action, "answer": decode(text or "", "--edit")}
    if question["kind"] == "approval":
        raise InputError("this is an approval: answer with --approve, --edit JSON or --reject")
    if text is None:
        raise InputError(f"an answer is missing: {_what_fits(question)}")
    return {"answer": _value(question, text)}


def _value(question: dict[str, Any], text: str) -> Any:
    """What somebody typed as the value that the question wants."""
    if question.get("options"):
        return _option(question["options"], text)
    if question["kind"] == "form" or question.get("schema"):
        return decode(text, "VALUE")
    return text


def _option(options: list[dict[str, Any]], text: str) -> Any:
    """The option that was meant: its value, its value as JSON, or its label; else the text, to be refused."""
    for option in options:
        if text in (option["value"], orjson.dumps(option["value"]).decode()):
            return option["value"]
    return next((option["value"] for option in options if option.get("label") == text), text)


def _what_fits(question: dict[str, Any]) -> str:
    if question.get("options"):
        return " or ".join(str(option["value"]) for option in question["options"])
    return "JSON of its form" if question.get("schema") else "any text"
