"""What each kind of question accepts as its answer. Plain rules over a question's row."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from antiphon.errors import InvalidParams
from antiphon.hub.patch import equal
from antiphon.services.schemas import check_value


class Kind(StrEnum):
    CHOICE = "choice"  # one of the options
    FORM = "form"  # a value that fits the schema
    APPROVAL = "approval"  # approve a value, edit it, or reject it
    TEXT = "text"  # any text


class Action(StrEnum):
    ANSWER = "answer"
    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"


ACTIONS: dict[Kind, tuple[Action, ...]] = {  # the first one holds where no action is named, except for approvals
    Kind.CHOICE: (Action.ANSWER,),
    Kind.FORM: (Action.ANSWER, Action.REJECT),
    Kind.APPROVAL: (Action.APPROVE, Action.EDIT, Action.REJECT),
    Kind.TEXT: (Action.ANSWER,),
}


class Reply(NamedTuple):
    """An answer that fits its question."""

    action: Action
    answer: Any  # approve: the value as it was shown; edit: as it was changed; reject: a reason, or None


def reply_to(question: Mapping[str, Any], action: str | None, answer: Any) -> Reply:
    """Check somebody's answer. Raises InvalidParams with a pointer to what does not fit."""
    return _reply(question, _action(question, action), answer, at="/params/answer")


def default_reply(question: Mapping[str, Any]) -> Reply:
    """What a question's stated default says.

    A value that an answer could have. Where a question can be rejected also "reject", where it can be approved also
    "approve", and for an approval any answer as `{action, answer?}`.
    Raises:
        InvalidParams: It does not fit; `.pointer` begins with "/params/default".
    """
    default, at = question["default"], "/params/default"
    if question["kind"] == Kind.APPROVAL:
        return _default_approval(question, default, at)
    try:
        return _reply(question, Action.ANSWER, default, at=at)
    except InvalidParams:
        if question["kind"] == Kind.FORM and default == Action.REJECT:
            return Reply(Action.REJECT, None)
        raise


def _default_approval(question: Mapping[str, Any], default: Any, at: str) -> Reply:
    if default in (Action.APPROVE.value, Action.REJECT.value):
        return _reply(question, Action(default), None, at=at)
    if not isinstance(default, dict) or not default.keys() <= {"action", "answer"} or "action" not in default:
        raise InvalidParams('the default of an approval is "approve", "reject" or {action, answer}', pointer=at)
    if default["action"] not in ACTIONS[Kind.APPROVAL]:
        raise InvalidParams("an approval takes approve, edit or reject", pointer=f"{at}/action")
    return _reply(question, Action(default["action"]), default.get("answer"), at=f"{at}/answer")


def _action(question: Mapping[str, Any], action: str | None) -> Action:
    kind = Kind(question["kind"])
    allowed = ACTIONS[kind]
    if action is None and kind is not Kind.APPROVAL:
        return allowed[0]
    if action not in allowed:
        raise InvalidParams(
            f"a question of kind {kind} takes the action {' or '.join(allowed)}", pointer="/params/action"
        )
    return Action(action)


def _reply(question: Mapping[str, Any], action: Action, answer: Any, *, at: str) -> Reply:
    match action:
        case Action.ANSWER:
            _check_answer(question, answer, at)
        case Action.APPROVE:
            answer = _approved(question, answer, at)
        case Action.EDIT:
            _check_edited(question, answer, at)
        case Action.REJECT if not (answer is None or isinstance(answer, str)):
            raise InvalidParams("the reason of a rejection is a text, or null", pointer=at)
        case _:
            pass
    return Reply(action, answer)


def _check_answer(question: Mapping[str, Any], answer: Any, at: str) -> None:
    match Kind(question["kind"]):
        case Kind.CHOICE if not any(equal(answer, option["value"]) for option in question["options"]):
            raise InvalidParams("the answer is none of the options", pointer=at)
        case Kind.TEXT if not isinstance(answer, str):
            raise InvalidParams("the answer to this question is a text", pointer=at)
        case Kind.FORM | Kind.TEXT if question["schema"] is not None:
            check_value(question["schema"], answer, at=at)
        case Kind.APPROVAL:
            raise InvalidParams("an approval takes approve, edit or reject", pointer=at)
        case _:
            pass


def _approved(question: Mapping[str, Any], answer: Any, at: str) -> Any:
    if answer is not None and not equal(answer, question["value"]):
        raise InvalidParams("this is not what was to be approved; use the action edit to change it", pointer=at)
    return question["value"]


def _check_edited(question: Mapping[str, Any], answer: Any, at: str) -> None:
    if question["value"] is None and question["schema"] is None:
        raise InvalidParams("there is nothing to edit: approve or reject", pointer=at)
    if question["schema"] is not None:
        check_value(question["schema"], answer, at=at)
