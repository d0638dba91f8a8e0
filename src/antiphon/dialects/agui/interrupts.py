"""Questions as AG-UI interrupts, and what `resume[]` says as answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from antiphon.dialects.agui.input import ResumeEntry

Said = dict[str, Any]
REASONS = {"approval": "confirmation", "choice": "input_required", "form": "input_required", "text": "input_required"}
APPROVAL: Said = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean"},
        "editedArgs": {"description": "what is approved instead"},
        "reason": {"type": "string", "description": "why it is not approved"},
    },
    "required": ["approved"],
}


class Reply(NamedTuple):
    """What a question is answered with; `withdraws` where there is no answer to it."""

    answer: Any = None
    action: str | None = None
    withdraws: bool = False


def interrupt_of(question: Mapping[str, Any], tool_call_id: str | None) -> Said:
    """A question, as the data of its event."""
    kind = question["kind"]
    shown = {name: question[name] for name in ("details", "options", "value", "default", "schema") if name in question}
    found: Said = {
        "id": question["question_id"],
        "reason": REASONS.get(kind, "input_required") if tool_call_id is None else "tool_call",
        "message": question["prompt"],
        "responseSchema": _schema(question),
        "metadata": {"antiphon": {"kind": kind, **shown}},
    }
    if tool_call_id is not None:
        found["toolCallId"] = tool_call_id
    if question.get("deadline") is not None:
        found["expiresAt"] = question["deadline"]
    return found


def _schema(question: Mapping[str, Any]) -> Said:
    match question["kind"]:
        case "approval":
            edited = question.get("schema") or APPROVAL["properties"]["editedArgs"]
            return {**APPROVAL, "properties": {**APPROVAL["properties"], "editedArgs": edited}}
        case "choice":
            return {"enum": [option["value"] for option in question.get("options") or []]}
        case _:
            return question.get("schema") or {"type": "string"}


def reply_of(question: Mapping[str, Any], entry: ResumeEntry) -> Reply:
    """What a client's answer to an interrupt is for the question; whether it fits is the question's business.

    A cancelled one is a rejection where the question knows rejections, and withdraws it elsewhere.
    """
    kind, payload = question["kind"], entry.payload
    if entry.status == "cancelled":
        return Reply(action="reject") if kind in ("approval", "form") else Reply(withdraws=True)
    if kind != "approval":
        return Reply(payload)
    if isinstance(payload, bool):
        return Reply(action="approve" if payload else "reject")
    if not isinstance(payload, dict):
        return Reply(payload)  # refused: an approval names its action
    if payload.get("approved") is True:
        edited = payload.get("editedArgs")
        return Reply(action="approve") if edited is None else Reply(edited, "edit")
    if payload.get("approved") is False:
        return Reply(payload.get("reason") or None, "reject")
    return Reply(payload.get("answer"), payload.get("action"))
