"""An MCP server as a program: `python program.py stdio`, or `python program.py http PORT`.

It says in a file (the variable MCP_NOTES) what it began and what was cancelled.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, Image, MCPServer
from starlette.requests import Request
from starlette.responses import PlainTextResponse

server = MCPServer("small", version="1.2")


def note(line: str) -> None:
    if "MCP_NOTES" in os.environ:
        with Path(os.environ["MCP_NOTES"]).open("a") as file:
            file.write(f"{line}\n")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(structured_output=False)
def greet(name: str) -> str:
    """Greet somebody."""
    return f"hello {name}"


@server.tool()
def fail() -> str:
    """Always fails."""
    raise ValueError("nothing works")


@server.tool()
async def wait(ctx: Context[Any]) -> str:
    """Wait for ever, after telling how far it is."""
    note("begun")
    await ctx.report_progress(1, 4, "a quarter")
    try:
        await asyncio.Event().wait()
    except BaseException:
        note("cancelled")
        raise
    return "never"


@server.tool()
def die() -> str:
    """End the program in the middle of a call."""
    os._exit(3)


@server.tool(structured_output=False)
def picture() -> list[Any]:
    """A text and an image."""
    return ["look", Image(data=b"\x89PNG", format="png")]


@server.tool()
def variable(name: str) -> str:
    """What an environment variable holds."""
    return os.environ.get(name, "")


@server.tool()
async def grow(ctx: Context[Any]) -> str:
    """Offer one more tool from now on."""
    server.add_tool(greet, name="grown", structured_output=False)
    await ctx.notify_tools_changed()
    await ctx.session.send_tool_list_changed()
    return "grown"


@server.custom_route("/headers", methods=["GET"])
async def headers(_: Request) -> PlainTextResponse:
    return PlainTextResponse("up")


def serve_http(port: int) -> None:
    app = server.streamable_http_app()
    wanted = os.environ.get("MCP_TOKEN")

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        given = dict(scope.get("headers", [])).get(b"authorization", b"").decode()
        if scope["type"] == "http" and wanted is not None and given != wanted:
            await PlainTextResponse("who are you?", status_code=401)(scope, receive, send)
            return
        await app(scope, receive, send)

    uvicorn.run(guarded, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    print("up", file=sys.stderr, flush=True)
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        serve_http(int(sys.argv[2]))
