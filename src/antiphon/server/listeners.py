"""The ports that one process listens on: the main one, and those that dialects have of their own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from antiphon.errors import SettingsError
from antiphon.server.settings import Settings
from antiphon.server.settings.dialects import DialectSettings

BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class Listeners:
    """Sockets that are bound and listen."""

    main: socket.socket
    own: dict[str, socket.socket]  # by dialect

    @property
    def port(self) -> int:
        return port_of(self.main)

    @property
    def ports(self) -> list[int]:
        return [port_of(each) for each in self.all]

    @property
    def all(self) -> list[socket.socket]:
        return [self.main, *self.own.values()]


@contextmanager
def bound(settings: Settings) -> Iterator[Listeners]:
    """Listen on every port that the settings name. Raises SettingsError: which one is taken."""
    with ExitStack() as stack:
        main = stack.enter_context(_listen(settings.server.host, settings.server.port, "choose another with --port"))
        own = {}
        for name in type(settings.dialect).model_fields:
            found: DialectSettings = getattr(settings.dialect, name)
            if found.enabled and found.address is not None:
                advice = f"choose another in dialect.{name}.listen"
                own[name] = stack.enter_context(_listen(found.address.name, found.address.port or 0, advice))
        yield Listeners(main, own)


def _listen(host: str, port: int, advice: str) -> socket.socket:
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as exc:
        raise SettingsError(f"cannot listen on {host} port {port}: {exc.strerror or exc}; {advice}") from exc


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def url_host(host: str) -> str:
    """A host that is listened on, as it stands in a URL."""
    host = host.strip("[]")
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
