"""What the service says about runs and questions: plain values, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from antiphon.client.answers import read
from antiphon.client.wire import Wire


@dataclass(frozen=True, slots=True)
class RunRow:
    """A row of the table of runs."""

    run_id: str
    name: str
    status: str  # queued, running, waiting, cancelling; ended: succeeded, failed, cancelled, lost
    title: str | None = None
    reason: str | None = None  # why it is in this status, in words
    thread_id: str | None = None
    parent_run_id: str | None = None
    by: str | None = None  # who started it
    labels: dict[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    progress: float | None = None  # 0 to 1
    progress_message: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    questions: int = 0  # open ones
    error: dict[str, Any] | None = None  # {message, type}
    owner: dict[str, Any] = field(default_factory=dict)  # {kind: remote, local or imported, client, pid}
    on_disconnect: str = "continue"
    tool: str | None = None  # which tool is at work

    @property
    def has_ended(self) -> bool:
        """Whether it has its outcome."""
        return self.status in ENDED


ENDED = frozenset({"succeeded", "failed", "cancelled", "lost"})


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A row of the table of questions."""

    question_id: str
    run_id: str
    kind: str  # choice, form, approval, text
    prompt: str
    status: str  # open, answered, withdrawn
    run_name: str = ""
    details: str | None = None
    options: list[dict[str, Any]] | None = None
    schema: dict[str, Any] | None = None
    value: Any = None  # what is to be approved
    deadline: datetime | None = None  # None = as long as the run lives
    has_default: bool = False
    default: Any = None
    asked_at: datetime | None = None
    ended_at: datetime | None = None
    action: str | None = None  # answer, approve, edit, reject
    answer: Any = None
    by: str | None = None  # who answered
    is_default: bool = False
    reason: str | None = None  # why it was withdrawn


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, newest first, and the names of what can be started."""

    runs: tuple[RunRow, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunDetails:
    """All about one run but its events."""

    run: RunRow
    input: Any = None
    result: Any = None
    error: dict[str, Any] | None = None
    children: tuple[RunRow, ...] = ()
    questions: tuple[QuestionRow, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelReceipt:
    """What a cancel has reached by the time it is answered."""

    run_id: str
    status: str  # cancelling, or the outcome of a run that has ended
    stopped: tuple[str, ...] = ()  # ids of runs that have ended
    draining: tuple[str, ...] = ()  # ids of runs whose owners have been told and still have to end


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended; `status` is `running` if it has not."""

    status: str
    result: Any = None
    error: dict[str, Any] | None = None


class _Run(Wire):
    run: RunRow


class _Question(Wire):
    question: QuestionRow


class _Questions(Wire):
    questions: tuple[QuestionRow, ...]


class _Page(Wire):
    runs: tuple[RunRow, ...]
    names: tuple[str, ...] = ()


class _Details(_Run):
    input: Any = None
    result: Any = None
    error: dict[str, Any] | None = None
    children: tuple[RunRow, ...] = ()
    questions: tuple[QuestionRow, ...] = ()


class _Receipt(Wire):
    run_id: str
    status: str
    stopped: tuple[str, ...] = ()
    draining: tuple[str, ...] = ()


class _Result(Wire):
    status: str
    result: Any = None
    error: dict[str, Any] | None = None


def read_run(result: Any) -> RunRow:
    """The result of `run.start`, `run.finish`, and of an import."""
    return read(_Run, result).run


def read_runs(result: Any) -> RunPage:
    """The result of `run.list`."""
    page = read(_Page, result)
    return RunPage(page.runs, page.names)


def read_details(result: Any) -> RunDetails:
    """The result of `run.get`."""
    found = read(_Details, result)
    return RunDetails(found.run, found.input, found.result, found.error, found.children, found.questions)


def read_receipt(result: Any) -> CancelReceipt:
    """The result of `run.cancel`."""
    found = read(_Receipt, result)
    return CancelReceipt(found.run_id, found.status, found.stopped, found.draining)


def read_result(result: Any) -> RunResult:
    """The result of `run.result`."""
    found = read(_Result, result)
    return RunResult(found.status, found.result, found.error)


def read_question(result: Any) -> QuestionRow:
    """The result of `question.answer` and `question.get`."""
    return read(_Question, result).question


def read_questions(result: Any) -> tuple[QuestionRow, ...]:
    """The result of `question.list`."""
    return read(_Questions, result).questions
