"""The MCP server itself, as the official SDK speaks it. Needs the extra `mcp`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
import orjson
import structlog
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from antiphon import __version__
from antiphon.errors import AntiphonError, InternalError, Unauthenticated, UnknownMethod
from antiphon.server.access import User
from antiphon.server.core import Core
from antiphon.server.door import Receive, Scope, Send
from antiphon.server.live.encode import dumps
from antiphon.server.live.params import check
from antiphon.server.mcp.operations import OPERATIONS, Operation

ARGUMENTS = "/arguments"
MAX_BYTES = 4 << 20  # of a request's body
INSTRUCTIONS = (
    "Antiphon is the control room of the agents and programs on this machine. A run is one piece of work of an agent "
    "or function; it can be watched, cancelled, and may ask people questions. Processes and log files have logs."
)
_log = structlog.get_logger(__name__)
Handle = Callable[[Scope, Receive, Send], Awaitable[None]]
Context = ServerRequestContext[Any, Any]


@asynccontextmanager
async def handling(core: Core) -> AsyncIterator[Handle]:
    """What answers requests as an ASGI app, while entered.

    It is stateless: each request brings its own credentials, and nobody can go on with another's session.
    """
    manager = StreamableHTTPSessionManager(mcp_server(core), stateless=True, max_request_body_size=MAX_BYTES)
    async with manager.run():
        yield manager.handle_request


def mcp_server(core: Core) -> Server[Any]:
    """Offers the operations to whoever the door has let in."""
    tools = [_tool(name, operation) for name, operation in OPERATIONS.items()]
    schemas = {tool.name: tool.input_schema for tool in tools}

    async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(context: Context, asked: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            return _result(await _perform(core, _user(context), asked.name, asked.arguments or {}))
        except AntiphonError as exc:
            return _failure(exc)
        except Exception:  # one call must not end the server; the caller learns no internals
            _log.exception("a tool of the MCP endpoint failed", tool=asked.name)
            return _failure(InternalError("a fault of the server; its log says more"))

    return Server(
        "antiphon",
        version=__version__,
        title="Antiphon",
        instructions=INSTRUCTIONS,
        get_tool_input_schema=schemas.get,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _perform(core: Core, user: User, name: str, given: dict[str, Any]) -> dict[str, Any]:
    operation = OPERATIONS.get(name)
    if operation is None:
        raise UnknownMethod(f"there is no tool {name[:80]!r}")
    return await operation.run(core, user, check(operation.arguments, given, at=ARGUMENTS))


def _user(context: Context) -> User:
    """Whom the door has put into the request that the call came with."""
    user: User | None = getattr(getattr(context.request, "state", None), "user", None)
    if user is None:
        raise Unauthenticated("log in first")
    return user


def _tool(name: str, operation: Operation) -> types.Tool:
    return types.Tool(
        name=name,
        description=operation.description,
        input_schema=_schema(operation),
        annotations=types.ToolAnnotations(
            read_only_hint=operation.reads_only,
            destructive_hint=operation.destroys,
            open_world_hint=False,
        ),
    )


def _schema(operation: Operation) -> dict[str, Any]:
    schema = operation.arguments.model_json_schema()
    schema.pop("title", None)
    for part in schema.get("properties", {}).values():
        part.pop("title", None)
    return schema


def _result(found: dict[str, Any]) -> types.CallToolResult:
    """As a value, and as text for those who read only that. States are live, so it is copied now."""
    text = dumps(found)
    return types.CallToolResult(content=[types.TextContent(text=text.decode())], structured_content=orjson.loads(text))


def _failure(error: AntiphonError) -> types.CallToolResult:
    """An error that the model reads: our code, and the part of the arguments that is to blame."""
    facts = error.facts()
    if error.pointer is not None:
        facts["pointer"] = error.pointer.replace("/params", ARGUMENTS, 1)
    text = dumps({"message": error.message, **facts})
    return types.CallToolResult(
        content=[types.TextContent(text=text.decode())], structured_content=orjson.loads(text), is_error=True
    )
