"""The models that agents name, made once and kept: from settings, by the library's own names, and the offline one."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import structlog
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.providers import infer_provider_class
from pydantic_ai.settings import ModelSettings

from antiphon.services.agents.config import OFFLINE, ModelConfig
from antiphon.services.agents.failures import ModelFailed
from antiphon.services.agents.offline import OfflineModel

NO_KEY = "none"  # servers of one's own do not look at it, the library insists on one
SECRET = 8  # characters; nothing shorter is searched for in errors
_log = structlog.get_logger(__name__)


class Models:
    """Models by name. One that cannot be made, for want of a key or a package, keeps the reason."""

    def __init__(self, configs: Mapping[str, ModelConfig], environ: Mapping[str, str] = os.environ) -> None:
        self._configs = configs
        self._environ = environ
        self._made: dict[str, Model] = {}
        self._problems: dict[str, str] = {}
        named = {config.api_key_env for config in configs.values()}
        self._secrets = {
            value for name, value in environ.items() if len(value) >= SECRET and (name in named or _is_key(name))
        }
        self._open: set[str] = set()
        self._stack = AsyncExitStack()

    def make(self, names: Iterable[str]) -> None:
        """Make these now: loading a provider's package takes a second in which nothing else would go on."""
        for name in sorted(names):
            self.problem(name)

    def problem(self, name: str) -> str | None:
        """Why this model cannot be used; None = it can, as far as is known before asking it."""
        if name not in self._made and name not in self._problems:
            self._make(name)
        return self._problems.get(name)

    async def chain(self, names: Sequence[str]) -> Model:
        """One model that asks the next where one fails; those that cannot be used are left out.

        Raises:
            ModelFailed: None of them can be used; says why.
        """
        problems = [problem for name in names if (problem := self.problem(name)) is not None]
        found = [await self._entered(name) for name in names if self.problem(name) is None]
        if not found:
            raise ModelFailed("; ".join(problems))
        return found[0] if len(found) == 1 else FallbackModel(*found)

    def scrub(self, text: str) -> str:
        """A text without the keys of this process."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    async def close(self) -> None:
        """Close their connections."""
        await self._stack.aclose()

    def _make(self, name: str) -> None:
        try:
            self._made[name] = self._model(name)
        except (UserError, ImportError, ValueError, TypeError) as error:
            self._problems[name] = problem = self.scrub(f"model {name!r} cannot be used: {error}")
            _log.warning("model not available", model=name, error=problem)

    def _model(self, name: str) -> Model:
        if name == OFFLINE:
            return OfflineModel()
        config = self._configs.get(name)
        return infer_model(name) if config is None else self._configured(config)

    def _configured(self, config: ModelConfig) -> Model:
        provider = infer_provider_class(config.provider)(**self._given(config))
        named = "openai-chat" if config.provider == "openai" and config.base_url else config.provider
        kind: Any = type(infer_model(f"{named}:{config.name}", provider_factory=lambda _: provider))
        made: Model = kind(config.name, provider=provider, settings=ModelSettings(timeout=config.timeout_s))
        return made

    def _given(self, config: ModelConfig) -> dict[str, Any]:
        """What the provider is made with. Raises UserError."""
        given: dict[str, Any] = {}
        if config.api_key_env is not None:
            if not self._environ.get(config.api_key_env):
                raise UserError(f"environment variable {config.api_key_env} is not set")
            given["api_key"] = self._environ[config.api_key_env]
        elif config.base_url is not None and "api_key" in _parameters(config.provider):
            given["api_key"] = NO_KEY
        if config.base_url is not None:
            if "base_url" not in _parameters(config.provider):
                raise UserError(f"provider {config.provider!r} has no base_url")
            given["base_url"] = config.base_url
        return given

    async def _entered(self, name: str) -> Model:
        model = self._made[name]
        if name not in self._open:
            self._open.add(name)
            await self._stack.enter_async_context(model)
        return model


def _parameters(provider: str) -> Mapping[str, Any]:
    return inspect.signature(infer_provider_class(provider).__init__).parameters


def _is_key(variable: str) -> bool:
    """Whether an environment variable looks like one that holds a key."""
    return variable.upper().endswith(("_KEY", "_TOKEN", "_SECRET"))
