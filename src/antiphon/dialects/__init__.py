"""Protocols of other systems, translated at the edge; our public documentation calls this compatibility."""

from antiphon.dialects.agent_engine import FACTS as AGENT_ENGINE
from antiphon.dialects.base import Facts

FACTS: tuple[Facts, ...] = (AGENT_ENGINE,)
"""What is known of each dialect that has paths of its own and settings in `[dialect.NAME]`."""

__all__ = ["FACTS"]
