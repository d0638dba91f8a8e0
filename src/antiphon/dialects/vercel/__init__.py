"""The UI message stream of Vercel's AI SDK: what `useChat` sends, and runs as what it reads."""

from antiphon.dialects.vercel.input import (
    INPUT,
    Answer,
    ChatRequest,
    agent_input,
    answers_of,
    input_pointer,
    read_request,
)
from antiphon.dialects.vercel.translator import VercelTranslator

__all__ = [
    "INPUT",
    "Answer",
    "ChatRequest",
    "VercelTranslator",
    "agent_input",
    "answers_of",
    "input_pointer",
    "read_request",
]
