"""Variables that other systems document and we honour: below `antiphon.toml` and our own, above the defaults.

They have short names that others use too: shells set `HOST` to the machine's name, platforms set `PORT`. So what cannot
be meant for us is left alone, with a warning where somebody may wonder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from antiphon.server.names import parse_address
from antiphon.server.settings.model import Settings
from antiphon.server.settings.origins import Assignment, Key, Origin

HOST: Key = ("server", "host")


def _address(text: str) -> str:
    if parse_address(text) is None:
        raise LookupError  # the machine's name, set by a shell
    return text


def _number(low: float, high: float, kind: Callable[[str], float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return read


class Variable(NamedTuple):
    key: Key
    read: Callable[[str], Any]  # raises ValueError: not used, and said so; LookupError: not meant for us
    expected: str


VARIABLES: Mapping[str, Variable] = {
    "HOST": Variable(HOST, _address, "an address"),
    "PORT": Variable(("server", "port"), _number(0, 65535, int), "a port"),
    "WS_MAX_CONNECTIONS": Variable(
        ("dialect", "agent_engine", "max_connections"), _number(1, 2**31, int), "a number of connections"
    ),
    "WS_HEARTBEAT_INTERVAL": Variable(
        ("dialect", "agent_engine", "heartbeat_s"), _number(1, 3600, float), "a number of seconds from 1 to 3600"
    ),
}


def from_foreign(environ: Mapping[str, str]) -> tuple[list[Assignment], list[str]]:
    """What these variables say, and warnings about what they say and we cannot use."""
    assignments, warnings = [], []
    for name, variable in VARIABLES.items():
        text = environ.get(name, "").strip()
        if not text:
            continue
        try:
            assignments.append(Assignment(variable.key, variable.read(text), Origin("environment", name)))
        except LookupError:
            continue
        except ValueError:
            warnings.append(f"{name}={text[:60]}: expected {variable.expected}; it is not used")
    return assignments, warnings


def is_beyond_reach(settings: Settings, origin: Origin) -> bool:
    """Whether `HOST` alone would make a server without users reachable from other machines."""
    return origin.name == "HOST" and not settings.server.is_loopback and not settings.auth


def without_host(assignments: list[Assignment]) -> tuple[list[Assignment], str]:
    """The same without `HOST`, and the warning that says what to do."""
    host = next(str(value) for key, value, origin in assignments if key == HOST and origin.name == "HOST")
    kept = [each for each in assignments if each.key != HOST or each.origin.name != "HOST"]
    return kept, (
        f"HOST={host} would let other machines in, and nobody would have to log in: listening on this machine only. "
        "To be reached from elsewhere set server.host, and server.auth = true or a user ('antiphon token NAME')"
    )
