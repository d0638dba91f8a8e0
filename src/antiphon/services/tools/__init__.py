"""Tools that agents, programs and people call by name."""

from antiphon.services.tools.config import DocumentsConfig, FetchConfig, McpConfig, ToolsConfig
from antiphon.services.tools.service import Tools
from antiphon.services.tools.tool import Tool
from antiphon.services.tools.values import ToolContext

__all__ = ["DocumentsConfig", "FetchConfig", "McpConfig", "Tool", "ToolContext", "Tools", "ToolsConfig"]
