"""Helpers for the tests of programs that use Antiphon: `pytest_plugins = ["antiphon.testing"]`. Needs pytest."""

from antiphon.testing.plugin import antiphon_server, antiphon_settings
from antiphon.testing.server import Answering, MemoryServer

__all__ = ["Answering", "MemoryServer", "antiphon_server", "antiphon_settings"]
