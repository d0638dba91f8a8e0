"""Puts together what one listener says over Socket.IO: its dialects and the embedding program's namespaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from antiphon.dialects.base import Space
from antiphon.server.core import Core
from antiphon.server.socketio.site import SocketSite
from antiphon.server.socketio.spaces import ROOT, root_namespace, speakers_of
from antiphon.transports.socketio.namespace import Namespace
from antiphon.transports.socketio.rooms import FAMILY, open_rooms


def open_site(core: Core, spaces: Sequence[Space], namespaces: Mapping[str, Namespace]) -> SocketSite:
    """Socket.IO for one listener; where there are dialects, `/` is theirs."""
    found = dict(namespaces)
    if spaces:
        found[ROOT] = root_namespace(core, spaces)
    return SocketSite(core, found, {FAMILY: open_rooms(core.hub, found), **speakers_of(spaces)})
