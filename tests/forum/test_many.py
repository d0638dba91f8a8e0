"""Five hundred speeches of three agents in any interleaving: each once, and the host by its rule."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.forum.kit import START, Life, PuppetHost, life_on, logged, of_type, output, said, spread

from antiphon.brokers.memory import MemoryBroker

APPS = ["insight", "media", "query"]
SPEECHES = 500
THRESHOLD = 5

shapes = st.sampled_from(["one line", "one line", "spread", "spread", "repeated"])
plans = st.tuples(st.randoms(use_true_random=False), st.lists(shapes, min_size=20, max_size=20))


@pytest.mark.timeout(600)
def test_each_speech_once_in_any_interleaving() -> None:
    @settings(max_examples=10, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
    @given(plans)
    def search(plan: tuple[object, list[str]]) -> None:
        random, forms = plan
        queues: dict[str, list[str]] = {app: [] for app in APPS}
        expected: Counter[tuple[str, str]] = Counter()
        for number in range(SPEECHES):
            app = random.choice(APPS)  # type: ignore[attr-defined]
            form = forms[number % len(forms)]
            text = "the same words" if form == "repeated" else f"speech {number}"
            expected[app.upper(), text] += 1
            queues[app] += spread(text) if form == "spread" else [output(text)]
            queues[app] += [logged("成功生成反思总结"), "noise"]
        lines: list[tuple[str, str]] = []
        while any(queues.values()):
            app = random.choice([app for app in APPS if queues[app]])  # type: ignore[attr-defined]
            lines.append((app, queues[app].pop(0)))
        asyncio.run(_hear(lines, expected))

    search()


async def _hear(lines: list[tuple[str, str]], expected: Counter[tuple[str, str]]) -> None:
    host = PuppetHost()
    async with life_on(MemoryBroker(), host=host, threshold=THRESHOLD) as life:
        await life.write("query", START)
        await life.until_state(lambda state: bool(state.get("session")))
        for start in range(0, len(lines), 40):
            async with asyncio.TaskGroup() as together:
                for app in APPS:
                    found = [line for name, line in lines[start : start + 40] if name == app]
                    if found:
                        together.create_task(life.write(app, *found))
        events = await life.until(lambda events: len(said(events, "HOST")) == SPEECHES // THRESHOLD)
        _check(life, events, expected)
        assert (await life.state())["buffered"] == 0
        assert len(host.asked) == SPEECHES // THRESHOLD
        records = [record for record in await life.records() if "[SYSTEM]" not in record]
        assert len(records) == SPEECHES + SPEECHES // THRESHOLD


def _check(life: Life, events: list[object], expected: Counter[tuple[str, str]]) -> None:
    agents = [speech for speech in said(events) if speech["kind"] == "agent"]  # type: ignore[arg-type]
    assert Counter((speech["source"], speech["text"]) for speech in agents) == expected
    spans = Counter((speech["origin"]["channel"], speech["origin"]["offset"]) for speech in agents)
    assert set(spans.values()) == {1}, "a line was taken twice"
    assert {found["status"] for found in of_type(events, "message.close")} == {"completed"}  # type: ignore[arg-type]
    assert life.forum is not None
