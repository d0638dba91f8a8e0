"""The standard library's log records as events of the run they belong to."""

from __future__ import annotations

import logging

from antiphon.client.run.current import entered

_levels = (
    (logging.CRITICAL, "critical"),
    (logging.ERROR, "error"),
    (logging.WARNING, "warning"),
    (logging.INFO, "info"),
)


class RunHandler(logging.Handler):
    """`logging.getLogger().addHandler(antiphon.RunHandler())`: what is logged inside a run is said in it.

    Records outside of runs are ignored, and so are the client's own. It never waits and never raises: at most 1 000
    records wait to be sent, what is beyond is dropped, and a line of the log says how many.
    Args:
        level: Records below it are ignored; everything passes by default.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Route one record to `antiphon.current_run()`."""
        found = entered()
        if found is None or record.name.startswith("antiphon.client"):
            return
        try:
            found.records.put(_level(record.levelno), self.format(record), record.name)
        except Exception:  # as every handler: a wrong format string must not stop the program
            self.handleError(record)


def _level(number: int) -> str:
    return next((name for least, name in _levels if number >= least), "debug")
