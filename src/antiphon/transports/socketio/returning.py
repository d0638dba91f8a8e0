"""A client that was cut off comes back: what it had is given to its new connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from antiphon.hub.outlet import Subscription
from antiphon.messages import Cursor
from antiphon.transports.socketio.endings import REPLACED
from antiphon.transports.socketio.engine import Piece
from antiphon.transports.socketio.hearing import Hearing
from antiphon.transports.socketio.peer import Peer
from antiphon.transports.socketio.recovery import Kept, Left


class Resumed(NamedTuple):
    """Where a client goes on."""

    left: Left
    missed: Sequence[Sequence[Piece]]  # that was said to it alone
    subscriptions: Sequence[Subscription]  # placed, not begun


class Claim(NamedTuple):
    """What a client says about its earlier connection."""

    pid: str
    offset: str | None  # None = it has no event


def claim_of(auth: Any) -> tuple[Claim | None, Any]:
    """What the stock client adds to its credentials, and the credentials without it."""
    if not isinstance(auth, dict) or not isinstance(auth.get("pid"), str):
        return None, auth
    offset = auth.get("offset")
    rest = {key: value for key, value in auth.items() if key not in ("pid", "offset")}
    return Claim(auth["pid"], offset if isinstance(offset, str) else None), rest or None


async def resume(kept: Kept, claim: Claim, user: Any, hearing: Hearing) -> Resumed | None:
    """Find what the client had and place its cursors; None = it begins anew."""
    left = kept.take(claim.pid, user, _end)
    cursors = None if left is None else left.trail.cursors(claim.offset)
    if left is None or cursors is None:
        return None
    hearing.leave_trails()
    subscriptions = await _place(hearing, cursors)
    missed = None if subscriptions is None else left.trail.resume(claim.offset, cursors)
    if subscriptions is None or missed is None:
        for channel in cursors:
            hearing.unfollow(channel)
        return None
    for channel in cursors:
        hearing.follow_again(channel, left.trail)
    return Resumed(left, missed, subscriptions)


async def _place(hearing: Hearing, cursors: Mapping[str, Cursor]) -> list[Subscription] | None:
    """None = something of what was missed is not kept any more."""
    placed = []
    for channel, cursor in cursors.items():
        subscription, told = await hearing.place(channel, cursor)
        placed.append(subscription)
        if not told.recovered:
            return None
    return placed


def _end(peer: Peer) -> None:
    peer.drop(REPLACED)
