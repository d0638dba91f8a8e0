"""AG-UI over HTTP: a POST runs an agent and is answered by its events; a GET attaches to a run. See docs/agui.md."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from antiphon.dialects import agui
from antiphon.errors import ConflictError, InvalidParams, NotFound
from antiphon.server.access import User
from antiphon.server.body import read_object
from antiphon.server.core import Core
from antiphon.server.http import facade_runs as found
from antiphon.server.http.answers import Json, TheCore, TheUser
from antiphon.server.http.run_streams import Headers, RunStream, Wanted
from antiphon.server.live import question_commands
from antiphon.server.live.params import check
from antiphon.server.live.question_params import QuestionAnswerParams, QuestionWithdrawParams
from antiphon.services.runs import RunEvent
from antiphon.services.table import Row

router = APIRouter(prefix="/agui", tags=["AG-UI"])

TheAgent = Annotated[str, Path(description="Name of an agent, or of anything else that runs")]
TheRun = Annotated[str, Path(description="The client's id of a run, or ours")]
LastEventId = Annotated[str | None, Header(description="Id of the last entry the client has")]
OnDisconnect = Annotated[str | None, Query(description="`continue` or `cancel`, if the client goes; default: as set")]
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object", "title": "RunAgentInput of AG-UI 1.0"}}},
    }
}


@router.get("")
async def list_agents(core: TheCore, user: TheUser) -> Response:
    """What can be run, and where."""
    rows = {row["name"]: row for row in ([] if core.agents is None else core.agents.rows)}
    names = [name for name in core.runs.names if user.may("control", f"run:{name}")]
    known = [{"name": name, "url": f"agui/{quote(name)}", **_shown(rows.get(name))} for name in names]
    return Json({"agents": known})


def _shown(row: Row | None) -> dict[str, Any]:
    names = ("title", "description")
    return dict.fromkeys(names) if row is None else {name: row[name] for name in names}


@router.get("/{agent}/capabilities")
async def capabilities(core: TheCore, user: TheUser, agent: TheAgent) -> Response:
    """What an agent can do: AG-UI's `AgentCapabilities`."""
    found.check_startable(core, user, agent)
    return Json(agui.capabilities_of(agent, found.agent_row(core, agent)))


@router.post("/{agent}", openapi_extra=BODY)
async def run(
    request: Request,
    core: TheCore,
    user: TheUser,
    agent: TheAgent,
    on_disconnect: Annotated[OnDisconnect, Query(alias="onDisconnect")] = None,
) -> Response:
    """Run an agent, or answer what a run has asked and follow it on."""
    body = await read_object(request)
    wanted = agui.read_input(body)
    leaving = found.on_disconnect_of(core, agent, on_disconnect)
    if wanted.resume:
        row = await _resume(core, user, agent, wanted)
        found.Aliases.of(request).add(found.run_id_of(wanted.runId), row["run_id"])
        sent = None
    else:
        sent = agui.input_said(wanted, body)
        row = await _start(core, user, agent, wanted, sent, leaving)
    speaks = partial(
        agui.AguiTranslator, row, run_id=wanted.runId, thread_id=wanted.threadId, legacy=wanted.is_legacy, sent=sent
    )
    stream = Wanted(
        row["run_id"],
        lambda joins: speaks(joins=joins),
        begins=not wanted.resume,
        headers=_headers(request, agent, wanted.runId),
        gone=found.gone(core, user, row["run_id"], leaving),
    )
    return await RunStream.open(core, user, request, stream)


async def _start(
    core: Core, user: User, agent: str, wanted: agui.RunAgentInput, sent: dict[str, Any], leaving: str
) -> Row:
    found.check_startable(core, user, agent)
    given = {
        "name": agent,
        "run_id": found.run_id_of(wanted.runId),
        "thread_id": found.thread_id_of(wanted.threadId),
        "input": _input(core, agent, wanted, sent),
        "on_disconnect": leaving,
    }
    said = RunEvent(agui.INPUT, sent)
    return await found.start_run(core, user, given, said, partial(agui.input_pointer, wanted))


