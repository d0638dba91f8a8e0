"""A model that needs no key and no network: it calls the tool that fits and repeats what that says."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic_ai import RunContext
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponseStreamEvent,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings

from antiphon.services.agents.config import OFFLINE
from antiphon.services.agents.offline_words import Said, Wish, answer_to, helpless, wish

CHUNK = 24  # characters
PACE_S = 0.01  # between chunks, so that an answer is seen to grow and can be stopped


class OfflineModel(Model):
    """Answers by calling registered tools; uses no tokens.

    Args:
        pace_s: Seconds between two chunks of a text.
    """

    def __init__(self, *, pace_s: float = PACE_S) -> None:
        super().__init__()
        self._pace_s = pace_s

    @property
    def model_name(self) -> str:
        return OFFLINE

    @property
    def system(self) -> str:
        return "antiphon"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        _, parameters = self.prepare_request(model_settings, model_request_parameters)
        said = decide(messages, tools_of(parameters))
        part = TextPart(said) if isinstance(said, str) else ToolCallPart(said.tool, said.arguments, new_call_id())
        return ModelResponse([part], model_name=OFFLINE, finish_reason="stop")

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,  # noqa: ARG002 - the library's
    ) -> AsyncGenerator[StreamedResponse]:
        _, parameters = self.prepare_request(model_settings, model_request_parameters)
        yield OfflineStream(parameters, decide(messages, tools_of(parameters)), self._pace_s)


@dataclass
class OfflineStream(StreamedResponse):
    """An answer in chunks."""

    said: str | Wish
    pace_s: float
    _began: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        call_id = new_call_id()
        text = self.said if isinstance(self.said, str) else orjson.dumps(self.said.arguments).decode()
        for piece in chunks(text):
            for event in self._grow(piece, call_id):
                yield event
            await asyncio.sleep(self.pace_s)
        self.finish_reason = "stop" if isinstance(self.said, str) else "tool_call"

    def _grow(self, piece: str, call_id: str) -> Iterator[ModelResponseStreamEvent]:
        manager = self._parts_manager
        if isinstance(self.said, str):
            yield from manager.handle_text_delta(vendor_part_id="text", content=piece)
            return
        yield from manager.handle_tool_call_delta_events(
            vendor_part_id="call",
            tool_name=None if manager.get_parts() else self.said.tool,
            args=piece,
            tool_call_id=call_id,
        )

    async def close_stream(self) -> None:
        """There is no connection."""

    @property
    def model_name(self) -> str:
        return OFFLINE

    @property
    def provider_name(self) -> str | None:
        return None

    @property
    def provider_url(self) -> str | None:
        return None

    @property
    def timestamp(self) -> datetime:
        return self._began


def decide(messages: Sequence[ModelMessage], tools: Sequence[str]) -> str | Wish:
    """What comes next: a call of a tool, or what the tools of this turn have said."""
    returned: list[Said] = []
    for message in reversed(messages):
        if not isinstance(message, ModelRequest):
            continue
        returned = [
            Said(p.tool_name, p.outcome, p.content) for p in message.parts if isinstance(p, ToolReturnPart)
        ] + returned
        prompts = [part for part in message.parts if isinstance(part, UserPromptPart)]
        if prompts and not returned:
            return wish(_text(prompts), tools) or helpless(tools)
        if prompts:
            break
    return answer_to(returned) if returned else helpless(tools)


def _text(prompts: Sequence[UserPromptPart]) -> str:
    pieces = [prompt.content if isinstance(prompt.content, str) else list(prompt.content) for prompt in prompts]
    return "\n".join(
        piece if isinstance(piece, str) else "\n".join(item for item in piece if isinstance(item, str))
        for piece in pieces
    )


def tools_of(parameters: ModelRequestParameters) -> list[str]:
    """The names of the tools that may be called."""
    return [tool.name for tool in parameters.declared_function_tools]


def new_call_id() -> str:
    return f"call_{secrets.token_hex(8)}"


def chunks(text: str) -> Iterator[str]:
    """A text in pieces that end between words where that is possible."""
    while text:
        end = len(text) if len(text) <= CHUNK else max(text.rfind(" ", 0, CHUNK) + 1, 0) or CHUNK
        yield text[:end]
        text = text[end:]
