"""What the host is asked. Plain code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from antiphon.services.forum.values import Heard

INSTRUCTIONS: Final = (
    "You are the host of a forum in which several agents work on one question, each from its own sources. "
    "Sum up what they have said since you spoke last; name where they agree and where they contradict each other, and "
    "who says what; correct evident slips; then say what each of them should look at next. "
    "Rely only on what was said here. Speak the language that they speak."
)


def asked(speeches: Sequence[Heard]) -> dict[str, Any]:
    """The input of the agent's run."""
    said = "\n\n".join(f"[{speech.clock}] {speech.sender}:\n{speech.text}" for speech in speeches)
    return {"prompt": f"What was said:\n\n{said}", "instructions": INSTRUCTIONS}
