"""What an AG-UI client sends to run an agent, and what becomes of it.

Read as tolerantly as the protocol asks: what is not known is left alone, null is the same as nothing. Parts of a
message that are no text are dropped: no agent here can use them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from antiphon.errors import InvalidParams

INPUT = "x.agui.input"
"""The event that keeps, in the run, what its client sent, for whoever attaches later."""

Id = Annotated[str, Field(min_length=1, max_length=512)]
Listed = BeforeValidator(lambda value: [] if value is None else value)
NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class FunctionCall(_Model):
    name: str
    arguments: str = ""


class ToolCall(_Model):
    id: Id
    function: FunctionCall


class Message(_Model):
    """Any message of a conversation."""

    id: Id
    role: Literal["developer", "system", "assistant", "user", "tool", "activity", "reasoning"]
    content: Any = None  # a text, a list of parts, or of an activity an object
    toolCalls: Annotated[list[ToolCall], Listed] = []  # noqa: N815 - the word of the wire
    toolCallId: Id | None = None  # noqa: N815
    error: str | None = None

    @model_validator(mode="after")
    def _fits_its_role(self) -> Self:
        if self.role == "tool" and self.toolCallId is None:
            raise ValueError("a message of a tool says which call it answers: toolCallId")
        if self.role in ("user", "tool") and not isinstance(self.content, str | list):
            raise ValueError("the content is a text or a list of parts")
        if self.role in ("developer", "system") and not isinstance(self.content, str):
            raise ValueError("the content is a text")
        return self

    @property
    def text(self) -> str:
        """What it says in words."""
        if isinstance(self.content, list):
            texts = (part.get("text") for part in self.content if isinstance(part, dict) and part.get("type") == "text")
            return "\n".join(text for text in texts if isinstance(text, str))
        return self.content if isinstance(self.content, str) else ""


class Tool(_Model):
    name: str
    description: str = ""
    parameters: Any = None


class Context(_Model):
    description: str = ""
    value: str = ""


class ResumeEntry(_Model):
    interruptId: Id  # noqa: N815
    status: Literal["resolved", "cancelled"] = "resolved"
    payload: Any = None


class RunAgentInput(_Model):
    """The body of a POST."""

    threadId: Id  # noqa: N815
    runId: Id  # noqa: N815
    protocolVersion: str | None = None  # noqa: N815 - None = a client from before 1.0
    parentRunId: str | None = None  # noqa: N815
    state: Any = None
    messages: list[Message]
    tools: Annotated[list[Tool], Listed] = []
    context: Annotated[list[Context], Listed] = []
    forwardedProps: Any = None  # noqa: N815
    resume: Annotated[list[ResumeEntry], Listed] = []

    @property
    def is_legacy(self) -> bool:
        """Whether the client does not know the outcomes, metadata and subagents of 1.0."""
        return self.protocolVersion is None

    def prop(self, name: str) -> Any:
        """One of the forwarded properties; None where there is none of this name."""
        return self.forwardedProps.get(name) if isinstance(self.forwardedProps, dict) else None


def read_input(value: Any) -> RunAgentInput:
    """Raises InvalidParams; the pointer is one into the body."""
    try:
        return RunAgentInput.model_validate(value)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in first["loc"])
        name = first["loc"][-1] if first["loc"] else "body"
        raise InvalidParams(f"`{name}`: {first['msg'].removeprefix('Value error, ')}", pointer=where) from None


def agent_input(wanted: RunAgentInput) -> dict[str, Any]:
    """The input of an agent's run: the client's messages are all that the agent remembers in it.

    Raises:
        InvalidParams: There is nothing to answer.
    """
    messages = [_chat_message(message) for _, message in _told(wanted.messages)]
    if not messages or messages[-1]["role"] not in ("user", "tool"):
        raise InvalidParams("the last message is one of a user, with a text, or of a tool", pointer="/messages")
    given: dict[str, Any] = {"messages": messages}
    if wanted.tools:
        given["client_tools"] = [_client_tool(tool) for tool in wanted.tools]
    if wanted.context:
        given["instructions"] = "\n\n".join(f"{found.description}:\n{found.value}" for found in wanted.context)
    for name in ("model", "if_busy"):
        if isinstance(wanted.prop(name), str):
            given[name] = wanted.prop(name)
    return given


def _told(messages: Sequence[Message]) -> list[tuple[int, Message]]:
    """Those that a model is told, with their places in the body."""
    return [
        (place, message)
        for place, message in enumerate(messages)
        if message.role not in ("activity", "reasoning") and (message.text or message.role != "user")
    ]


def _chat_message(message: Message) -> dict[str, Any]:
    role = "system" if message.role == "developer" else message.role
    given: dict[str, Any] = {"role": role, "text": message.text}
    if role == "assistant" and message.toolCalls:
        given["tool_calls"] = [
            {"tool_call_id": call.id, "name": call.function.name, "arguments": call.function.arguments or "{}"}
            for call in message.toolCalls
        ]
    if role == "tool":
        given["tool_call_id"] = message.toolCallId
        given["text"] = message.text or message.error or ""
    return given


def _client_tool(tool: Tool) -> dict[str, Any]:
    parameters = tool.parameters if isinstance(tool.parameters, dict) and tool.parameters else NO_PARAMETERS
    return {"name": tool.name, "description": tool.description, "parameters": parameters}


def input_pointer(wanted: RunAgentInput, pointer: str | None) -> str | None:
    """Where in the body stands what is wrong with the input that was made of it."""
    parts = (pointer or "").removeprefix("/params").split("/")[1:]
    if parts[:1] != ["input"]:
        return pointer
    match parts[1:]:
        case ["messages", place, *_] if place.isdigit() and int(place) < len(_told(wanted.messages)):
            return f"/messages/{_told(wanted.messages)[int(place)][0]}"
        case ["client_tools", *rest]:
            return "/".join(["/tools", *rest])
        case ["instructions", *_]:
            return "/context"
        case [("model" | "if_busy") as name, *_]:
            return f"/forwardedProps/{name}"
        case _ if isinstance(wanted.prop("input"), dict):
            return "/".join(["/forwardedProps/input", *parts[1:]])
    return "/messages"


def input_said(wanted: RunAgentInput, body: dict[str, Any]) -> dict[str, Any]:
    """The data of the event that keeps what the client sent, as it sent it."""
    return {"thread_id": wanted.threadId, "run_id": wanted.runId, "messages": body["messages"]}


def last_text(wanted: RunAgentInput) -> str:
    """What the user said last; empty where no user said anything."""
    return next((message.text for message in reversed(wanted.messages) if message.role == "user"), "")
