"""Every setting: unit, default and meaning. Frozen once read; nothing else reads files or the environment."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WrapSerializer

from antiphon.server.access import check_grant
from antiphon.server.names import is_loopback, parse_host, parse_origin
from antiphon.server.settings.dialects import DialectsSettings
from antiphon.server.settings.retention import RetentionRule, check_pattern
from antiphon.server.settings.units import Bytes, Seconds, Unlimited
from antiphon.server.settings.volatile import VolatileRule
from antiphon.services.agents.config import AgentConfig, ModelConfig
from antiphon.services.forum.config import ForumConfig
from antiphon.services.logs.config import LogConfig
from antiphon.services.processes.config import Name, ProcessConfig
from antiphon.services.runs.config import RunsConfig
from antiphon.services.tools.config import McpConfig, ToolsConfig

RESERVED_USERS = ("local", "operator")

_FrozenMap = (
    AfterValidator(MappingProxyType),
    WrapSerializer(lambda value, serialize: serialize(dict(value))),
)


class Group(BaseModel):
    """A table of `antiphon.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _host_name(text: str) -> str:
    host = parse_host(text)
    if host is None:
        raise ValueError("expected a name as browsers send it, 'name' or 'name:port' (no '*', no scheme, ASCII: xn--…)")
    return str(host)


def _origin(text: str) -> str:
    if parse_origin(text) is None:
        raise ValueError("expected an origin such as 'https://app.example' (no '*', no 'null', no path)")
    return text.lower()


def _network(value: Any) -> Any:
    try:
        return ip_network(str(value), strict=False)
    except ValueError:
        raise ValueError("expected an address or a network such as '10.0.0.0/8'") from None


def _user_name(name: str) -> str:
    if name in RESERVED_USERS:
        raise ValueError(f"is reserved; {' and '.join(RESERVED_USERS)} are made by the server")
    return name


HostName = Annotated[str, AfterValidator(_host_name)]
OriginText = Annotated[str, AfterValidator(_origin)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{1,64}$"), AfterValidator(_user_name)]


class ServerSettings(Group):
    """Where the server listens and to whom it answers."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on. Anything but this machine's loopback addresses needs `server.auth`.",
    )
    port: int = Field(default=8003, ge=0, le=65535, description="TCP port to listen on; 0 = any free one.")
    data: Path = Field(
        default=Path("data"),
        description="Directory of the log, the tokens and the processes' files; made if missing, used by one server "
        "at a time. Relative paths count from the directory of antiphon.toml.",
    )
    auth: bool | None = Field(
        default=None,
        description="Whether users must log in. Not set: yes as soon as there is a `[users.NAME]` or a trusted proxy. "
        "Without it everybody on this machine is the user `local` with all grants.",
    )
    allowed_hosts: tuple[HostName, ...] = Field(
        default=(),
        description="Names (`name` or `name:port`) under which the server may be addressed, beside `localhost`, "
        "loopback addresses and `server.host`.",
    )
    allowed_origins: tuple[OriginText, ...] = Field(
        default=(),
        description="Origins (`https://app.example`) whose pages may use the server, beside its own pages.",
    )
    trusted_proxies: tuple[Network, ...] = Field(
        default=(),
        description="Addresses or networks of proxies whose `X-Forwarded-For`, `-Host` and `-Proto` are believed.",
    )

    sockets: Literal["auto", "asgi"] = Field(
        default="auto",
        description="How `antiphon serve` carries hot WebSockets: `auto` = on a path of their own, with less memory "
        "and work for each; `asgi` = like any other ASGI server, to compare or to search for a fault.",
    )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host.strip("[]").lower())


