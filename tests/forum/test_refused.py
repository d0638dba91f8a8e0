"""A store that refuses for a while: nothing is lost, nothing is there twice, and the host speaks of nothing unsaid."""

from __future__ import annotations

from typing import Any

import pytest
from tests.forum.kit import START, PuppetHost, life_on, of_type, output, said

from antiphon.brokers.base import Batch
from antiphon.brokers.memory import MemoryBroker
from antiphon.errors import StorageFull


class Stubborn(MemoryBroker):
    """Refuses what the forum says, so many times."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals
        self.is_awake = False

    async def append(self, batch: Batch) -> None:
        if self.is_awake and self.refusals and any(event.channel == "forum:main" for event in batch.events):
            self.refusals -= 1
            raise StorageFull("the disk is full")
        await super().append(batch)


@pytest.mark.parametrize("refusals", [1, 2, 3])
async def test_speeches_wait_until_they_can_be_stored(refusals: int) -> None:
    broker, host = Stubborn(refusals), PuppetHost()
    async with life_on(broker, host=host, threshold=2) as life:
        broker.is_awake = True
        await life.write("insight", START, output("one"), output("two"))
        await life.speeches(1, "HOST")
        agents = [speech["text"] for speech in said(await life.events()) if speech["kind"] == "agent"]
        assert agents == ["one", "two"]
        assert len(of_type(await life.events(), "message.open")) == 1
        assert len(host.asked) == 1


async def test_a_post_that_was_refused_was_not_said() -> None:
    broker = Stubborn(1)
    async with life_on(broker) as life:
        broker.is_awake = True
        with pytest.raises(StorageFull):
            await life.forum.post("Hello", by="ann", speech_id="s")
        state: dict[str, Any] = await life.forum.get()
        assert "PERSON" not in state["speakers"]
        await life.forum.post("Hello", by="ann", speech_id="s")
        assert [speech["text"] for speech in said(await life.events())] == ["Hello"]
        assert (await life.state())["speakers"]["PERSON"]["speeches"] == 1
