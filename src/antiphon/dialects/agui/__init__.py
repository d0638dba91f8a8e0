"""AG-UI 1.0: runs as the events of https://docs.ag-ui.com, and what its clients send."""

from antiphon.dialects.agui.capabilities import capabilities_of
from antiphon.dialects.agui.input import (
    INPUT,
    RunAgentInput,
    agent_input,
    input_pointer,
    input_said,
    last_text,
    read_input,
)
from antiphon.dialects.agui.interrupts import Reply, reply_of
from antiphon.dialects.agui.translator import AguiTranslator

__all__ = [
    "INPUT",
    "AguiTranslator",
    "Reply",
    "RunAgentInput",
    "agent_input",
    "capabilities_of",
    "input_pointer",
    "input_said",
    "last_text",
    "read_input",
    "reply_of",
]
