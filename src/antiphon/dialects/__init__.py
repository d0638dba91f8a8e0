"""Protocols of other systems, translated at the edge; our public documentation calls this compatibility."""
