"""The host without a model: it quotes one sentence of each speech, and says that it does no more."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final

from antiphon.services.forum.values import Heard
from antiphon.services.runs import LocalPort, RunEvent

INTRODUCTION: Final = "The host is offline: no model is set. It sums up nothing; it quotes one sentence of each speech."
MAX_QUOTE: Final = 300  # characters

_END = re.compile(r"(?<=[。\uff01\uff1f])|(?<=[.!?])(?=\s)|\n")
_WORD = re.compile(r"[A-Za-z0-9]+|[\u3400-\u9fff]")


def quotations(speeches: Sequence[Heard]) -> str:
    """What the offline host says."""
    lines = [
        f"- {speech.sender} ({speech.clock}): “{quote(speech.text, _others(speech, speeches))}”" for speech in speeches
    ]
    return "\n".join([INTRODUCTION, *lines])


def quote(text: str, others: Sequence[str]) -> str:
    """The sentence that has most in common with what the others said; the first where none has anything."""
    said = sentences(text) or [text.strip()]
    known = {word for other in others for word in words(other)}
    best = max(said, key=lambda sentence: len(set(words(sentence)) & known))
    return best if len(best) <= MAX_QUOTE else best[: MAX_QUOTE - 4].rstrip() + " […]"


def sentences(text: str) -> list[str]:
    """The sentences of a text, exactly as they stand there."""
    return [found.strip() for found in _END.split(text) if found.strip()]


def words(text: str) -> list[str]:
    """Words of letters and digits; a Chinese character is one by itself."""
    return [word.lower() for word in _WORD.findall(text)]


def _others(speech: Heard, speeches: Sequence[Heard]) -> list[str]:
    return [other.text for other in speeches if other.source != speech.source]


# As a run

CHUNK: Final = 24  # characters
PACE_S: Final = 0.01  # between chunks, so that it is seen to speak and can be stopped
MESSAGE: Final = "m1"


def asked_offline(speeches: Sequence[Heard]) -> dict[str, Any]:
    """The input of its run."""
    return {"speeches": [speech._asdict() for speech in speeches]}


async def speak_offline(port: LocalPort) -> str:
    """The offline host's run: says the quotations bit by bit, and returns them."""
    text = quotations([Heard(**speech) for speech in port.input["speeches"]])
    await port.emit([RunEvent("message.open", {"message_id": MESSAGE, "role": "assistant"})])
    for start in range(0, len(text), CHUNK):
        await port.emit([RunEvent("message.append", {"message_id": MESSAGE, "delta": text[start : start + CHUNK]})])
        await asyncio.sleep(PACE_S)
    await port.emit([RunEvent("message.close", {"message_id": MESSAGE, "status": "completed"})])
    return text
