"""The agents that there are: from settings, imported, or offered by the embedding program."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from antiphon.errors import InvalidParams, NotFound, SettingsError
from antiphon.services.agents.config import OFFLINE, AgentConfig
from antiphon.services.agents.registry import Registry, approval
from antiphon.services.agents.values import AgentInput
from antiphon.services.table import Row
from antiphon.services.tools import Tool

if TYPE_CHECKING:  # loading it takes a second: agents of the settings do without until they are asked
    from pydantic_ai.agent import AbstractAgent

Problem = Callable[[str], str | None]
Source = Literal["settings", "import", "python"]


@dataclass(frozen=True)
class Offer:
    """One agent.

    An agent of somebody's own keeps its model, tools and instructions; what its settings name comes instead of the
    model, and beside the others.
    """

    name: str
    config: AgentConfig
    agent: AbstractAgent[Any, Any] | None  # None = it is made of its settings alone
    source: Source
    deps: Any = None

    @property
    def models(self) -> list[str]:
        """The models that a question may name; empty = only the agent's own."""
        named = [] if self._has_own_model else list(self.config.model)
        return list(dict.fromkeys([*named, *self.config.models]))

    @property
    def tools(self) -> Sequence[str]:
        """The registered tools that it may call, as patterns."""
        return self.config.tools if self.source == "settings" or "tools" in self.config.model_fields_set else ()

    @property
    def _has_own_model(self) -> bool:
        return self.agent is not None and self.agent.model is not None and "model" not in self.config.model_fields_set

    def check(self, wanted: AgentInput) -> None:
        """Raise InvalidParams where a question names a model that it does not have."""
        if wanted.model is not None and wanted.model not in self.models:
            known = ", ".join(self.models) or "none to choose from"
            raise InvalidParams(f"{self.name} has these models: {known}", pointer="/params/input/model")

    def chain(self, wanted: AgentInput) -> Sequence[str] | None:
        """The models to ask, one after the other; None = the agent's own."""
        if wanted.model is not None:
            return [wanted.model]
        return None if self._has_own_model else self.config.model

    def instructions(self, wanted: AgentInput) -> list[str]:
        """What is told to the model beside what the agent tells by itself."""
        return [text for text in (self.config.instructions, wanted.instructions) if text]

    def row(self, problem: Problem, registry: Registry) -> Row:
        """What `agent.list` says of it.

        Args:
            problem: Given a model, why it cannot be used; None = it can, as far as is known.
        """
        own = self.agent if self._has_own_model else None
        problems = [problem(name) for name in self.config.model]
        return {
            "name": self.name,
            "title": self.config.title or self.name,
            "description": self.config.description or (self.agent.description if self.agent else None),
            "model": self.config.model[0] if own is None else _called(own.model),
            "models": self.models,
            "is_offline": own is None and self.config.model[0] == OFFLINE,
            "tools": [*([] if self.agent is None else _own_tools(self.agent)), *self._tool_rows(registry)],
            "if_busy": self.config.if_busy,
            "on_disconnect": self.config.on_disconnect,
            "source": self.source,
            "problem": None if own is not None or None in problems else problems[0],
        }

    def _tool_rows(self, registry: Registry) -> list[Row]:
        needed = approval(self.config.needs_approval)
        return [{**tool.row(), "needs_approval": needed(tool)} for tool in self.known_tools(registry)]

    def known_tools(self, registry: Registry) -> list[Tool]:
        """Those of its tools that are registered now."""
        found: dict[str, Tool] = {}
        for pattern in self.tools:
            try:
                found |= {tool.name: tool for tool in registry.select([pattern])}
            except NotFound:
                continue  # a run of it says so
        return list(found.values())


def from_settings(name: str, config: AgentConfig) -> Offer:
    """The agent of `[agent.NAME]`. Raises SettingsError."""
    if config.import_ is not None:
        return Offer(name, config, imported(config.import_, f"agent.{name}.import"), "import")
    return Offer(name, config, None, "settings")


def imported(place: str, key: str) -> AbstractAgent[Any, Any]:
    """What `module:agent` names. Raises SettingsError."""
    from pydantic_ai.agent import AbstractAgent

    module, _, path = place.partition(":")
    try:
        value: Any = importlib.import_module(module)
        for part in path.split("."):
            value = getattr(value, part)
    except AttributeError:
        raise SettingsError(f"{key}: {module} has no {path!r}") from None
    except Exception as exc:  # whatever a module of the user's does while it is imported
        raise SettingsError(f"{key}: {module} cannot be imported: {type(exc).__name__}: {exc}") from exc
    if not isinstance(value, AbstractAgent):
        raise SettingsError(f"{key}: {place} is no pydantic-ai Agent but {type(value).__name__}")
    return value


def _called(model: Any) -> str | None:
    return model if isinstance(model, str) else getattr(model, "model_name", None)


def _own_tools(agent: AbstractAgent[Any, Any]) -> list[Row]:
    """The tools that an agent brings along, where they can be known before it runs."""
    from pydantic_ai.toolsets import FunctionToolset

    return [
        {
            "name": name,
            "description": tool.description or "",
            "parameters": tool.function_schema.json_schema,
            "needs_approval": tool.requires_approval,
            "source": "python",
        }
        for toolset in agent.toolsets
        if isinstance(toolset, FunctionToolset)
        for name, tool in toolset.tools.items()
    ]
