"""What `useChat` sends: the whole conversation, in which the answers to questions stand as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from antiphon.dialects.parts import as_text
from antiphon.errors import InvalidParams

INPUT = "x.vercel.input"
"""The event that keeps, in the run, the message that the run goes on with."""
QUESTION = {"antiphon": "question"}
"""Marks, as `toolMetadata`, parts that look like calls of a tool and are questions of ours."""

Part = dict[str, Any]
Chat = list[dict[str, Any]]
NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class UIMessage(_Model):
    id: Annotated[str, Field(min_length=1, max_length=512)]
    role: Literal["system", "user", "assistant"]
    parts: list[Part]

    @property
    def text(self) -> str:
        return "\n".join(_text(part) for part in self.parts if part.get("type") == "text")


class Tool(_Model):
    """A tool of the page's own, in the body's `tools`."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = NO_PARAMETERS


class ChatRequest(_Model):
    """The body of a POST; what an app adds with `body` is beside it."""

    id: Annotated[str, Field(min_length=1, max_length=512)]
    messages: Annotated[list[UIMessage], Field(min_length=1)]
    trigger: Literal["submit-message", "regenerate-message"] = "submit-message"
    messageId: str | None = None  # noqa: N815 - the word of the wire
    model: str | None = None
    if_busy: str | None = None
    instructions: str | None = None
    tools: list[Tool] = []
    input: Any = None  # of runs that are no agent's: it is passed on as it is

    @property
    def continued(self) -> UIMessage | None:
        """The message of the assistant that the answer goes on with; None = it is a new one."""
        last = self.messages[-1]
        return last if last.role == "assistant" else None

    @property
    def last_text(self) -> str:
        """What the user said last."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")


class Answer(NamedTuple):
    """What the page answers to a question, or to an approval."""

    question_id: str
    answer: Any
    action: str | None
    pointer: str


def read_request(value: Any) -> ChatRequest:
    """Raises InvalidParams; the pointer is one into the body."""
    try:
        return ChatRequest.model_validate(value)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in first["loc"])
        name = first["loc"][-1] if first["loc"] else "body"
        raise InvalidParams(f"`{name}`: {first['msg']}", pointer=where) from None


def answers_of(wanted: ChatRequest) -> Iterator[Answer]:
    """What the last message says to questions, in their order; some may have been answered long ago."""
    if wanted.continued is None:
        return
    place = len(wanted.messages) - 1
    for index, part in enumerate(wanted.continued.parts):
        found = _answer(part)
        if found is not None:
            yield found._replace(pointer=f"/messages/{place}/parts/{index}")


def _answer(part: Part) -> Answer | None:
    approval = part.get("approval")
    if isinstance(approval, dict) and isinstance(approval.get("approved"), bool):
        if approval["approved"]:
            return Answer(str(approval.get("id")), None, "approve", "")
        return Answer(str(approval.get("id")), approval.get("reason"), "reject", "")
    if part.get("toolMetadata") == QUESTION and part.get("state") == "output-available":
        return Answer(str(part.get("toolCallId")), part.get("output"), None, "")
    return None


def agent_input(wanted: ChatRequest) -> dict[str, Any]:
    """The input of an agent's run: the page's messages are all that the agent remembers in it.

    Raises:
        InvalidParams: There is nothing to answer.
    """
    messages = [told for _, told in _told(wanted)]
    if not messages or messages[-1]["role"] not in ("user", "tool"):
        raise InvalidParams("the last message is one of a user, with a text, or has the output of a tool",
                            pointer=f"/messages/{len(wanted.messages) - 1}")  # fmt: skip
    given: dict[str, Any] = {"messages": messages}
    if wanted.tools:
        given["client_tools"] = [tool.model_dump() for tool in wanted.tools]
    said = {"model": wanted.model, "if_busy": wanted.if_busy, "instructions": wanted.instructions}
    return given | {name: value for name, value in said.items() if value is not None}


def _told(wanted: ChatRequest) -> list[tuple[int, dict[str, Any]]]:
    """What a model is told, each with the place of the message that it is of."""
    return [(place, told) for place, message in enumerate(wanted.messages) for told in _chat(message)]


def _chat(message: UIMessage) -> Chat:
    if message.role != "assistant":
        return [{"role": message.role, "text": message.text}] if message.text else []
    found: Chat = []
    step: list[Part] = []
    for part in [*message.parts, {"type": "step-start"}]:
        if part.get("type") == "step-start":
            found += _step(step)
            step = []
        else:
            step.append(part)
    return found


def _step(parts: list[Part]) -> Chat:
    """What the assistant said and called at once, and what its calls returned."""
    text = "".join(_text(part) for part in parts if part.get("type") == "text")
    calls = [part for part in parts if tool_name(part) is not None and part.get("toolMetadata") != QUESTION]
    if not text and not calls:
        return []
    said: dict[str, Any] = {"role": "assistant", "text": text}
    if calls:
        said["tool_calls"] = [
            {"tool_call_id": str(part.get("toolCallId")), "name": tool_name(part), "arguments": _arguments(part)}
            for part in calls
        ]
    returned = [
        {"role": "tool", "text": _returned(part), "tool_call_id": str(part.get("toolCallId"))} for part in calls
    ]
    return [said, *returned]


def tool_name(part: Part) -> str | None:
    """The tool that a part is a call of; None = it is none."""
    kind = part.get("type")
    if kind == "dynamic-tool":
        return str(part.get("toolName"))
    return kind.removeprefix("tool-") if isinstance(kind, str) and kind.startswith("tool-") else None


def _arguments(part: Part) -> str:
    return as_text(part["input"]) if part.get("input") is not None else "{}"


def _returned(part: Part) -> str:
    match part.get("state"):
        case "output-available":
            return as_text(part.get("output"))
        case "output-error":
            return str(part.get("errorText"))
        case "output-denied":
            return "not approved"
        case _:
            return "cancelled"


def _text(part: Part) -> str:
    text = part.get("text")
    return text if isinstance(text, str) else ""


def input_pointer(wanted: ChatRequest, pointer: str | None) -> str | None:
    """Where in the body stands what is wrong with the input that was made of it."""
    parts = (pointer or "").removeprefix("/params").split("/")[1:]
    if parts[:1] != ["input"]:
        return pointer
    match parts[1:]:
        case ["messages", place, *_] if place.isdigit() and int(place) < len(_told(wanted)):
            return f"/messages/{_told(wanted)[int(place)][0]}"
        case ["client_tools", *rest]:
            return "/".join(["/tools", *rest])
        case [("model" | "if_busy" | "instructions") as name, *_]:
            return f"/{name}"
        case _ if wanted.input is not None:
            return "/".join(["/input", *parts[1:]])
    return "/messages"
