"""Questions over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from antiphon.server.body import documented, read_object
from antiphon.server.http.answers import Json, TheCore, TheUser
from antiphon.server.http.runs import documented_of_run, of_run
from antiphon.server.live import question_commands
from antiphon.server.live.params import Params, check
from antiphon.server.live.question_params import (
    QuestionAnswerParams,
    QuestionAskParams,
    QuestionListParams,
    QuestionParams,
    QuestionWithdrawParams,
)

router = APIRouter(prefix="/api", tags=["questions"])

P = TypeVar("P", bound=Params)
TheQuestionId = Annotated[str, Path(description="Id of a question")]


def of_question(model: type[P]) -> Callable[[Request, str], Awaitable[P]]:
    """A dependency that reads the body as `model`; the path says which question."""

    async def read(request: Request, question_id: TheQuestionId) -> P:
        return check(model, await read_object(request, question_id=question_id), at="")

    return read


def documented_of_question(model: type[Params]) -> dict[str, Any]:
    return documented(model, "question_id")


@router.post("/runs/{run_id}/questions", status_code=201, openapi_extra=documented_of_run(QuestionAskParams))
async def ask(
    core: TheCore, user: TheUser, wanted: Annotated[QuestionAskParams, Depends(of_run(QuestionAskParams))]
) -> Response:
    """Ask people something on behalf of a run."""
    return Json(await question_commands.ask(core, user, wanted), status_code=201)


@router.get("/questions")
async def list_questions(
    core: TheCore, user: TheUser, status: str | None = None, run_id: str | None = None, by: str | None = None
) -> Response:
    """Questions, by deadline; those without one last."""
    wanted = check(QuestionListParams, {"status": status, "run_id": run_id, "by": by}, at="")
    return Json(await question_commands.list_questions(core, user, wanted))


@router.get("/questions/{question_id}")
async def get(core: TheCore, user: TheUser, question_id: TheQuestionId) -> Response:
    """One question, answered or not."""
    wanted = check(QuestionParams, {"question_id": question_id}, at="")
    return Json(await question_commands.get(core, user, wanted))


@router.post("/questions/{question_id}/answer", openapi_extra=documented_of_question(QuestionAnswerParams))
async def answer(
    core: TheCore, user: TheUser, wanted: Annotated[QuestionAnswerParams, Depends(of_question(QuestionAnswerParams))]
) -> Response:
    """Answer a question; the first answer counts."""
    return Json(await question_commands.answer(core, user, wanted))


@router.post("/questions/{question_id}/withdraw", openapi_extra=documented_of_question(QuestionWithdrawParams))
async def withdraw(
    core: TheCore,
    user: TheUser,
    wanted: Annotated[QuestionWithdrawParams, Depends(of_question(QuestionWithdrawParams))],
) -> Response:
    """Ask no longer."""
    return Json(await question_commands.withdraw(core, user, wanted))
