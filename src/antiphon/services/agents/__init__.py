"""Agents: named models with instructions and tools; every answer is a run, in a thread that remembers.

The service itself is `antiphon.services.agents.service.Agents`; it needs the extra `[agents]`, what is named here does
not.
"""

from antiphon.services.agents.config import OFFLINE, AgentConfig, IfBusy, ModelConfig, check_models
from antiphon.services.agents.values import CLIENT_TOOL, THREADS, AgentInput, ChatMessage, ClientTool, read_input

__all__ = [
    "CLIENT_TOOL",
    "OFFLINE",
    "THREADS",
    "AgentConfig",
    "AgentInput",
    "ChatMessage",
    "ClientTool",
    "IfBusy",
    "ModelConfig",
    "check_models",
    "read_input",
]
