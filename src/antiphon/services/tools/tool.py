"""What a tool is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from antiphon.services.tools.functions import call_of
from antiphon.services.tools.signatures import Signature
from antiphon.services.tools.values import ToolCall


@dataclass(frozen=True)
class Tool:
    """Something that can be called by name with JSON and answers with JSON.

    `call` raises ToolError for what the caller, usually a model, should read. When it is cancelled its work has ended,
    or is listed as draining.
    """

    name: str
    description: str
    parameters: dict[str, Any]  # JSON Schema of an object
    call: ToolCall = field(repr=False)
    needs_approval: bool = False  # whether a person is to be asked before
    timeout_s: float | None = 60  # None = no limit
    source: str = "built-in"  # built-in, python, mcp:NAME

    def row(self) -> dict[str, Any]:
        """What clients see of it."""
        return {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
            "needs_approval": self.needs_approval,
            "source": self.source,
        }

    @classmethod
    def from_function(
        cls,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        needs_approval: bool = False,
        timeout_s: float | None = 60,
        in_process: bool = False,
    ) -> Tool:
        """A tool from a Python function: its signature and docstring say what the model is told.

        An `async def` is awaited here. Any other runs in a process of its own, which is killed when the call is
        cancelled or takes too long; it must be defined at the top level of a module. With `in_process` it runs in a
        thread instead, which nothing can stop: after a cancel it is listed as draining until it returns.

        Args:
            name: None = the function's.
            description: None = the docstring, without its sections about arguments and results.
            timeout_s: Seconds that a call may take; None = no limit.
        Raises:
            TypeError: A parameter cannot be given by name, an annotation cannot be read, or another process could not
                find the function.
        """
        signature = Signature.of(function)
        return cls(
            name=name or signature.name,
            description=signature.description if description is None else description,
            parameters=signature.parameters,
            call=call_of(signature, in_process=in_process),
            needs_approval=needs_approval,
            timeout_s=timeout_s,
            source="python",
        )
