"""Asking agents, their threads, and tools: `live.agents`, `live.threads`, `live.tools`."""

from antiphon.client.agents.answer import AgentAnswer
from antiphon.client.agents.asking import Agents, Threads, Tools
from antiphon.client.agents.blocking import BlockingAgentAnswer, BlockingAgents, BlockingThreads, BlockingTools
from antiphon.client.agents.rows import AgentRow, ThreadDetails, ThreadRow, ToolRow

__all__ = [
    "AgentAnswer",
    "AgentRow",
    "Agents",
    "BlockingAgentAnswer",
    "BlockingAgents",
    "BlockingThreads",
    "BlockingTools",
    "ThreadDetails",
    "ThreadRow",
    "Threads",
    "ToolRow",
    "Tools",
]
