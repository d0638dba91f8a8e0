"""Settings of one process: the table `[process.NAME]` of `antiphon.toml`."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl

from antiphon.errors import SettingsError
from antiphon.services.names import NAME_PATTERN, Name

__all__ = ["NAME_PATTERN", "Name", "OnShutdown", "ProcessConfig", "Restart", "check_dependencies"]

Restart = Literal["never", "on-failure", "always"]
OnShutdown = Literal["stop", "keep"]

_STOP_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGKILL")


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


def _variable_name(name: str) -> str:
    if not name or "=" in name:
        raise ValueError(f"{name!r} is no name of an environment variable")
    return _without_nul(name)


def _signal_name(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return signal.Signals(value).name
        except ValueError:
            return value
    if not isinstance(value, str):
        return value
    name = value.upper()
    return name if name.startswith("SIG") else f"SIG{name}"


def _known_signal(name: str) -> str:
    if name not in _STOP_SIGNALS:
        raise ValueError(f"{name!r} is not one of {', '.join(_STOP_SIGNALS)}")
    return name


def _off_is_zero(value: object) -> object:
    return 0 if value == "off" else value


Text = Annotated[str, AfterValidator(_without_nul)]
SignalName = Annotated[str, BeforeValidator(_signal_name), AfterValidator(_known_signal)]
LineLimit = Annotated[int, BeforeValidator(_off_is_zero), Field(ge=0, le=2**30)]


class ProcessConfig(BaseModel):
    """A program that Antiphon starts, watches and stops. Nothing starts by itself unless `autostart` is true."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: tuple[Text, ...] = Field(
        min_length=1, description="The program and its arguments as a list of strings; no shell is involved."
    )
    cwd: Path | None = Field(
        default=None,
        description="Directory in which the program runs; relative paths count from the directory of antiphon.toml. "
        "Without it: the directory of antiphon.toml, or where the server was started.",
    )
    env: Mapping[Annotated[str, AfterValidator(_variable_name)], Text] = Field(
        default_factory=dict, description="Environment variables, added to those of the server."
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="TCP port on this machine that the program listens on: it counts as running once the port accepts.",
    )
    url: HttpUrl | None = Field(
        default=None,
        description="Health URL: the program counts as running while a GET is answered with a status from 200 to 399.",
    )
    depends_on: tuple[Name, ...] = Field(
        default=(), description="Names of processes that are started first and must be running before this one starts."
    )
    autostart: bool = Field(default=False, description="Start the program when the server starts.")
    restart: Restart = Field(
        default="never",
        description='When a program that nobody stopped is started again after its end: "never", "on-failure" (exit '
        'code other than 0, or a signal), "always".',
    )
    restart_delay_s: float = Field(
        default=0.5, gt=0, le=3600, description="Seconds before the first restart; doubles with each one that follows."
    )
    restart_max_delay_s: float = Field(
        default=30.0, gt=0, le=86400, description="Upper bound in seconds of the delay before a restart."
    )
    restart_jitter: float = Field(
        default=0.2, ge=0, le=1, description="Part of the delay that is random: 0.2 waits between 80 and 100 percent."
    )
    restart_reset_after_s: float = Field(
        default=60.0,
        gt=0,
        description="A program that stayed alive this many seconds begins again with the first delay.",
    )
    stop_signal: SignalName = Field(
        default="SIGTERM",
        description="Signal that asks the program's process group to end; what is left after `grace_s` is killed.",
    )
    grace_s: float = Field(
        default=10.0, ge=0, le=3600, description="Seconds the whole tree has to end after `stop_signal` before SIGKILL."
    )
    on_shutdown: OnShutdown = Field(
        default="stop",
        description='What happens when the server itself is stopped in order: "stop" ends the program too, "keep" lets '
        "it go on; the next server finds it again with all its lines.",
    )
    start_timeout_s: float = Field(
        default=60.0,
        gt=0,
        le=86400,
        description="Seconds a program may take until `port` and `url` answer; then it is unhealthy. Processes that "
        "depend on it wait as long.",
    )
    health_interval_s: float = Field(
        default=2.0, gt=0, le=3600, description="Seconds between two health checks of a running program."
    )
    health_timeout_s: float = Field(
        default=2.0, gt=0, le=300, description="Seconds one health check may take; longer counts as failed."
    )
    line_limit_bytes: LineLimit = Field(
        default=64 * 1024,
        description='A longer line is cut there and ends with a marker; bytes; 0 or "off" = no limit.',
    )
    stdin: bool = Field(
        default=False,
        description="Whether text can be written to the program's standard input; otherwise it reads end of file.",
    )
    spool_segment_bytes: int = Field(
        default=4 * 1024 * 1024,
        ge=64 * 1024,
        le=2**30,
        description="Size in bytes of one spool file; lines wait in such files until they are in the log.",
    )
    spool_max_bytes: int = Field(
        default=1024 * 1024 * 1024,
        ge=1024 * 1024,
        description="Bound in bytes of all lines that wait on disk (for instance while the server is away); beyond it "
        "the oldest are dropped, and the log says how many.",
    )


def check_dependencies(configs: Mapping[str, ProcessConfig]) -> None:
    """Raise SettingsError where a `depends_on` names no process, or dependencies run in a circle."""
    for name, config in configs.items():
        for other in config.depends_on:
            if other not in configs:
                raise SettingsError(f"process.{name}.depends_on names {other!r}, but there is no [process.{other}]")
    try:
        TopologicalSorter({name: config.depends_on for name, config in configs.items()}).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise SettingsError(f"process.*.depends_on runs in a circle: {circle}") from None
