"""The MCP endpoint: other agents watch and steer runs, read logs and answer questions, as far as they may."""

from antiphon.server.mcp.endpoint import serving_mcp

__all__ = ["serving_mcp"]
