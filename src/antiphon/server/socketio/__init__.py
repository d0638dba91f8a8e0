"""Socket.IO in the server: what answers at `/socket.io/` of each listener."""

from antiphon.server.socketio.opening import open_site
from antiphon.server.socketio.site import PATH, SocketSite

__all__ = ["PATH", "SocketSite", "open_site"]
