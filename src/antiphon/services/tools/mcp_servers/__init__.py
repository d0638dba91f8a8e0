"""MCP servers whose tools are offered as the sources `mcp:NAME`. Needs the extra `mcp`."""

from antiphon.services.tools.mcp_servers.server import McpServer

__all__ = ["McpServer"]
