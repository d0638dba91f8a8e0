"""Programs that Antiphon starts, watches and stops; they outlive the server."""

from antiphon.services.processes.config import ProcessConfig

__all__ = ["ProcessConfig"]
