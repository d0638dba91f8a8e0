"""Models by name: providers, chains, what cannot be used, and keys that stay where they are."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from tests.agents.kit import life_on, script
from tests.agents.model_server import ModelServer

from antiphon.brokers.memory import MemoryBroker
from antiphon.errors import SettingsError
from antiphon.services.agents import AgentConfig, ModelConfig, check_models
from antiphon.services.agents.failures import ModelFailed
from antiphon.services.agents.models import Models
from antiphon.services.agents.offline import OfflineModel

KEY = "sk-very-secret-key"


def models_of(**configs: ModelConfig) -> Models:
    return Models(configs, {"MY_KEY": KEY})


async def test_providers_are_made_as_their_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    models = models_of(
        local=ModelConfig(name="llama", base_url="http://127.0.0.1:1/v1", timeout_s=7),
        claude=ModelConfig(provider="anthropic", name="claude-sonnet-4-5", api_key_env="MY_KEY"),
        relay=ModelConfig(provider="anthropic", name="claude-sonnet-4-5", base_url="http://127.0.0.1:1"),
        gpt=ModelConfig(name="gpt-5", api_key_env="MY_KEY"),
    )
    kinds = {name: type(await models.chain([name])) for name in ("local", "claude", "relay", "gpt", "offline")}
    assert kinds == {
        "local": OpenAIChatModel,
        "claude": AnthropicModel,
        "relay": AnthropicModel,
        "gpt": OpenAIResponsesModel,
        "offline": OfflineModel,
    }
    assert type(await models.chain(["openai:gpt-5"])) is OpenAIResponsesModel
    local = await models.chain(["local"])
    assert (local.model_name, local.base_url) == ("llama", "http://127.0.0.1:1/v1/")
    assert local.settings == {"timeout": 7}
    await models.close()


async def test_what_cannot_be_used_is_left_out_of_a_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    models = models_of(gpt=ModelConfig(name="gpt-5", api_key_env="NOT_SET"))
    assert models.problem("gpt") == "model 'gpt' cannot be used: environment variable NOT_SET is not set"
    assert models.problem("nothing:x") is not None
    assert "ANTHROPIC_API_KEY" in (models.problem("anthropic:claude-sonnet-4-5") or "")
    assert type(await models.chain(["gpt", "offline"])) is OfflineModel
    with pytest.raises(ModelFailed, match="NOT_SET is not set"):
        await models.chain(["gpt"])
    assert type(await models.chain(["offline", "offline"])) is FallbackModel
    await models.close()


async def test_the_next_of_a_chain_answers_where_one_fails(models: ModelServer) -> None:
    dead = ModelConfig(name="dead", base_url="http://127.0.0.1:9/v1")
    async with life_on(MemoryBroker(), models, models={"dead": dead}, model=("dead", "scripted")) as life:
        assert (await life.asked("r1", "Hello"))["status"] == "succeeded"
        row = await life.asked("r2", "Hello", model="dead")
        assert (row["status"], row["error"]["type"]) == ("failed", "ModelFailed")


async def test_a_chain_that_fails_says_why_for_each(models: ModelServer) -> None:
    other = ModelConfig(name="other", base_url=models.url)
    async with life_on(MemoryBroker(), models, models={"other": other}, model=("scripted", "other")) as life:
        row = await life.asked("r1", script([{"status": 503}]))
        assert row["error"]["message"].count("answered 503: told to answer 503") == 2


async def test_what_a_model_refuses_is_said_in_its_own_words(models: ModelServer) -> None:
    async with life_on(MemoryBroker(), models) as life:
        row = await life.asked("r1", script([{"status": 400}]))
        assert row["error"] == {
            "message": "the model scripted answered 400: told to answer 400",
            "type": "ModelFailed",
        }


async def test_keys_are_sent_to_the_model_and_told_to_nobody(
    models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    keyed = ModelConfig(name="keyed", base_url=models.url, api_key_env="MY_KEY")
    async with life_on(MemoryBroker(), models, models={"keyed": keyed}, model="keyed") as life:
        row = await life.asked("r1", script([{"status": 401}, {"text": KEY}]))
        assert models.requests[0].authorization == f"Bearer {KEY}"
        assert KEY not in str(row)
        assert KEY not in str(life.agents.rows)


def test_a_text_loses_its_keys() -> None:
    assert models_of().scrub(f"wrong key {KEY}!") == "wrong key ***!"


def test_a_model_that_is_not_known_is_a_wrong_setting() -> None:
    agents = {"a": AgentConfig(model=("offline", "gpt")), "b": AgentConfig(model="openai:gpt-5", models=("x",))}
    with pytest.raises(SettingsError) as refused:
        check_models(agents, {})
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == ["agent.a.model", "agent.b.models"]


async def test_an_agent_whose_model_cannot_be_used_says_so(models: ModelServer) -> None:
    gpt = ModelConfig(name="gpt-5", api_key_env="NOT_SET")
    async with life_on(MemoryBroker(), models, models={"gpt": gpt}, agents={"b": AgentConfig(model="gpt")}) as life:
        ended = await life.asked("r", "Hello", None, name="b")
        assert "NOT_SET is not set" in ended["error"]["message"]
        (row,) = [row for row in life.agents.rows if row["name"] == "b"]
        assert "NOT_SET is not set" in row["problem"]


def test_only_an_answer_loads_the_library() -> None:
    program = (
        "import sys; sys.modules['pydantic_ai'] = None; import antiphon.services.agents.service, antiphon.server.app"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
