"""The agent engine's WebSocket protocol: questions, streams and tools on `/ws/agent`."""

from antiphon.dialects.agent_engine.engine import FACTS, AgentEngine
from antiphon.dialects.agent_engine.talk import Answerer

__all__ = ["FACTS", "AgentEngine", "Answerer"]
