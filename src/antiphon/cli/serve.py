"""`antiphon serve`."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from antiphon.cli.options import ConfigFile, Data


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port to listen on (default: 8003); 0: any free one.")] = None,
    data: Data = None,
    config: ConfigFile = None,
) -> None:
    """Serve channels, processes and the control room until Ctrl-C.

    Settings: flags, then ANTIPHON_* variables, then antiphon.toml;
    `antiphon config` shows them. Beyond this machine it needs users
    (`antiphon token NAME`).

    [bold]Examples[/bold]
    antiphon serve
    antiphon serve --port 9000 --data /var/lib/antiphon
    antiphon serve --config deploy/antiphon.toml
    """
    from antiphon.server.run import serve as serve_until_stopped  # the server's packages, only here
    from antiphon.server.settings import load

    loaded = load(config, {"host": host, "port": port, "data": data}, os.environ)
    _log_to_stderr()

    def announce(address: str) -> None:
        read = loaded.file.name if loaded.file else "defaults (no antiphon.toml here)"
        typer.echo(f"Antiphon is ready: {address}")
        typer.echo(f"data {loaded.settings.server.data} · settings {read} · Ctrl-C stops")
        sys.stdout.flush()

    serve_until_stopped(loaded, announce=announce)


def _log_to_stderr() -> None:
    """The server's own log: standard error, readable at a terminal, JSON lines elsewhere."""
    import structlog

    is_terminal = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer(
        colors=is_terminal and "NO_COLOR" not in os.environ,
        exception_formatter=structlog.dev.plain_traceback,  # drawing all locals can take seconds, in the loop
    )
    if not is_terminal:
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not is_terminal),
            *([] if is_terminal else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
