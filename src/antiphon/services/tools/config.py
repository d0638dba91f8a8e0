"""Settings of the tools: `[tools]`, and `[mcp.NAME]` for servers whose tools are offered here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

HOST_PATTERN = (
    r"^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?(:[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?$"
)
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
HEADER_PATTERN = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name[:80]!r} is no time zone such as 'Europe/Berlin'") from None
    return name


AllowedHost = Annotated[str, StringConstraints(pattern=HOST_PATTERN)]
Variable = Annotated[str, StringConstraints(pattern=VARIABLE_PATTERN)]
HeaderName = Annotated[str, StringConstraints(pattern=HEADER_PATTERN)]
Zone = Annotated[str, AfterValidator(_zone)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ClockConfig(_Table):
    """The tool `clock`."""

    zone: Zone = Field(default="UTC", description="Time zone that counts where a call names none.")


class DocumentsConfig(_Table):
    """The tool `search_documents`: full-text search in a folder."""

    folder: Path = Field(
        description="Folder whose files are searched; relative paths count from the directory of antiphon.toml."
    )
    glob: tuple[str, ...] = Field(
        default=("**/*.md", "**/*.txt", "**/*.rst"),
        min_length=1,
        description="Which files are searched: globs below the folder. Hidden files and folders never are.",
    )
    max_bytes: int = Field(
        default=2 * 1024 * 1024, ge=1, le=2**30, description="Larger files are left out; bytes of one file."
    )
    max_files: int = Field(default=10_000, ge=1, le=1_000_000, description="Files beyond this number are left out.")


class FetchConfig(_Table):
    """The tool `fetch`: reads pages of hosts that are allowed."""

    allow: tuple[AllowedHost, ...] = Field(
        min_length=1,
        description='Hosts that may be asked: "example.com", "*.example.org" (its subdomains), either with ":PORT"; '
        "without a port, 80 and 443.",
    )
    private: bool = Field(
        default=False,
        description="Whether an allowed host may have a private, loopback or link-local address.",
    )
    max_bytes: int = Field(default=1024 * 1024, ge=1024, le=2**28, description="Bytes of a page that are read.")
    max_chars: int = Field(default=20_000, ge=100, le=10_000_000, description="Characters of text that are returned.")
    timeout_s: float = Field(default=20.0, gt=0, le=600, description="Seconds for a page with all its redirects.")
    max_redirects: int = Field(default=5, ge=0, le=20, description="Redirects that are followed; each is checked.")


class ToolsConfig(_Table):
    """The tools that the server brings along. `calculator` and `clock` are always there."""

    clock: ClockConfig = Field(default_factory=ClockConfig)
    documents: DocumentsConfig | None = None  # None = no tool `search_documents`
    fetch: FetchConfig | None = None  # None = no tool `fetch`


class McpConfig(_Table):
    """An MCP server whose tools are offered as the source `mcp:NAME`."""

    command: tuple[Annotated[str, StringConstraints(min_length=1)], ...] | None = Field(
        default=None, min_length=1, description="Program that speaks MCP over stdin and stdout, with its arguments."
    )
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = Field(
        default=None, description="Address of a server that speaks MCP over HTTP (streamable HTTP)."
    )
    env: Mapping[Variable, str] = Field(
        default_factory=dict,
        description="Environment variables of the program, added to a few harmless ones (HOME, PATH, USER ...).",
    )
    env_from: tuple[Variable, ...] = Field(
        default=(), description="Names of the server's own environment variables that the program is given too."
    )
    cwd: Path | None = Field(
        default=None, description="Directory of the program; relative paths count from the directory of antiphon.toml."
    )
    headers_env: Mapping[HeaderName, Variable] = Field(
        default_factory=dict,
        description="HTTP headers whose values stand in environment variables: "
        '{ Authorization = "SEARCH_AUTHORIZATION" }.',
    )
    timeout_s: float = Field(default=60.0, gt=0, le=3600, description="Seconds one call of a tool may take.")
    connect_timeout_s: float = Field(
        default=20.0, gt=0, le=600, description="Seconds until the server must have answered with its tools."
    )
    needs_approval: bool | tuple[str, ...] = Field(
        default=False, description="Whether a person is asked before a call: of every tool, or of those named."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("give either `command` or `url`")
        if self.url is not None and (self.env or self.env_from or self.cwd):
            raise ValueError("`env`, `env_from` and `cwd` are for a `command`")
        if self.command is not None and self.headers_env:
            raise ValueError("`headers_env` is for a `url`")
        return self
