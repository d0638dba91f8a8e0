"""As a user's conftest has it; `pytest_plugins` itself is for the topmost one (see test_documentation)."""

from __future__ import annotations

from antiphon.testing import antiphon_server, antiphon_settings

__all__ = ["antiphon_server", "antiphon_settings"]
