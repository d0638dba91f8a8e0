"""Answers that would never end, each cancelled at some point from another connection."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

import antiphon
from bench.answers.models import Models, script

AT_ONCE = 16
LATEST_S = 0.3  # after the beginning of a run
GROWING = ("message.open", "message.append", "tool.start", "tool.args")
PLACES: dict[str, list[list[dict[str, Any]]]] = {
    "before the first token": [[{"wait": "never"}]],
    "in a text": [[{"repeat": "token ", "times": 1_000_000, "every_ms": 5}]],
    "in a tool": [[{"call": "hang"}], [{"wait": "never"}]],
    "in a second round": [[{"call": "nothing"}], [{"repeat": "token ", "times": 1_000_000, "every_ms": 5}]],
}


@dataclass
class Cancels:
    """What came out: times of CLOCK_MONOTONIC by run, and what must not be."""

    asked_at: dict[str, float] = field(default_factory=dict)
    closed_s: list[float] = field(default_factory=list)
    receipts_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


async def cancel_answers(url: str, models: Models, count: int, seed: int = 1) -> Cancels:
    """Ask so often, cancel each once or twice, and look at what the model server and the run say."""
    found, chance, turns = Cancels(), random.Random(seed), asyncio.Semaphore(AT_ONCE)
    async with antiphon.connect(url) as asking, antiphon.connect(url) as cancelling:

        async def one(number: int) -> None:
            async with turns:
                await _one(asking, cancelling, f"cancel-{seed}-{number}", random.Random(chance.random()), found)

        await asyncio.gather(*(one(number) for number in range(count)))
    await _look_upstream(models, found)
    return found


async def _one(asking: Any, cancelling: Any, run_id: str, chance: random.Random, found: Cancels) -> None:
    place = chance.choice(list(PLACES))
    prompt = script(*PLACES[place], run_id=run_id)
    await asking.start_run("own", prompt, run_id=run_id, thread_id=chance.choice((None, run_id)))
    await asyncio.sleep(chance.uniform(0, LATEST_S))
    found.asked_at[run_id] = time.monotonic()
    await asyncio.gather(*(cancelling.cancel_run(run_id) for _ in range(chance.choice((1, 2)))))
    found.receipts_s.append(time.monotonic() - found.asked_at[run_id])
    if (await asking.run_result(run_id, timeout_s=30)).status != "cancelled":
        found.wrong.append(f"{run_id} {place}: not cancelled")
    page = await asking.request("history", {"channel": f"run:{run_id}", "limit": 1000})
    _check(run_id, [(event["type"], event["data"]) for event in page["events"]], found)


def _check(run_id: str, events: list[tuple[str, Any]], found: Cancels) -> None:
    """Nothing grows once the cancel is told, and the outcome is the last word."""
    told = [at for at, (kind, data) in enumerate(events) if kind == "run.status" and data["status"] == "cancelling"]
    late = [kind for kind, _ in events[told[0] :] if kind in GROWING] if told else []
    if late or events[-1][0] != "run.cancelled":
        found.wrong.append(f"{run_id}: {late} after the cancel, last {events[-1][0]}")


async def _look_upstream(models: Models, found: Cancels) -> None:
    """When the request of each was closed that was open when it was cancelled."""
    for request in await models.requests():
        content = request["messages"][0]["content"]
        run_id = json.loads(content).get("run") if content.startswith("{") else None
        asked_at = found.asked_at.get(run_id)
        if asked_at is None:
            continue
        if request["closed_at"] is None:
            found.wrong.append(f"{run_id}: its request is still open")
        elif request["closed_by"] == "client":
            found.closed_s.append(request["closed_at"] - asked_at)
