"""What the tools of the MCP endpoint take. The descriptions are for models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from antiphon.server.live.params import MAX_LIMIT, MAX_NEEDLE, Params
from antiphon.server.live.question_params import QuestionId
from antiphon.server.live.run_params import Status, Text
from antiphon.services.names import Name
from antiphon.services.runs import RunId, ThreadId

MAX_WAIT_S = 60
MAX_LINES = 500

Offset = Annotated[int, Field(ge=0)]
TheRun = Annotated[RunId, Field(description="Id of the run, as list_runs and start_run say it.")]
TheLog = Annotated[
    Name, Field(description="Name of a supervised process or of a followed log file, as list_processes says it.")
]
Before = Annotated[
    Offset | None, Field(description="Only what is older than the line with this offset; null = from the newest on.")
]


class ListRuns(Params):
    status: Annotated[
        list[Status] | None,
        Field(description="Only runs in one of these states. The first four have not ended. null = any."),
    ] = None
    name: Annotated[Name | None, Field(description="Only runs of this agent or function.")] = None
    thread_id: Annotated[ThreadId | None, Field(description="Only runs in this conversation.")] = None
    label: Annotated[dict[str, str], Field(default_factory=dict, description="Only runs that carry all these labels.")]
    before: Annotated[RunId | None, Field(description="Only runs that began before this one.")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many runs at most.")] = 20


class GetRun(Params):
    run_id: TheRun
    wait_s: Annotated[
        float, Field(ge=0, le=MAX_WAIT_S, description="Wait so many seconds for the run to end before answering.")
    ] = 0


class StartRun(Params):
    name: Annotated[Name, Field(description="What to start: one of `names` of list_runs.")]
    input: Annotated[
        Any,
        Field(description="Its input. For an agent a text, its prompt; for a function an object with its arguments."),
    ] = None
    thread_id: Annotated[
        ThreadId | None,
        Field(description="The conversation in which it runs; agents remember what was said in theirs. null = none."),
    ] = None
    title: Annotated[str | None, Field(max_length=500, description="What people see as its title.")] = None
    labels: Annotated[
        dict[str, str], Field(default_factory=dict, max_length=32, description="Labels by which it can be found again.")
    ]


class CancelRun(Params):
    run_id: TheRun
    reason: Annotated[Text | None, Field(description="Why; people and the run itself are told.")] = None


class TailLog(Params):
    name: TheLog
    lines: Annotated[int, Field(ge=1, le=MAX_LINES, description="How many lines at most.")] = 50
    before: Before = None


class SearchLog(Params):
    name: TheLog
    text: Annotated[str, Field(min_length=1, max_length=MAX_NEEDLE, description="What the lines hold, literally.")]
    ignore_case: Annotated[bool, Field(description="Whether ASCII letters match in either case.")] = True
    lines: Annotated[int, Field(ge=1, le=MAX_LINES, description="How many lines at most.")] = 50
    before: Before = None


class ListProcesses(Params):
    pass


class ListQuestions(Params):
    status: Annotated[
        Literal["open", "answered", "withdrawn"] | None, Field(description="null = questions in any state.")
    ] = "open"
    run_id: Annotated[RunId | None, Field(description="Only questions of this run.")] = None


class AnswerQuestion(Params):
    question_id: Annotated[QuestionId, Field(description="Id of the question, as list_questions says it.")]
    answer: Annotated[
        Any,
        Field(
            description="For a choice one of its values, for a form an object that fits its schema, for a text the "
            "text. For an approval, with the action `edit`, the arguments as they should be."
        ),
    ] = None
    action: Annotated[
        Literal["answer", "approve", "edit", "reject"] | None,
        Field(description="For an approval: approve, edit or reject. null for all others."),
    ] = None
