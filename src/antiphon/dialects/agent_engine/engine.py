"""The agent engine's protocol as a whole: its socket, its statistics, its health, its test page's address."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from antiphon.dialects.agent_engine.messages import full
from antiphon.dialects.agent_engine.statistics import Statistics
from antiphon.dialects.agent_engine.talk import AgentTalk, Answerer
from antiphon.dialects.base import Ask, Caller, Dialect, Facts, Line, Reply, Route, Talk

SOCKET = "/ws/agent"
STATISTICS = "/ws/statistics"
HEALTH = "/health"
READY = "/ready"
TEST_PAGE = "/static/test_websocket.html"
SERVICE = "agent-engine"

FACTS = Facts(
    name="agent_engine",
    paths=(SOCKET, STATISTICS, HEALTH, READY, TEST_PAGE),
    public=(HEALTH, READY, TEST_PAGE),
    origins=tuple(f"http://{host}:{port}" for port in (3000, 3001, 8080) for host in ("localhost", "127.0.0.1")),
)


class AgentEngine:
    """Makes the dialect.

    Args:
        answerer: Who answers now.
        checks: Which parts are ready, by the protocol's names: engine, llm, tools, memory.
    """

    def __init__(self, answerer: Callable[[], Answerer], checks: Callable[[], Mapping[str, bool]]) -> None:
        self.statistics = Statistics()
        self._answerer = answerer
        self._checks = checks

    def dialect(self) -> Dialect:
        return Dialect(
            facts=FACTS,
            sockets={SOCKET: self._talk},
            full=full,
            routes=(
                Route("GET", STATISTICS, self._report, needs="control server:connections"),
                Route("GET", HEALTH, self._health),
                Route("GET", READY, self._ready),
            ),
            playgrounds=(TEST_PAGE,),
        )

    def _talk(self, line: Line, caller: Caller, _: Mapping[str, str]) -> Talk:
        return AgentTalk(line, caller, self.statistics, self._answerer)

    async def _report(self, _: Ask) -> Reply:
        return Reply(self.statistics.report())

    async def _health(self, _: Ask) -> Reply:
        return Reply({"status": "healthy", "service": SERVICE})

    async def _ready(self, _: Ask) -> Reply:
        checks = dict(self._checks())
        ready = all(checks.values())
        return Reply({"ready": ready, "checks": checks}, status=200 if ready else 503)
