"""Functions that tests offer as tools; other processes find them here."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from antiphon.services.tools import Tool


class Place(BaseModel):
    city: str
    country: str = "DE"


def weather(
    place: Place, day: dt.date, unit: Literal["C", "F"] = "C", *, detail: Annotated[int, Field(ge=1)] = 1
) -> str:
    """Tell the weather.

    It is always fine.

    Args:
        place: Where, with its
            country.
        day (date): When.
        unit: Which degrees.

    Returns:
        A sentence.
    """
    print("said to nobody")
    return f"{type(place).__name__} {place.city} {place.country} {day:%d.%m.%Y} {unit} {detail}"


DECORATED: list[Tool] = []


def offered(function: Callable[..., object]) -> Callable[..., object]:
    """A decorator: it is called before the name stands in this module."""
    DECORATED.append(Tool.from_function(function))
    return function


@offered
def decorated(n: int) -> int:
    """Has a decorator."""
    return n + 1


def fields(n: int, name: str = "x") -> str:
    """Short.

    :param n: a number
    :param str name: a name
    """
    return name * n


def fail(why: str) -> None:
    raise LookupError(why)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def unsendable() -> object:
    return threading.Lock()


def no_json() -> object:
    return object()


def sleep_for_ever(file: str) -> None:
    """Says its process, and that of a child, and sleeps; deaf to polite requests."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    temporary = Path(f"{file}.new")
    temporary.write_text(f"{os.getpid()} {child.pid}")
    temporary.rename(file)
    time.sleep(1000)


def read_stdin() -> str:
    return sys.stdin.read()


def environment() -> list[str]:
    return [Path(entry).name for entry in sys.path]


def large(n: int) -> str:
    return "x" * n
