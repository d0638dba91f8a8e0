"""The same for programs without an event loop; each call waits."""

from __future__ import annotations

from antiphon.client.agents.blocking import _Twin, waiting
from antiphon.client.forum.asking import Forum


class BlockingForum(_Twin[Forum]):
    """As Forum."""

    get = waiting(Forum.get)
    post = waiting(Forum.post)
    mute = waiting(Forum.mute)
    call_host = waiting(Forum.call_host)
    stop_host = waiting(Forum.stop_host)
    set_threshold = waiting(Forum.set_threshold)
    replay = waiting(Forum.replay)
