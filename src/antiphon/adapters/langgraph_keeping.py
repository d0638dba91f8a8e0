"""What a graph needs around it while it is done as a run: a memory for interrupts, and a brake for its threads."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self, TypeVar

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.pregel import Pregel

from antiphon.client.run.face import Run

G = TypeVar("G", bound=Pregel[Any, Any, Any, Any])


def with_memory(graph: G) -> G:
    """The graph, with a checkpointer of its own if it has none; one that was compiled with `False` stays as it is."""
    if graph.checkpointer is not None:
        return graph
    return graph.copy({"checkpointer": InMemorySaver(serde=_Keeping(allowed_msgpack_modules=True))})


class _Keeping(JsonPlusSerializer):
    """Keeps what cannot be written as the object that it is: nothing leaves the process."""

    def dumps_typed(self, obj: Any) -> tuple[str, Any]:
        try:
            return super().dumps_typed(obj)
        except Exception:  # whatever a user's type raises
            return "object", obj

    def loads_typed(self, data: tuple[str, Any]) -> Any:
        return data[1] if data[0] == "object" else super().loads_typed(data)


class Brake(BaseCallbackHandler):
    """Stops nodes that run in threads, which no cancellation reaches: at the next token, model or tool.

    `with Brake(run) as brake:` -- it is on once the run is cancelled, or the block was left by an exception.
    """

    raise_error = True
    run_inline = True  # in the thread that asks

    def __init__(self, run: Run) -> None:
        self._run = run
        self._is_on = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_on = error is not None

    def _check(self, *_: Any, **__: Any) -> None:
        if self._is_on or self._run.is_cancelled:
            raise asyncio.CancelledError("the run was stopped")  # not an Exception: no node takes it for a failure

    on_llm_start = _check
    on_chat_model_start = _check
    on_llm_new_token = _check
    on_tool_start = _check
