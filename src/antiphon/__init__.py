"""Antiphon: the real-time backbone and control room for AI agent systems."""

__version__ = "0.1.0"
