"""Why an answer failed, in words for the person who asked; the errors of runs, not of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic_ai.exceptions import AgentRunError, FallbackExceptionGroup, UsageLimitExceeded, UserError
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
        whys = "; ".join(str(error) for error in group.exceptions)
        raise ModelFailed(scrub(f"no model of the chain answered: {whys}")) from None
    except (AgentRunError, UserError) as error:
        raise ModelFailed(scrub(str(error) or type(error).__name__)) from error


def _limit(config: AgentConfig, usage: RunUsage, error: UsageLimitExceeded) -> str:
    if config.max_tokens is not None and usage.total_tokens > config.max_tokens:
        return f"it used {usage.total_tokens} tokens; it may use {config.max_tokens} (max_tokens)"
    if usage.requests > config.max_tool_rounds:
        rounds = "round" if config.max_tool_rounds == 1 else "rounds"
        return f"it wanted to go on after {config.max_tool_rounds} {rounds} of tools (max_tool_rounds)"
    return str(error)
