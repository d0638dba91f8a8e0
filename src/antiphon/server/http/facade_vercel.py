"""Vercel's UI message stream over HTTP: what `useChat` with its default transport asks for. See docs/vercel.md."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from antiphon.dialects import vercel
from antiphon.errors import ConflictError, NotFound
from antiphon.server.access import User
from antiphon.server.body import read_object
from antiphon.server.core import Core
from antiphon.server.http import facade_runs as found
from antiphon.server.http.answers import Json, TheCore, TheUser
from antiphon.server.http.run_streams import RunStream, Wanted
from antiphon.server.live import question_commands
from antiphon.server.live.params import check
from antiphon.server.live.question_params import QuestionAnswerParams
from antiphon.services.runs import RunEvent
from antiphon.services.table import Row

router = APIRouter(prefix="/vercel", tags=["Vercel AI SDK"])

HEADERS = ((b"x-vercel-ai-ui-message-stream", b"v1"),)
TheAgent = Annotated[str, Path(description="Name of an agent, or of anything else that runs")]
TheChat = Annotated[str, Path(description="The chat's id, as the page made it")]
OnDisconnect = Annotated[str | None, Query(description="`continue` or `cancel`, if the page goes; default: as set")]
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object", "title": "{id, messages, trigger, messageId}"}}},
    }
}


@router.post("/{agent}", openapi_extra=BODY)
async def chat(
    request: Request,
    core: TheCore,
    user: TheUser,
    agent: TheAgent,
    on_disconnect: Annotated[OnDisconnect, Query(alias="onDisconnect")] = None,
) -> Response:
    """Answer the last message, or go on with what a run has asked."""
    wanted = vercel.read_request(await read_object(request))
    leaving = found.on_disconnect_of(core, agent, on_disconnect)
    asked = await _answer(core, user, agent, wanted)
    row = await _start(core, user, agent, wanted, leaving) if asked is None else core.runs.rows[asked["run_id"]]
    message = None if wanted.continued is None else wanted.continued.id
    after = None if asked is None else asked["question_id"]
    return await _follow(request, core, user, row, message=message, after=after, leaving=leaving)


async def _start(core: Core, user: User, agent: str, wanted: vercel.ChatRequest, leaving: str) -> Row:
    found.check_startable(core, user, agent)
    given = {
        "name": agent,
        "thread_id": found.thread_id_of(wanted.id),
        "input": _input(core, agent, wanted),
        "on_disconnect": leaving,
    }
    before = wanted.continued
    said = None
    if before is not None:
        said = RunEvent(vercel.INPUT, {"message_id": before.id, "parts": before.parts})
    return await found.start_run(core, user, given, said, partial(vercel.input_pointer, wanted))


def _input(core: Core, agent: str, wanted: vercel.ChatRequest) -> Any:
    """Agents are told the messages; other runs get the body's `input`, or what they have parameters for."""
    if core.agents is not None and core.agents.knows(agent):
        return vercel.agent_input(wanted)
    if wanted.input is not None:
        return wanted.input
    messages = [message.model_dump() for message in wanted.messages]
    return found.runnable_input(core, agent, {"prompt": wanted.last_text, "messages": messages})


async def _answer(core: Core, user: User, agent: str, wanted: vercel.ChatRequest) -> Row | None:
    """Give the answers that stand in the last message.

    Returns:
        The question behind which the page goes on; None = it answers none, or those of a run that is long over.
    """
    rows = core.questions.rows
    thread_id = found.thread_id_of(wanted.id)
    answers = {answer.question_id: answer for answer in vercel.answers_of(wanted)}
    asked = [row for row in rows.values() if row["question_id"] in answers and _is_of(core, row, agent, thread_id)]
    if not asked:
        return None
    was_open = any(row["status"] == "open" for row in asked)
    for row in asked:
        if row["status"] == "open":
            await _give(core, user, answers[row["question_id"]])
    is_new = was_open or found.is_under_way(core.runs.rows[asked[-1]["run_id"]])
    return asked[-1] if is_new else None


def _is_of(core: Core, question: Row, agent: str, thread_id: str) -> bool:
    run = core.runs.rows.get(question["run_id"])
    return run is not None and run["name"] == agent and run["thread_id"] == thread_id


async def _give(core: Core, user: User, answer: vercel.Answer) -> None:
    given = {"question_id": answer.question_id, "answer": answer.answer, "action": answer.action}
    try:
        with found.located(lambda _: answer.pointer):
            await question_commands.answer(core, user, check(QuestionAnswerParams, given, at="/params"))
    except ConflictError:
        pass  # somebody else was first: the page is told by what the run does


async def _follow(
    request: Request,
    core: Core,
    user: User,
    row: Row,
    *,
    message: str | None = None,
    after: str | None = None,
    leaving: str = "continue",
) -> Response:
    settled = [asked["question_id"] for asked in core.questions.list(run_id=row["run_id"]) if asked["status"] != "open"]
    stream = Wanted(
        row["run_id"],
        lambda _: vercel.VercelTranslator(row, message=message, after=after, settled=settled),
        begins=True,
        headers=HEADERS,
        gone=found.gone(core, user, row["run_id"], leaving),
    )
    return await RunStream.open(core, user, request, stream)


@router.get("/{agent}/{chat:path}/stream", responses={204: {"description": "Nothing is being answered"}})
async def resume(request: Request, core: TheCore, user: TheUser, agent: TheAgent, chat: TheChat) -> Response:
    """The answer that is under way, from its beginning."""
    rows = found.runs_in_thread(core, user, agent, found.thread_id_of(chat))
    if not rows or not found.is_under_way(rows[0]):
        return Response(status_code=204)
    return await _follow(request, core, user, rows[0])


@router.post("/{agent}/{chat:path}/stop")
async def stop(request: Request, core: TheCore, user: TheUser, agent: TheAgent, chat: TheChat) -> Response:
    """Cancel what is being answered, and what waits for its turn."""
    rows = found.runs_in_thread(core, user, agent, found.thread_id_of(chat))
    if not rows:
        raise NotFound(f"there is no run of {agent[:80]!r} in the chat {chat[:80]!r}")
    running = [row for row in rows if found.is_under_way(row)]
    return Json({"runs": await found.stop_runs(request, core, user, running)})
