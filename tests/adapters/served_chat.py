"""A chat model of LangChain that asks an OpenAI-compatible server; as thin as it can be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from openai import AsyncOpenAI, OpenAI


class ServedChat(BaseChatModel):
    """`ServedChat(url=server.url)`."""

    url: str

    @property
    def _llm_type(self) -> str:
        return "served"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        async with (
            AsyncOpenAI(base_url=self.url, api_key="not needed", max_retries=0) as client,
            await client.chat.completions.create(**_request(messages, kwargs)) as stream,
        ):
            async for chunk in stream:
                piece = _piece(chunk)
                if run_manager is not None:
                    await run_manager.on_llm_new_token(str(piece.message.text), chunk=piece)
                yield piece

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        with (
            OpenAI(base_url=self.url, api_key="not needed", max_retries=0) as client,
            client.chat.completions.create(**_request(messages, kwargs)) as stream,
        ):
            for chunk in stream:
                piece = _piece(chunk)
                if run_manager is not None:
                    run_manager.on_llm_new_token(str(piece.message.text), chunk=piece)
                yield piece

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, **kwargs))


def _request(messages: list[BaseMessage], given: dict[str, Any]) -> dict[str, Any]:
    tools = {"tools": given["tools"]} if given.get("tools") else {}
    asked = convert_to_openai_messages(messages)
    return {"model": "scripted", "messages": asked, "stream": True, "stream_options": {"include_usage": True}, **tools}


def _piece(chunk: Any) -> ChatGenerationChunk:
    if chunk.usage is not None:
        usage = {
            "input_tokens": chunk.usage.prompt_tokens,
            "output_tokens": chunk.usage.completion_tokens,
            "total_tokens": chunk.usage.total_tokens,
        }
        about = {"model_name": chunk.model}
        return ChatGenerationChunk(
            message=AIMessageChunk(content="", usage_metadata=usage, response_metadata=about)  # type: ignore[arg-type]
        )
    delta = chunk.choices[0].delta
    thought = getattr(delta, "reasoning_content", None)
    calls = [
        {"id": call.id, "name": call.function.name, "args": call.function.arguments, "index": call.index}
        for call in delta.tool_calls or ()
    ]
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content=delta.content or "",
            tool_call_chunks=calls,
            additional_kwargs={"reasoning_content": thought} if thought else {},
        )
    )
