"""Protocols of other systems, translated at the edge; our public documentation calls this compatibility."""

from antiphon.dialects import agent_engine, base, bettafish

FACTS: tuple[base.Facts, ...] = (agent_engine.FACTS, bettafish.FACTS)
"""What is known of each dialect that has paths of its own and settings in `[dialect.NAME]`."""

__all__ = ["FACTS"]
