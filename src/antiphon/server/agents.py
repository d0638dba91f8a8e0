"""What the server adds to its agents and tools: that agents need an extra, and what an embedding program offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from antiphon.errors import ConflictError
from antiphon.hub import Hub
from antiphon.server.settings import Settings
from antiphon.server.settings.extras import AGENTS, is_installed
from antiphon.services.agents import AgentConfig
from antiphon.services.questions import Questions
from antiphon.services.runs import Runs
from antiphon.services.tools import Tool, Tools

if TYPE_CHECKING:  # it needs the extra
    from antiphon.services.agents.service import Agents


class OwnAgent(NamedTuple):
    """A pydantic-ai agent of the program that embeds us."""

    name: str
    agent: Any
    deps: Any
    config: AgentConfig | None


@dataclass
class Offered:
    """Tools and agents of the embedding program: kept until the server runs, and given to each server that does."""

    tools: list[Tool] = field(default_factory=list)
    agents: list[OwnAgent] = field(default_factory=list)
    _service: tuple[Tools, Agents | None] | None = None  # while the server runs

    def add_tool(self, tool: Tool) -> None:
        """Raises ConflictError: the name is taken."""
        if any(tool.name == other.name for other in self.tools):
            raise ConflictError(f"there is a tool {tool.name!r} already")
        if self._service is not None:
            self._service[0].register(tool)
        self.tools.append(tool)

    def add_agent(self, own: OwnAgent) -> None:
        """Raises ConflictError: the name is taken."""
        if any(own.name == other.name for other in self.agents):
            raise ConflictError(f"there is an agent {own.name!r} already")
        if self._service is not None:
            _offer(self._service[1], own)
        self.agents.append(own)

    def begin(self, tools: Tools, agents: Agents | None) -> None:
        """The server runs. Raises ConflictError: a name is taken."""
        for tool in self.tools:
            tools.register(tool)
        for own in self.agents:
            _offer(agents, own)
        self._service = tools, agents

    def end(self) -> None:
        """The server ends."""
        self._service = None


def new_agents(hub: Hub, runs: Runs, questions: Questions, tools: Tools, settings: Settings) -> Agents | None:
    """The service of agents, to be entered; None where its extra is not installed. Raises SettingsError."""
    if not is_installed(AGENTS):
        return None
    from antiphon.services.agents.service import Agents

    return Agents(hub, runs, questions, tools, settings.agent, settings.model)


def _offer(agents: Agents | None, own: OwnAgent) -> None:
    if agents is None:
        raise ConflictError("agents need pip install 'antiphon[agents]'")
    agents.offer(own.name, own.agent, deps=own.deps, config=own.config)
