"""The tool `fetch`: reads pages of hosts that are allowed."""

from antiphon.services.tools.fetching.fetch import fetch_tool

__all__ = ["fetch_tool"]
