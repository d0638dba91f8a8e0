"""The tools of the MCP endpoint. Each does what a command does that clients have too, with the same grants."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import orjson

from antiphon.errors import NotFound
from antiphon.messages import Event, encode_time
from antiphon.server.access import User, require
from antiphon.server.core import Core
from antiphon.server.live import question_commands, run_commands
from antiphon.server.live.params import Params
from antiphon.server.live.question_params import QuestionAnswerParams, QuestionListParams
from antiphon.server.live.run_params import RunCancelParams, RunListParams, RunParams, RunResultParams, RunStartParams
from antiphon.server.mcp.arguments import (
    AnswerQuestion,
    CancelRun,
    GetRun,
    ListProcesses,
    ListQuestions,
    ListRuns,
    SearchLog,
    StartRun,
    TailLog,
)

SEARCH_S = 10.0  # after which a search says how far it came


class Operation(NamedTuple):
    """A tool: what a model is told, and what it does."""

    description: str
    arguments: type[Params]
    run: Callable[[Core, User, Any], Awaitable[dict[str, Any]]]
    reads_only: bool = True
    destroys: bool = False


async def list_runs(core: Core, user: User, given: ListRuns) -> dict[str, Any]:
    return await run_commands.list_runs(core, user, RunListParams(**given.model_dump()))


async def get_run(core: Core, user: User, given: GetRun) -> dict[str, Any]:
    if given.wait_s:
        await run_commands.result(core, user, RunResultParams(run_id=given.run_id, timeout_s=given.wait_s))
    return await run_commands.get(core, user, RunParams(run_id=given.run_id))


async def start_run(core: Core, user: User, given: StartRun) -> dict[str, Any]:
    return await run_commands.start(core, user, RunStartParams(**given.model_dump()))


async def cancel_run(core: Core, user: User, given: CancelRun) -> dict[str, Any]:
    return await run_commands.cancel(core, user, RunCancelParams(**given.model_dump()))


async def tail_log(core: Core, user: User, given: TailLog) -> dict[str, Any]:
    channel = f"log:{given.name}"
    require(user, "read", channel)
    found = await core.hub.history(channel, before=given.before, limit=given.lines)
    if not found.head:
        raise NotFound(f"the log {given.name!r} has no lines; list_processes says which logs there are")
    return {"lines": _lines(found.events), "oldest": found.oldest, "head": found.head}


async def search_log(core: Core, user: User, given: SearchLog) -> dict[str, Any]:
    """Slice after slice, until there are enough hits or the time is over."""
    channel = f"log:{given.name}"
    require(user, "read", channel)
    hits: list[Event] = []
    before, complete = given.before, False
    end = asyncio.get_running_loop().time() + SEARCH_S
    while not complete and len(hits) < given.lines and asyncio.get_running_loop().time() < end:
        found = await core.hub.search(
            channel, given.text, before=before, limit=given.lines - len(hits), ignore_case=given.ignore_case
        )
        hits += found.hits
        before, complete = found.scanned_to, found.complete
    return {"lines": _lines(hits), "before": None if complete else before}


async def list_processes(core: Core, user: User, _: ListProcesses) -> dict[str, Any]:
    require(user, "read", "processes")
    found = await core.hub.channels("log:")
    logs = [channel.removeprefix("log:") for channel, _ in found if user.may("read", channel)]
    return {"processes": [{"name": name, **row} for name, row in core.processes.rows().items()], "logs": logs}


async def list_questions(core: Core, user: User, given: ListQuestions) -> dict[str, Any]:
    return await question_commands.list_questions(core, user, QuestionListParams(**given.model_dump()))


async def answer_question(core: Core, user: User, given: AnswerQuestion) -> dict[str, Any]:
    return await question_commands.answer(core, user, QuestionAnswerParams(**given.model_dump()))


def _lines(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Lines of a log; what else stands in it keeps its type."""
    found = []
    for event in events:
        data = orjson.loads(event.payload)
        shown = data if event.type == "line" else {"type": event.type, "data": data}
        found.append({"offset": event.offset, "time": encode_time(event.time_ms), **shown})
    return found


OPERATIONS: dict[str, Operation] = {
    "list_runs": Operation(
        "List runs (of agents and functions), newest first, and the names of what you can start.", ListRuns, list_runs
    ),
    "get_run": Operation(
        "Everything about one run: its state, input, result or error, the runs it began, and its questions.",
        GetRun,
        get_run,
    ),
    "start_run": Operation(
        "Start an agent or a function. Answers at once with the run's id; get_run with wait_s waits for its result.",
        StartRun,
        start_run,
        reads_only=False,
    ),
    "cancel_run": Operation(
        "Cancel a run and all runs below it. Answers with a receipt: `stopped` have ended, `draining` are ending.",
        CancelRun,
        cancel_run,
        reads_only=False,
        destroys=True,
    ),
    "tail_log": Operation(
        "The newest lines of a process or log file, in order; with `before`, those before a line.", TailLog, tail_log
    ),
    "search_log": Operation(
        "Lines of a process or log file that hold a text, newest first. Where `before` is not null in the answer, "
        "older lines were not looked at: go on with it.",
        SearchLog,
        search_log,
    ),
    "list_processes": Operation(
        "The supervised processes with their states, and the names of all logs.", ListProcesses, list_processes
    ),
    "list_questions": Operation(
        "Questions that runs ask of people, those with the nearest deadline first.", ListQuestions, list_questions
    ),
    "answer_question": Operation(
        "Answer a question that a run asks. The first answer counts, and the run goes on with it.",
        AnswerQuestion,
        answer_question,
        reads_only=False,
    ),
}
