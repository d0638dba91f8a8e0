"""What agents are asked and what their threads look like. Importable without the extra `[agents]`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from antiphon.errors import InvalidParams
from antiphon.services.agents.config import IfBusy
from antiphon.services.table import Row, pointer

THREADS = "threads"  # the channel whose state is the table
CLIENT_TOOL = "x.client_tool"  # the event that says: the client is to do this
MAX_TITLE = 80

ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ChatToolCall(_Model):
    """A call that an earlier answer made."""

    tool_call_id: CallId
    name: ToolName
    arguments: str = "{}"  # JSON


class ChatMessage(_Model):
    """One message of a history that the client brings."""

    role: Literal["user", "assistant", "system", "tool"]
    text: str = ""
    tool_calls: list[ChatToolCall] = Field(default_factory=list)  # of an assistant
    tool_call_id: CallId | None = None  # of a tool: which call this answers

    @model_validator(mode="after")
    def _fits_its_role(self) -> Self:
        if self.role == "tool" and self.tool_call_id is None:
            raise ValueError("a message of a tool says which call it answers: tool_call_id")
        if self.tool_calls and self.role != "assistant":
            raise ValueError("only an assistant calls tools")
        return self


class ClientTool(_Model):
    """A tool that the client has: calling it ends the run, and the client goes on with its result."""

    name: ToolName
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})


class AgentInput(_Model):
    """The input of an agent's run; a text alone is its prompt."""

    prompt: Annotated[str, StringConstraints(min_length=1)] | None = None  # None = the last of `messages` is the turn
    model: str | None = None  # one of the agent's; None = its first
    if_busy: IfBusy | None = None  # None = as the agent is set
    messages: list[ChatMessage] | None = None  # the whole history before the prompt; None = what the thread remembers
    client_tools: Annotated[list[ClientTool], Field(max_length=200)] = Field(default_factory=list)
    instructions: str | None = None  # told to the model beside the agent's own

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.prompt is None and (not self.messages or self.messages[-1].role not in ("user", "tool")):
            raise ValueError("say something: a prompt, or messages that end with one of a user or a tool")
        return self


def read_input(given: Any) -> AgentInput:
    """Raises InvalidParams; the pointer is one into the params: `/params/input/prompt`."""
    try:
        text = orjson.dumps({"prompt": given} if isinstance(given, str) else given)
        return AgentInput.model_validate_json(text)
    except ValidationError as exc:
        found = exc.errors(include_url=False, include_input=False)[0]
        message = found["msg"].removeprefix("Value error, ")
        raise InvalidParams(message, pointer="/params/input" + pointer(*map(str, found["loc"]))) from None


def question_of(wanted: AgentInput) -> str:
    """What the person said in this turn; empty where a tool of the client answered."""
    if wanted.prompt is not None:
        return wanted.prompt
    last = wanted.messages[-1] if wanted.messages else None
    return last.text if last is not None and last.role == "user" else ""


def title_of(prompt: str) -> str:
    """The first line of a first prompt, short enough for a list."""
    lines = prompt.strip().splitlines()
    line = " ".join(lines[0].split()) if lines else ""
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1].rstrip() + "…"


def new_thread_row(
    thread_id: str, *, agent: str, by: str | None, title: str, now: str, forked_from: dict[str, Any] | None = None
) -> Row:
    """The row of a thread that begins."""
    return {
        "thread_id": thread_id,
        "title": title,
        "agent": agent,
        "by": by,
        "created_at": now,
        "updated_at": now,
        "runs": 0,
        "running": None,
        "queued": [],
        "forked_from": forked_from,
        "usage": {},
    }
