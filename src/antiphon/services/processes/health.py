"""Whether a program answers on its port and its URL."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import httpx2

from antiphon.services.backoff import Backoff
from antiphon.services.processes.config import ProcessConfig

_FIRST_PAUSE_S = 0.05  # between the first checks; doubles up to the interval
_LOOPBACK = ("127.0.0.1", "::1")


async def probe(config: ProcessConfig, client: HealthClient) -> str | None:
    """Ask once, with the configured deadline. None = it answers; otherwise why it does not, in words."""
    deadline_s = config.health_timeout_s
    try:
        async with asyncio.timeout(deadline_s):
            if config.port is not None and not await _accepts(config.port):
                return f"port {config.port} does not accept connections"
            return None if config.url is None else await _answers(str(config.url), client.open())
    except TimeoutError:
        return f"no answer within {deadline_s:g} s"


async def changes(config: ProcessConfig, client: HealthClient, started_s: float) -> AsyncIterator[str | None]:
    """Ask again and again, and yield what `probe` said whenever that changes.

    Before the first good answer the program has `start_timeout_s`: until then nothing is yielded.

    Args:
        config: What to ask, and how often.
        client: Asks its URL.
        started_s: Unix time of the program's start.
    """
    pause = Backoff(_FIRST_PAUSE_S, config.health_interval_s, jitter=0.0)
    was_up = False
    reported: str | None = ""
    while True:
        problem = await probe(config, client)
        was_up = was_up or problem is None
        patient = not was_up and time.time() - started_s < config.start_timeout_s
        if problem != reported and not patient:
            yield problem
            reported = problem
        await asyncio.sleep(config.health_interval_s if was_up else pause.next_s())


def has_probe(config: ProcessConfig | None) -> bool:
    """Whether there is anything to ask."""
    return config is not None and (config.port is not None or config.url is not None)


class HealthClient:
    """Asks URLs: no proxies, no redirects, no connection kept; the deadline is the probe's."""

    def __init__(self) -> None:
        self._client: httpx2.AsyncClient | None = None

    def open(self) -> httpx2.AsyncClient:
        """Made by the first question: reading the authorities' certificates takes longer than many a server's start."""
        if self._client is None:
            limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
            self._client = httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=None, limits=limits)
        return self._client

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()


async def _accepts(port: int) -> bool:
    for host in _LOOPBACK:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            continue
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True
    return False


async def _answers(url: str, client: httpx2.AsyncClient) -> str | None:
    try:
        async with client.stream("GET", url) as response:  # the body does not matter and may be endless
            status = response.status_code
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return f"{url} does not answer: {error or type(error).__name__}"
    return None if 200 <= status < 400 else f"{url} answers {status}"
