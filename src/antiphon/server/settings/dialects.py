"""Settings of dialects: the tables `[dialect.NAME]`. Files and the environment are read elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from antiphon.server.names import Host, is_loopback, parse_host
from antiphon.server.settings.units import Seconds
from antiphon.services.names import Name
from antiphon.services.processes.config import Text

ANY_PORT = 0


def parse_listen(text: str) -> Host | None:
    """Read `HOST:PORT`, port 0 = any free one; None if it is anything else."""
    name, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():
        return None
    host = parse_host(name)
    if host is None or host.port is not None or int(port) > 65535:
        return None
    return Host(host.name, int(port))


def _listen(text: str) -> str:
    if parse_listen(text) is None:
        raise ValueError("expected HOST:PORT, e.g. '127.0.0.1:5000'")
    return text


class DialectSettings(BaseModel):
    """What can be set for every dialect."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    enabled: bool = Field(default=True, description="Whether it is served at all.")
    listen: Annotated[str, AfterValidator(_listen)] | None = Field(
        default=None,
        description="`HOST:PORT` of a port where it is served alone and whole, at the root, beside the main port. "
        "Not set: on the main port only.",
    )
    pages: Path | None = Field(
        default=None,
        description="Directory of the system's own pages, served at the root of that port; needs `listen`. Relative "
        "paths count from the directory of antiphon.toml.",
    )

    @property
    def address(self) -> Host | None:
        """Where it listens by itself."""
        return None if self.listen is None else parse_listen(self.listen)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach its own port."""
        return self.address is None or is_loopback(self.address.name)


class AgentEngineSettings(DialectSettings):
    """The agent engine's protocol on `/ws/agent`."""

    agent: Name | None = Field(
        default=None,
        description="Who answers: an agent, or a runnable that takes a `prompt`. Not set: the agent `assistant`, or "
        "without one the first.",
    )
    max_connections: int = Field(
        default=1000, ge=1, description="Sockets of this dialect at the same time; one too many is told so and closed."
    )
    heartbeat_s: Seconds = Field(
        default=30.0,
        ge=1,
        le=3600,
        description="Seconds between two pings of the protocol; a client that does not answer within 20 s is gone.",
    )


class BettafishSettings(DialectSettings):
    """BettaFish's live room: `/socket.io/`, consoles, statuses and the forum."""

    env_file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,64}\.env$")] | None = Field(
        default=None,
        description="Name of a file in the data directory, e.g. `bettafish.env`, in which the configuration dialog "
        "keeps its values; it is written and read, never executed. Not set: the dialog cannot store anything.",
    )
    report: tuple[Text, ...] = Field(
        default=(),
        description="The program that writes reports, and its arguments, as a list of strings; each report is a run. "
        "Empty: the report pages say that there is none.",
    )
    report_cwd: Path | None = Field(
        default=None,
        description="Directory in which that program runs; relative paths count from the directory of antiphon.toml. "
        "Without it: where the server was started.",
    )


class DialectsSettings(BaseModel):
    """All dialects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent_engine: AgentEngineSettings = Field(default_factory=AgentEngineSettings)
    bettafish: BettafishSettings = Field(default_factory=BettafishSettings)

    @property
    def namespaces(self) -> frozenset[str]:
        """Of Socket.IO, that dialects have for themselves."""
        return frozenset({"/"} if self.bettafish.enabled else ())
