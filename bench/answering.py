"""Answers: how late first tokens are seen, scripted and through pydantic-ai; how soon a cancel is upstream."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import antiphon
from antiphon.client.run.port import new_run_id
from bench.answers import scripted
from bench.answers.cancels import cancel_answers
from bench.answers.models import ROOT, Models, model_server, script
from bench.cancelling import ninety_nine
from bench.harness import Benchmark, Figure, Setting
from bench.wire import Server, Wire, serving

STREAMS = 500
TOKENS_PER_S = 50
ANSWERS = 10  # of each stream, of one second
VIEWERS = 2
AT_ONCE = 25
ROUNDS = 10
CANCELS = 1000


def settings(home: Path, models: Models) -> Path:
    """The server's `antiphon.toml`, with what it imports beside it."""
    shutil.copy(scripted.__file__, home / "scripted_streams.py")
    file = home / "antiphon.toml"
    file.write_text(
        f"""
        [runs]
        max_active = 5000
        [limits]
        subscriptions = 5000
        [runnable.stream]
        import = "scripted_streams:stream"
        [model.scripted]
        name = "scripted"
        base_url = "{models.url}"
        [agent.bench]
        model = "scripted"
        tools = []
        [agent.own]
        import = "scripted_streams:agent"
        model = "scripted"
        """
    )
    return file


async def first_tokens(server: Server, streams: int, answers: int) -> list[float]:
    """Milliseconds from saying the first token of an answer to its arrival at each viewer."""
    runs = [f"stream-{number}" for number in range(streams)]
    command = [sys.executable, "-m", "bench.answers.viewers", server.live, str(VIEWERS), *runs]
    program = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, limit=2**26)
    assert program.stdout is not None
    assert await program.stdout.readline() == b"ready\n"
    chance, pace = random.Random(1), {"answers": answers, "tokens": TOKENS_PER_S, "per_s": TOKENS_PER_S}
    async with antiphon.connect(server.url) as live:
        for run_id in runs:
            await live.start_run("stream", {**pace, "after_s": 1 + streams / 100 + chance.random()}, run_id=run_id)
        text = await program.stdout.readline()
    await program.wait()
    found: list[float] = json.loads(text)
    return found


async def bare(models: Models, prompt: str, at_once: int, rounds: int) -> list[float]:
    """Milliseconds to the first chunk in a program that only runs the library."""
    command = [sys.executable, "-m", "bench.answers.bare", models.url, str(at_once), str(rounds), prompt]
    program = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await program.communicate()
    found: list[float] = json.loads(out)
    return found


async def through(server: Server, prompt: str, at_once: int, rounds: int) -> list[float]:
    """Milliseconds from asking an agent to the first chunk at who watches, both over `/live`."""
    chance = random.Random(1)

    async def one(pause_s: float) -> list[float]:
        await asyncio.sleep(pause_s)
        async with Wire.connect(server) as wire:
            return [await _first_chunk(wire, new_run_id(), prompt) for _ in range(rounds)]

    found = await asyncio.gather(*(one(chance.uniform(0, 2)) for _ in range(at_once)))
    return [sample for samples in found for sample in samples]


async def _first_chunk(wire: Wire, run_id: str, prompt: str) -> float:
    await wire.call("subscribe", channel=f"run:{run_id}", after="start")
    asked, first = time.perf_counter(), 0.0
    await wire.send("run.start", name="bench", input=prompt, run_id=run_id)
    while True:
        params = (await wire.receive()).get("params", {})
        if not first and params.get("type") == "message.append" and params["data"]["delta"].startswith("token"):
            first = time.perf_counter()
        if params.get("type", "").startswith(("run.succeeded", "run.failed")):
            return (first - asked) * 1000


def _late(samples_ms: list[float]) -> str:
    return ninety_nine([sample / 1000 for sample in samples_ms])


def _p99(samples: list[float]) -> float:
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * 0.99))]


async def run(setting: Setting) -> AsyncIterator[Figure]:
    streams, at_once = setting.sized(STREAMS), setting.sized(AT_ONCE)
    answers, rounds = max(2, round(ANSWERS * setting.part)), max(2, round(ROUNDS * setting.part))
    async with (
        model_server() as models,
        serving(setting.home / "data", config=settings(setting.home, models)) as server,
    ):
        seen = await first_tokens(server, streams, answers)
        what = f"{streams} streams x {TOKENS_PER_S} tokens/s x {VIEWERS} viewers: first token of an answer, middle"
        yield Figure(what, _late(seen), "p99 <= 10 ms")
        prompt = script([{"repeat": "token ", "times": 50, "every_ms": 20}])
        alone = await bare(models, prompt, at_once, rounds)
        yield Figure(f"{at_once} streams of the library alone: from asking to the first chunk, middle", _late(alone))
        await through(server, prompt, 1, 1)  # the first answer of a process loads what others find loaded
        ours = await through(server, prompt, at_once, rounds)
        yield Figure(f"{at_once} streams of an agent, watched: from asking to the first chunk, middle", _late(ours))
        more = sorted(ours)[len(ours) // 2] - sorted(alone)[len(alone) // 2]
        yield Figure(
            "the same, over the library alone", f"{more:.1f} ms, p99 {_p99(ours) - _p99(alone):.1f} ms", "<= 10 ms"
        )
        found = await cancel_answers(server.url, models, setting.sized(CANCELS))
    yield Figure(
        f"{len(found.asked_at)} cancels: until the model's request was closed",
        ninety_nine(found.closed_s),
        "p99 <= 50 ms",
    )
    yield Figure("the same: until the receipt", ninety_nine(found.receipts_s))
    yield Figure("requests left open, words after a cancel, other outcomes", str(len(found.wrong)), "0")


BENCHMARK = Benchmark(
    "answering",
    "Answers of agents",
    "Scripted streams live in the server and say a token every 20 ms; an answer has a second of them. Through "
    "pydantic-ai, answers come from a small server that speaks OpenAI's protocol, in a process of its own. Each "
    "cancel comes from another connection within 0.3 s: before the first token, in a text, in a tool, in a second "
    "round; every other one twice.",
    run,
)
