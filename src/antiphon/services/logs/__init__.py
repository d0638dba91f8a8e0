"""Log files of other programs, followed into channels."""

from antiphon.services.logs.config import LogConfig, check_names
from antiphon.services.logs.service import Logs

__all__ = ["LogConfig", "Logs", "check_names"]