class LimitSettings(Group):
    """What one client may use."""

    message_bytes: Bytes = Field(
        default=2**20, ge=1024, le=2**30, description="Longest message or request body, in bytes."
    )
    nesting: int = Field(default=64, ge=4, le=512, description="Deepest nesting of arrays and objects in a message.")
    subscriptions: int = Field(default=1000, ge=1, description="Subscriptions of one connection.")
    queued_bytes: Bytes = Field(
        default=2**20,
        ge=64 * 1024,
        description="Bytes that wait for one connection; beyond them it reads from the log at its own pace.",
    )
    connections: int = Field(default=20_000, ge=1, description="Sockets and streams at the same time.")
    stalled_s: Seconds = Field(
        default=30.0, gt=0, description="Seconds after which a connection that accepts no byte is closed."
    )
    publishes_per_s: Annotated[float | None, Field(gt=0), Unlimited] = Field(
        default=None,
        description="Events that one user may publish per second; `unlimited`. Never applies to the user `local`.",
    )


class StorageSettings(Group):
    """How the log is stored."""

    synchronous: Literal["full", "normal"] = Field(
        default="full",
        description="`full`: what was acknowledged survives a power cut. `normal`: it survives the death of the "
        "server, but a power cut may take the last moments; faster on slow disks.",
    )


class UserSettings(Group):
    """Somebody who may log in; `antiphon token NAME` prints these lines."""

    token_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)] = Field(
        description="SHA-256 of the user's token, 64 hexadecimal digits. The token itself is stored nowhere."
    )
    grants: tuple[Annotated[str, AfterValidator(check_grant)], ...] = Field(
        default=(),
        description="What the user may do: `read GLOB`, `publish GLOB`, `control KIND:GLOB`, or `*` for everything.",
    )


Importable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_.]*$")]


class RunnableSettings(Group):
    """A function that can be started as a run."""

    import_: Importable = Field(
        alias="import",
        description="The function as `module:function`; the directory of antiphon.toml is looked in first. It is "
        "imported when the server starts.",
    )


class SocketIoSettings(Group):
    """Socket.IO for code of one's own."""

    import_: tuple[Importable, ...] = Field(
        default=(),
        alias="import",
        description="Namespaces (`antiphon.Namespace`) as `module:name`; the directory of antiphon.toml is looked in "
        "first. They are imported when the server starts, and served at `/socket.io/`.",
    )


class Settings(Group):
    """All of it."""

    server: ServerSettings = Field(default_factory=ServerSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    retention: Annotated[Mapping[Annotated[str, AfterValidator(check_pattern)], RetentionRule], *_FrozenMap] = Field(
        default_factory=dict, validate_default=True
    )
    volatile: Annotated[Mapping[Annotated[str, AfterValidator(check_pattern)], VolatileRule], *_FrozenMap] = Field(
        default_factory=dict, validate_default=True
    )
    users: Annotated[Mapping[UserName, UserSettings], *_FrozenMap] = Field(default_factory=dict, validate_default=True)
    process: Annotated[Mapping[Name, ProcessConfig], *_FrozenMap] = Field(default_factory=dict, validate_default=True)
    log: Annotated[Mapping[Name, LogConfig], *_FrozenMap] = Field(default_factory=dict, validate_default=True)
    runs: RunsConfig = Field(default_factory=RunsConfig)
    runnable: Annotated[Mapping[Name, RunnableSettings], *_FrozenMap] = Field(
        default_factory=dict, validate_default=True
    )
    agent: Annotated[Mapping[Name, AgentConfig], *_FrozenMap] = Field(default_factory=dict, validate_default=True)
    model: Annotated[Mapping[Name, ModelConfig], *_FrozenMap] = Field(default_factory=dict, validate_default=True)
    tools: ToolsConfig = Field(default_factory=ToolsConfig)
    mcp: Annotated[Mapping[Name, McpConfig], *_FrozenMap] = Field(default_factory=dict, validate_default=True)
    forum: ForumConfig = Field(default_factory=ForumConfig)
    socketio: SocketIoSettings = Field(default_factory=SocketIoSettings)

    dialect: DialectsSettings = Field(default_factory=DialectsSettings)

    @property
    def auth(self) -> bool:
        """Whether users must log in."""
        if self.server.auth is None:
            return bool(self.users or self.server.trusted_proxies)
        return self.server.auth