def _input(core: Core, agent: str, wanted: agui.RunAgentInput, sent: dict[str, Any]) -> Any:
    """Agents are told the messages; other runs get their `forwardedProps.input`, or what they have parameters for."""
    if core.agents is not None and core.agents.knows(agent):
        return agui.agent_input(wanted)
    if wanted.prop("input") is not None:
        return wanted.prop("input")
    offered = {
        "prompt": agui.last_text(wanted),
        "messages": sent["messages"],
        "state": wanted.state,
        "tools": [tool.model_dump() for tool in wanted.tools],
        "context": [context.model_dump() for context in wanted.context],
    }
    return found.runnable_input(core, agent, offered)


async def _resume(core: Core, user: User, agent: str, wanted: agui.RunAgentInput) -> Row:
    """Give the answers; a question that somebody else has answered meanwhile is no reason not to go on.

    Raises:
        NotFound: There is no such question, or its run is of another name.
        InvalidParams: An answer does not fit, or the questions are of several runs.
    """
    questions = [_question(core, agent, entry, place) for place, entry in enumerate(wanted.resume)]
    if len({question["run_id"] for question in questions}) > 1:
        raise InvalidParams("these interrupts are of several runs", pointer="/resume")
    for place, (question, entry) in enumerate(zip(questions, wanted.resume, strict=True)):
        with found.located(partial(_answer_pointer, place)):
            await _answer(core, user, question["question_id"], agui.reply_of(question, entry))
    return core.runs.rows[questions[0]["run_id"]]


def _question(core: Core, agent: str, entry: Any, place: int) -> Row:
    question = core.questions.rows.get(entry.interruptId)
    if question is None or question["run_name"] != agent or question["run_id"] not in core.runs.rows:
        raise NotFound(
            f"no run of {agent[:80]!r} has asked {entry.interruptId[:80]!r}", pointer=f"/resume/{place}/interruptId"
        )
    return question


async def _answer(core: Core, user: User, question_id: str, reply: agui.Reply) -> None:
    try:
        if reply.withdraws:
            await question_commands.withdraw(core, user, QuestionWithdrawParams(question_id=question_id))
            return
        given = {"question_id": question_id, "answer": reply.answer, "action": reply.action}
        await question_commands.answer(core, user, check(QuestionAnswerParams, given, at="/params"))
    except ConflictError:
        pass


def _answer_pointer(place: int, pointer: str | None) -> str:
    rest = (pointer or "").removeprefix("/params").removeprefix("/answer").removeprefix("/action")
    return f"/resume/{place}/payload{rest}"


@router.get("/{agent}/runs/{run:path}")
async def attach(
    request: Request,
    core: TheCore,
    user: TheUser,
    agent: TheAgent,
    run: TheRun,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow a run: on from `Last-Event-ID`, or from where it is now."""
    row = found.find_run(request, core, user, agent, run)
    return await _attach(request, core, user, row, run, last_event_id)


@router.get("/{agent}/threads/{thread:path}", responses={204: {"description": "There is no run in this thread"}})
async def attach_to_thread(
    request: Request,
    core: TheCore,
    user: TheUser,
    agent: TheAgent,
    thread: Annotated[str, Path(description="The client's id of a thread")],
    last_event_id: LastEventId = None,
) -> Response:
    """Follow the newest run of a thread."""
    rows = found.runs_in_thread(core, user, agent, found.thread_id_of(thread))
    if not rows:
        return Response(status_code=204)
    return await _attach(request, core, user, rows[0], None, last_event_id)


async def _attach(
    request: Request, core: Core, user: User, row: Row, run: str | None, last_event_id: str | None
) -> Response:
    stream = Wanted(
        row["run_id"],
        lambda joins: agui.AguiTranslator(row, run_id=run, joins=joins),
        last_event_id=last_event_id,
        headers=_headers(request, row["name"], run or row["run_id"]),
    )
    return await RunStream.open(core, user, request, stream)


@router.post("/{agent}/runs/{run:path}/stop")
async def stop(request: Request, core: TheCore, user: TheUser, agent: TheAgent, run: TheRun) -> Response:
    """Cancel a run; all who follow it are told."""
    row = found.find_run(request, core, user, agent, run)
    return Json((await found.stop_runs(request, core, user, [row]))[0])


def _headers(request: Request, agent: str, run: str) -> Headers:
    path = f"{request.scope.get('root_path', '')}/agui/{quote(agent, safe='')}/runs/{quote(run, safe='')}"
    return ((b"content-location", path.encode()), (b"access-control-expose-headers", b"content-location"))
