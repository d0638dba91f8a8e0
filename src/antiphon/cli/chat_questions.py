"""Questions of an agent, put to the person who talks with it."""

from __future__ import annotations

from typing import Any

import orjson

from antiphon import Live
from antiphon.cli.answering import answer_params
from antiphon.cli.ending import say
from antiphon.cli.output import safe
from antiphon.errors import InputError


def ask_person(live: Live, question: dict[str, Any]) -> None:
    """Read an answer and give it; what does not fit is asked again. Ctrl-D leaves it to others.

    Raises:
        AlreadyAnswered, QuestionWithdrawn: It is not open any more.
    """
    if question.get("value") is not None:
        print(f"  {safe(orjson.dumps(question['value']).decode())}")
    while True:
        try:
            typed = input(_prompt(question)).strip()
        except EOFError:
            print()
            say(f"left open: antiphon questions answer {question['question_id']} ...")
            return
        try:
            live.request("question.answer", {"question_id": question["question_id"], **_params(question, typed)})
        except InputError as exc:
            say(exc.message)
        else:
            return


def _prompt(question: dict[str, Any]) -> str:
    if question["kind"] == "approval":
        return "  approve? [y / n REASON / JSON to change it] "
    options = " / ".join(str(option["value"]) for option in question.get("options") or [])
    return f"  [{options}] " if options else "  "


def _params(question: dict[str, Any], typed: str) -> dict[str, Any]:
    """Raises InputError."""
    if question["kind"] != "approval":
        return answer_params(question, None, typed)
    word, _, rest = typed.partition(" ")
    if word.lower() in ("y", "yes"):
        return answer_params(question, "approve", None)
    if word.lower() in ("n", "no"):
        return answer_params(question, "reject", rest.strip() or None)
    if not typed.startswith(("{", "[")):
        raise InputError("say y, n with a reason if you like, or the changed JSON")
    return answer_params(question, "edit", typed)
