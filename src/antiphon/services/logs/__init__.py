"""Log files of other programs, followed into channels."""

from antiphon.services.logs.config import LogConfig

__all__ = ["LogConfig"]
