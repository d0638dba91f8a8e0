"""Threads of agents over a real model server: what they remember, forks, names, what is listed."""

from __future__ import annotations

import pytest
from tests.agents.kit import Life, script
from tests.agents.model_server import ModelServer
from tests.runs.kit import log, until

from antiphon.errors import ConflictError, InvalidParams, NotFound, ThreadBusy
from antiphon.services.runs import NewRun

HELD = script([{"text": "As I was saying"}, {"wait": "go"}, {"text": ", yes."}])


def said_to(models: ModelServer, number: int) -> list[tuple[str, str]]:
    """Roles and texts that the model was sent."""
    return [(message["role"], message.get("content") or "") for message in models.requests[number - 1].messages]


async def test_a_thread_remembers(life: Life, models: ModelServer) -> None:
    await life.asked("r1", "My name is Ann.")
    await life.asked("r2", "Who am I?")
    assert said_to(models, 2) == [
        ("user", "My name is Ann."),
        ("assistant", "You said: My name is Ann."),
        ("user", "Who am I?"),
    ]


async def test_without_a_thread_every_question_stands_alone(life: Life, models: ModelServer) -> None:
    await life.asked("r1", "My name is Ann.", None)
    await life.asked("r2", "Who am I?", None)
    assert said_to(models, 2) == [("user", "Who am I?")]
    assert await life.table() == {}


async def test_tools_and_their_results_are_remembered(life: Life, models: ModelServer) -> None:
    prompt = script([{"call": "calculator", "arguments": {"expression": "6*7"}}], [{"text": "42."}])
    await life.asked("r1", prompt)
    await life.asked("r2", "And?")
    roles = [role for role, _ in said_to(models, 3)]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert said_to(models, 3)[2][1] == "42"


async def test_a_cancelled_answer_is_remembered_as_far_as_it_came(life: Life, models: ModelServer) -> None:
    await life.ask("r1", HELD)
    await models.until(1, chunks=3)
    await until(lambda: life.runs.rows["r1"]["status"] == "running")
    await life.cancel("r1")
    await life.ended("r1")
    await life.asked("r2", "Go on.")
    (question, partial, goes_on) = said_to(models, 2)
    assert question[0] == "user"
    assert partial[0] == "assistant"
    assert "As I was saying".startswith(partial[1])
    assert partial[1]
    assert goes_on == ("user", "Go on.")


async def test_a_failed_answer_is_remembered_too(life: Life, models: ModelServer) -> None:
    await life.asked("r1", script([{"status": 400}]))
    await life.asked("r2", "Again?")
    assert [role for role, _ in said_to(models, 2)][-1] == "user"
    assert "Again?" in said_to(models, 2)[-1][1]


async def test_what_a_client_brings_replaces_the_memory_for_its_run(life: Life, models: ModelServer) -> None:
    await life.asked("r1", "My name is Ann.")
    brought = [
        {"role": "system", "text": "Be brief."},
        {"role": "user", "text": "I am Bob."},
        {"role": "assistant", "text": "Hello Bob."},
        {"role": "user", "text": "Who am I?"},
    ]
    await life.runs.start(NewRun(name="chat", run_id="r2", input={"messages": brought}, thread_id="t"), by="ann")
    await life.ended("r2")
    assert said_to(models, 2) == [(message["role"], message["text"]) for message in brought]
    assert (await life.texts("r2"))[0] == ("user", "Who am I?", "completed")


async def test_the_table_tells_what_there_is(life: Life, models: ModelServer) -> None:
    await life.asked("r1", "  What is   new?\nTell me all.")
    await life.asked("r2", "And then?")
    (row,) = life.agents.threads()
    published = await life.table()
    assert published == {"t": row}
    assert (row["title"], row["agent"], row["by"], row["runs"]) == ("What is new?", "chat", "ann", 2)
    assert (row["running"], row["queued"], row["forked_from"]) == (None, [], None)
    assert row["usage"] == {"input_tokens": 22, "output_tokens": 14, "total_tokens": 36}
    assert [run["run_id"] for run in life.agents.runs_of("t")] == ["r1", "r2"]


async def test_memory_is_stored_with_the_outcome(life: Life) -> None:
    await life.asked("r1", "One")
    kinds = [event.type for event in await log(life.hub, "thread:t")]
    assert kinds == ["thread.run", "thread.messages"]


async def test_a_fork_goes_on_from_where_it_was_made(life: Life, models: ModelServer) -> None:
    for number, text in enumerate(("One", "Two", "Three"), 1):
        await life.asked(f"r{number}", text)
    row = await life.agents.fork("t", "r2", by="bob")
    assert (row["forked_from"], row["by"]) == ({"thread_id": "t", "run_id": "r2"}, "bob")
    await life.asked("r4", "Four", row["thread_id"])
    assert [text for role, text in said_to(models, 4) if role == "user"] == ["One", "Two", "Four"]
    assert [run["run_id"] for run in life.agents.runs_of(row["thread_id"])] == ["r1", "r2", "r4"]
    again = await life.agents.fork(row["thread_id"], by="bob")
    assert [run["run_id"] for run in life.agents.runs_of(again["thread_id"])] == ["r1", "r2", "r4"]
    assert (await life.table())[again["thread_id"]] == again


async def test_a_fork_of_an_inherited_run_ends_there(life: Life, models: ModelServer) -> None:
    for number, text in enumerate(("One", "Two"), 1):
        await life.asked(f"r{number}", text)
    first = await life.agents.fork("t", "r2", by="bob")
    await life.asked("r3", "Three", first["thread_id"])
    second = await life.agents.fork(first["thread_id"], "r1", by="bob")
    await life.asked("r4", "Four", second["thread_id"])
    assert [text for role, text in said_to(models, 4) if role == "user"] == ["One", "Four"]
    assert [run["run_id"] for run in life.agents.runs_of(second["thread_id"])] == ["r1", "r4"]


async def test_forks_from_nowhere_and_from_the_future_are_refused(life: Life, models: ModelServer) -> None:
    with pytest.raises(NotFound):
        await life.agents.fork("t", by="bob")
    await life.ask("r1", HELD)
    await models.until(1)
    with pytest.raises(NotFound):
        await life.agents.fork("t", "r9", by="bob")
    with pytest.raises(ConflictError):
        await life.agents.fork("t", "r1", by="bob")
    models.open("go")
    await life.ended("r1")


async def test_threads_are_renamed_and_deleted(life: Life, models: ModelServer) -> None:
    await life.ask("r1", HELD)
    await models.until(1)
    with pytest.raises(ThreadBusy):
        await life.agents.delete("t")
    models.open("go")
    await life.ended("r1")
    assert (await life.agents.rename("t", " Tea  time "))["title"] == "Tea time"
    with pytest.raises(InvalidParams):
        await life.agents.rename("t", " ")
    await life.agents.delete("t")
    assert await life.table() == {}
    assert await log(life.hub, "thread:t") == []
    assert life.runs.rows["r1"]["status"] == "succeeded"
    await life.asked("r2", "Who am I?")
    assert said_to(models, 2) == [("user", "Who am I?")]
