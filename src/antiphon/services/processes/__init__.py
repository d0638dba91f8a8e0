"""Programs that Antiphon starts, watches and stops; they outlive the server."""

from antiphon.services.names import NAME_PATTERN
from antiphon.services.processes.config import ProcessConfig, check_dependencies
from antiphon.services.processes.service import Processes

__all__ = ["NAME_PATTERN", "ProcessConfig", "Processes", "check_dependencies"]
