"""From an exception to a calm sentence and an exit status."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from antiphon.errors import AntiphonError, ConnectionFailed, ConnectionLost, InputError, SettingsError, Unauthenticated

P = ParamSpec("P")

FAILED = 1
WRONG_USE = 2
NO_SERVER = 3


def calm(command: Callable[P, None]) -> Callable[P, None]:
    """The command, ending with a sentence and an exit status instead of what it raises. Faults of ours stay loud."""

    @wraps(command)
    def calmed(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except AntiphonError as exc:
            say(exc.message)
            if advice := _advice(exc):
                say(advice)
            sys.exit(status_of(exc))
        except BrokenPipeError:
            # The reader of our output has seen enough, e.g. `antiphon tail ... | head`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)

    return calmed


def status_of(error: AntiphonError) -> int:
    """The exit status that tells what kind of failure it was."""
    match error:
        case ConnectionFailed() | ConnectionLost():
            return NO_SERVER
        case SettingsError() | InputError():
            return WRONG_USE
        case _:
            return FAILED


def _advice(error: AntiphonError) -> str | None:
    match error:
        case ConnectionFailed():
            return "Start one with: antiphon serve   (another address: ANTIPHON_URL=http://HOST:PORT)"
        case Unauthenticated():
            return "Give a token in ANTIPHON_TOKEN; `antiphon token NAME` makes one"
        case _:
            return None


def say(text: str) -> None:
    """A line for people, on standard error."""
    for line in text.splitlines() or [""]:
        print(f"antiphon: {line}", file=sys.stderr, flush=True)
