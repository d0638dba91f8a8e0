"""`live.forum`. What is said comes with `live.subscribe("forum:main")`."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.client.agents.asking import REQUEST_S, Ask
from antiphon.client.forum import rows
from antiphon.client.forum.rows import ForumHost, ForumState, Replayed, Speech
from antiphon.client.run.port import new_id

MAIN = "main"


class Forum:
    """The conversation of the server's agents. All raise NotFound where the server has none."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def get(self, name: str = MAIN, *, timeout_s: float | None = REQUEST_S) -> ForumState:
        """Who speaks, and what the host does; other names are those of replayed files."""
        return rows.read_forum(await self._ask("forum.get", {"name": name}, True, timeout_s))

    async def post(
        self,
        text: str,
        *,
        source: str | None = None,
        speech_id: str | None = None,
        timeout_s: float | None = REQUEST_S,
    ) -> Speech:
        """Say something, exactly once however often the connection is lost.

        Args:
            source: The agent that says it, e.g. "INSIGHT"; None = the person whom the server knows one as.
            speech_id: One of your own, so that a program that tries again says it once; 1 to 64 of A-Z a-z 0-9 _ -
        Raises:
            KeyConflict: The id was used for something else.
            InvalidParams: Nobody may speak as this source.
        """
        params = {"text": text, "speech_id": new_id("post") if speech_id is None else speech_id}
        if source is not None:
            params["source"] = source
        return rows.read_posted(await self._ask("forum.post", params, True, timeout_s))

    async def mute(self, source: str, *, muted: bool = True, timeout_s: float | None = REQUEST_S) -> ForumState:
        """The host does not hear a muted source, and `forum.log` has nothing of it. Muting HOST silences the host."""
        params = {"source": source, "muted": muted}
        return rows.read_forum(await self._ask("forum.mute", params, True, timeout_s))

    async def call_host(self, *, timeout_s: float | None = REQUEST_S) -> ForumHost:
        """Let the host speak now, about what it has not heard.

        Raises:
            ConflictError: It is speaking or muted, or nothing was said since.
            ConnectionLost: Whether it was called is not known.
        """
        return rows.read_host(await self._ask("forum.call_host", {}, False, timeout_s))

    async def stop_host(self, *, timeout_s: float | None = REQUEST_S) -> ForumHost:
        """Stop the host in mid-sentence; does nothing where it is silent."""
        return rows.read_host(await self._ask("forum.stop_host", {}, True, timeout_s))

    async def set_threshold(self, threshold: int, *, timeout_s: float | None = REQUEST_S) -> ForumState:
        """After how many speeches of agents the host speaks: 1 to 1000."""
        return rows.read_forum(await self._ask("forum.set_threshold", {"threshold": threshold}, True, timeout_s))

    async def replay(self, name: str, records: str | Sequence[str], *, timeout_s: float | None = REQUEST_S) -> Replayed:
        """Read an old `forum.log` into the forum `name`; the same records again change nothing.

        Args:
            records: The text of the file, or its lines; at most a message of the server's limit, 1 MiB usually.
        Raises:
            ConflictError: That forum has other content, or is `main`.
        """
        given = {"text": records} if isinstance(records, str) else {"lines": list(records)}
        return rows.read_replayed(await self._ask("forum.replay", {"name": name, **given}, True, timeout_s))
