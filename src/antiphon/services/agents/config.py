"""Settings of agents and their models: the tables `[agent.NAME]` and `[model.NAME]` of `antiphon.toml`.

Importable without the extra `[agents]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from antiphon.errors import SettingsError

OFFLINE = "offline"
"""The model that needs no key: it calls tools, and says that it is offline."""

IfBusy = Literal["queue", "interrupt", "reject"]
ModelNames = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    Field(min_length=1, max_length=16),
]


def _web_address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("expected an address that begins with http:// or https://")
    return text


class ModelConfig(BaseModel):
    """A model that agents can name. The key is in the environment, never in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = Field(
        default="openai",
        pattern=r"^[a-z0-9_-]{1,64}$",
        description="Whose protocol it speaks: `openai` (also Ollama, vLLM, llama.cpp and others with `base_url`), "
        "`anthropic`, or any other provider that pydantic-ai knows and whose package is installed.",
    )
    name: str = Field(min_length=1, max_length=200, description="What the provider calls the model.")
    base_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        default=None, description="Address of the server, usually ending in `/v1`. Without it: the provider's own."
    )
    api_key_env: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds the key. Without it: the provider's usual variable; servers "
        "with a `base_url` of your own get along without a key.",
    )
    timeout_s: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        description="Seconds a request may wait for its connection, and for the next piece of an answer.",
    )


class AgentConfig(BaseModel):
    """An agent: a model with instructions and tools, each of whose answers is a run."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    title: str | None = Field(default=None, max_length=200, description="What people read; without it: the name.")
    description: str | None = Field(default=None, max_length=2000, description="What it is good for, in a sentence.")
    model: ModelNames = Field(
        default=(OFFLINE,),
        description="A `[model.NAME]`, `offline`, or a name with a provider such as `openai:gpt-5`. A list is a chain: "
        "where one fails, the next is asked.",
    )
    models: tuple[str, ...] = Field(
        default=(), description="Further models that a question may ask for by name, beside `model`."
    )
    instructions: str | None = Field(default=None, description="What the model is told before each question.")
    tools: tuple[str, ...] = Field(
        default=("*",),
        description="Names of tools, `mcp:NAME` for all of an MCP server, `*` for all that there are.",
    )
    needs_approval: tuple[str, ...] = Field(
        default=(), description="Tools (as in `tools`) that a person has to approve each time, beside those marked so."
    )
    if_busy: IfBusy = Field(
        default="queue",
        description="A question in a thread in which an answer is under way: `queue` = it waits; `interrupt` = what "
        "this agent does or has waiting there is cancelled; `reject` = it is refused.",
    )
    on_disconnect: Literal["continue", "cancel"] = Field(
        default="continue",
        description="What becomes of an answer when whoever asked over AG-UI or the agent engine's socket goes away.",
    )
    timeout_s: float = Field(default=300.0, gt=0, le=86_400, description="Seconds one answer may take.")
    max_tokens: int | None = Field(
        default=None, ge=1, description="Tokens one answer may use, input and output of all requests. Not set: any."
    )
    max_tool_rounds: int = Field(
        default=20, ge=0, le=1000, description="How often one answer may ask for tools and then go on."
    )
    temperature: float | None = Field(default=None, ge=0, le=2, description="Passed on to the model.")
    import_: str | None = Field(
        default=None,
        alias="import",
        pattern=r"^[\w.]+:[\w.]+$",
        description="A pydantic-ai `Agent` of your own, as `module:agent`; looked for beside antiphon.toml first.",
    )


def check_models(agents: Mapping[str, AgentConfig], models: Mapping[str, ModelConfig]) -> None:
    """Raise SettingsError, a line for each, where an agent names a model that there is not."""
    problems = [
        f"agent.{agent}.{key}: there is no [model.{name}]; models with a provider read 'provider:name'"
        for agent, config in agents.items()
        for key, names in (("model", config.model), ("models", config.models))
        for name in names
        if not is_known(name, models)
    ]
    if problems:
        raise SettingsError("\n".join(problems))


def is_known(name: str, models: Mapping[str, ModelConfig] | Sequence[str]) -> bool:
    """Whether a model string can be made sense of."""
    return name == OFFLINE or name in models or ":" in name
