"""Why an answer failed, in words for the person who asked; the errors of runs, not of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic_ai.exceptions import (
    AgentRunError,
    FallbackExceptionGroup,
    ModelAPIError,
    ModelHTTPError,
    UsageLimitExceeded,
    UserError,
)
from pydantic_ai.usage import RunUsage

from antiphon.errors import AntiphonError
from antiphon.services.agents.config import AgentConfig

Scrub = Callable[[str], str]


class ModelFailed(AntiphonError):
    """The model could not be asked, or its answer made no sense."""


class LimitReached(AntiphonError):
    """It would have gone beyond what it may use."""


@contextmanager
def in_words(config: AgentConfig, usage: RunUsage, scrub: Scrub) -> Iterator[None]:
    """Errors of the library as ours; what a tool of the user raised goes on as it is.

    Args:
        scrub: Removes secrets from a text.
    """
    try:
        yield
    except UsageLimitExceeded as error:
        raise LimitReached(_limit(config, usage, error)) from error
    except FallbackExceptionGroup as group:
        whys = "; ".join(_why(error) for error in group.exceptions)
        raise ModelFailed(scrub(f"no model of the chain answered: {whys}")) from None
    except (AgentRunError, UserError) as error:
        raise ModelFailed(scrub(_why(error))) from error


def _why(error: Exception) -> str:
    """What a model answered instead of an answer, without the library's wrapping."""
    if isinstance(error, ModelHTTPError):
        body = error.body if isinstance(error.body, dict) else {}
        inner = body.get("error", body)
        told = inner.get("message") if isinstance(inner, dict) else None
        return f"the model {error.model_name} answered {error.status_code}: {told or error.body or error.message}"
    if isinstance(error, ModelAPIError):
        return f"the model {error.model_name} could not be asked: {error.message}"
    return str(error) or type(error).__name__


def _limit(config: AgentConfig, usage: RunUsage, error: UsageLimitExceeded) -> str:
    if config.max_tokens is not None and usage.total_tokens > config.max_tokens:
        return f"it used {usage.total_tokens} tokens; it may use {config.max_tokens} (max_tokens)"
    if usage.requests > config.max_tool_rounds:
        rounds = "round" if config.max_tool_rounds == 1 else "rounds"
        return f"it wanted to go on after {config.max_tool_rounds} {rounds} of tools (max_tool_rounds)"
    return str(error)
