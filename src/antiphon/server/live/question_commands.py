"""Questions, as clients may ask and answer them."""

from __future__ import annotations

from typing import Any

from antiphon.server.access import User, require
from antiphon.server.core import Core
from antiphon.server.live.question_params import (
    QuestionAnswerParams,
    QuestionAskParams,
    QuestionListParams,
    QuestionParams,
    QuestionWithdrawParams,
)
from antiphon.services.questions import NewQuestion
from antiphon.services.runs import run_channel


async def ask(core: Core, user: User, wanted: QuestionAskParams) -> dict[str, Any]:
    if wanted.lease is None:
        require(user, "publish", run_channel(wanted.run_id))
    asked = await core.questions.ask(wanted.run_id, _new(wanted), by=user.name, lease=wanted.lease)
    return asked._asdict()


async def answer(core: Core, user: User, wanted: QuestionAnswerParams) -> dict[str, Any]:
    _require_control(core, user, wanted.question_id)
    row = await core.questions.answer(wanted.question_id, answer=wanted.answer, action=wanted.action, by=user.name)
    return {"question": row}


async def withdraw(core: Core, user: User, wanted: QuestionWithdrawParams) -> dict[str, Any]:
    if wanted.lease is None:
        _require_control(core, user, wanted.question_id)
    row = await core.questions.withdraw(wanted.question_id, by=user.name, lease=wanted.lease)
    return {"question": row}


async def list_questions(core: Core, user: User, wanted: QuestionListParams) -> dict[str, Any]:
    require(user, "read", "questions")
    return {"questions": core.questions.list(status=wanted.status, run_id=wanted.run_id, by=wanted.by)}


async def get(core: Core, user: User, wanted: QuestionParams) -> dict[str, Any]:
    require(user, "read", "questions")
    return {"question": core.questions.get(wanted.question_id)}


def _new(wanted: QuestionAskParams) -> NewQuestion:
    """What was not given stays not given: null may be a default."""
    return NewQuestion.model_validate(wanted.model_dump(by_alias=True, exclude_unset=True, exclude={"run_id", "lease"}))


def _require_control(core: Core, user: User, question_id: str) -> None:
    require(user, "control", f"question:{core.questions.get(question_id)['run_name']}")
