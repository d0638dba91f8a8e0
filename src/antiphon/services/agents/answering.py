"""One answer: an agent's run from the moment in which its turn has come. Needs no extra before it is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from antiphon.client.run.face import RunBlock
from antiphon.client.run.port import RunPort
from antiphon.services.agents.memory import Message, asked
from antiphon.services.agents.offers import Offer
from antiphon.services.agents.values import AgentInput, question_of, read_input
from antiphon.services.runs import LocalPort

if TYPE_CHECKING:  # loading it takes a second: only once somebody asks
    from antiphon.services.agents.engine import Engine


@dataclass
class Turn:
    """What will be remembered of a run: kept up to date while it answers."""

    thread_id: str
    wanted: AgentInput
    messages: list[Message] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    has_begun: bool = False
    is_counted: bool = False


async def answer(load: Callable[[], Awaitable[Engine]], offer: Offer, port: LocalPort, turn: Turn | None) -> Any:
    """Do one run that the service has begun; returns its result.

    Args:
        turn: Where to note what is to be remembered; None = nothing is, the run is in no thread.
    """
    wanted = read_input(port.input)
    ports = chain([port], iter(port.another, None))  # the first is this run's, the others are for its children
    opened = {"run_id": port.run_id, "name": offer.name}
    if turn is not None:
        opened["thread_id"] = turn.thread_id
        turn.has_begun, turn.messages = True, asked(wanted)
    async with RunBlock(opened, lambda: cast("RunPort", next(ports))) as run:
        prompt = question_of(wanted)
        if prompt:
            async with run.message("user") as message:
                await message.append(prompt)
        engine = await load()
        result = await engine.answer(offer, port, run, wanted, turn)
        await run.result(result)
    return result
