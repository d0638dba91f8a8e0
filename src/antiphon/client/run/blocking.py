"""Runs for programs without an event loop: the same names, each call waits. Made by `with live.run(...) as run`.

Nobody can throw an exception into a thread, so a cancel shows at the next call, which raises RunCancelled (once; what
closes and logs is allowed after it, what grows raises again), in a question that is being waited for, and in the
`on_cancel` callback, which is called from the client's thread at once.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, Literal, ParamSpec, Self, TypeVar, overload

from antiphon.client.portal import Portal
from antiphon.client.run import current
from antiphon.client.run.asking import MISSING, Approval, Kind
from antiphon.client.run.editing import StateDict
from antiphon.client.run.face import OnCancel, Role, Run, RunBlock
from antiphon.client.run.growing import RunMessage, RunTool
from antiphon.client.run.life import Life, logger
from antiphon.client.run.state import Edit, RunState
from antiphon.errors import AntiphonError, RunCancelled, RunLost

P = ParamSpec("P")
T = TypeVar("T")


class Door:
    """Into the client's event loop, for one run."""

    def __init__(self, portal: Portal, life: Life) -> None:
        self._portal = portal
        self._life = life
        self._is_told = False  # whether the program knows that it was cancelled

    def knock(self) -> None:
        """Raise RunCancelled if the run was cancelled and the program does not know."""
        if self._life.is_cancelled and not self._is_told:
            self._is_told = True
            raise self._life.cancelled()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it there and wait."""
        try:
            self.knock()
        except RunCancelled:
            coroutine.close()
            raise
        return self.last(coroutine)

    def last(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """As `call`, for what may be said after a cancel."""
        try:
            return self._portal.call(coroutine)
        except RunCancelled:
            self._is_told = True
            raise


class BlockingMessage:
    """As RunMessage: `with run.message() as message: message.append("...")`."""

    def __init__(self, door: Door, message: RunMessage) -> None:
        self._door = door
        self._message = message
        self.id = message.id
        self.role = message.role

    def append(self, delta: str) -> None:
        """Let it grow."""
        self._door.call(self._message.append(delta))

    def __enter__(self) -> Self:
        self._door.call(self._message.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._door.last(self._message.__aexit__(kind, error, trace))


class BlockingTool:
    """As RunTool: `with run.tool("search", {"q": q}) as tool: tool.result(search(q))`."""

    def __init__(self, door: Door, tool: RunTool) -> None:
        self._door = door
        self._tool = tool
        self.id = tool.id
        self.name = tool.name

    def args(self, delta: str) -> None:
        """More of the arguments' JSON, as a model streams it."""
        self._door.call(self._tool.args(delta))

    def progress(self, progress: float | None = None, message: str | None = None) -> None:
        """How far it is: 0 to 1, or in words."""
        self._door.call(self._tool.progress(progress, message))

    def result(self, value: Any) -> None:
        """What it returned; said when it ends. Raises TypeError if it is not JSON."""
        self._door.call(self._tool.result(value))

    def error(self, message: str, type: str = "Error") -> None:  # noqa: A002  # the protocol's word
        """It failed, with these words: for a failure that comes as a value and not as an exception."""
        self._door.call(self._tool.error(message, type))

    def begin(self) -> None:
        """It is executed only now: what its duration counts from. Otherwise from entering."""
        self._door.call(self._tool.begin())

    def __enter__(self) -> Self:
        self._door.call(self._tool.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._door.last(self._tool.__aexit__(kind, error, trace))


class BlockingEdit:
    """One edit of a state; see RunState.edit."""

    def __init__(self, door: Door, edit: Edit) -> None:
        self._door = door
        self._edit = edit

    def __enter__(self) -> StateDict:
        return self._door.call(self._edit.__aenter__())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._door.last(self._edit.__aexit__(kind, error, trace))


class BlockingState:
    """As RunState: `with run.state.edit() as state: state["tasks"]["t1"] = "done"`."""

    def __init__(self, door: Door, state: RunState) -> None:
        self._door = door
        self._state = state

    @property
    def value(self) -> Mapping[str, Any]:
        """As it is now, to be read only; at first empty."""
        return self._state.value

    def edit(self) -> BlockingEdit:
        """Change it; see RunState.edit."""
        return BlockingEdit(self._door, self._state.edit())


def _blocking(
    method: Callable[Concatenate[Run, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[BlockingRun, P], T]:
    @wraps(method)
    def call(self: BlockingRun, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._door.call(method(self._run, *args, **kwargs))

    return call


class BlockingRun:
    """As Run, for programs without an event loop; any thread may call."""

    def __init__(self, portal: Portal, life: Life, run: Run) -> None:
        self._portal = portal
        self._run = run
        self._door = Door(portal, life)
        self.state = BlockingState(self._door, run.state)

    @property
    def id(self) -> str:
        """Its id."""
        return self._run.id

    @property
    def name(self) -> str:
        """What kind of run it is."""
        return self._run.name

    @property
    def channel(self) -> str:
        """The channel in which it speaks: `run:ID`."""
        return self._run.channel

    @property
    def thread_id(self) -> str | None:
        """The conversation that it belongs to."""
        return self._run.thread_id

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody has cancelled it."""
        return self._run.is_cancelled

    def message(self, role: Role = "assistant", *, message_id: str | None = None) -> BlockingMessage:
        """A text that grows: `with run.message() as message: message.append("...")`."""
        return BlockingMessage(self._door, self._run.message(role, message_id=message_id))

    def tool(
        self,
        name: str,
        arguments: Any = None,
        *,
        tool_call_id: str | None = None,
        parent_message_id: str | None = None,
    ) -> BlockingTool:
        """A call of a tool; see Run.tool."""
        tool = self._run.tool(name, arguments, tool_call_id=tool_call_id, parent_message_id=parent_message_id)
        return BlockingTool(self._door, tool)

    log = _blocking(Run.log)
    progress = _blocking(Run.progress)
    usage = _blocking(Run.usage)
    emit = _blocking(Run.emit)
    result = _blocking(Run.result)

    @overload
    def ask(
        self,
        prompt: str,
        *,
        schema: type[T],
        details: str | None = None,
        timeout_s: float | None = None,
        default: T | Mapping[str, Any] | Literal["reject"] | None = MISSING,
    ) -> T | None: ...
    @overload
    def ask(
        self,
        prompt: str,
        *,
        options: Sequence[Any] | None = None,
        schema: Mapping[str, Any] | None = None,
        kind: Kind | None = None,
        details: str | None = None,
        timeout_s: float | None = None,
        default: Any = MISSING,
    ) -> Any: ...
    def ask(self, prompt: str, **given: Any) -> Any:
        """Ask people, and wait for the first answer; see Run.ask."""
        return self._door.call(self._run.ask(prompt, **given))

    def approve(
        self,
        prompt: str,
        value: T,
        *,
        schema: Mapping[str, Any] | None = None,
        details: str | None = None,
        timeout_s: float | None = None,
        default: Any = MISSING,
    ) -> Approval[T]:
        """Show people what is about to be done; see Run.approve."""
        return self._door.call(
            self._run.approve(prompt, value, schema=schema, details=details, timeout_s=timeout_s, default=default)
        )

    def child(
        self,
        name: str,
        input: Any = None,  # noqa: A002  # the protocol's word
        *,
        run_id: str | None = None,
        title: str | None = None,
        labels: Mapping[str, str] | None = None,
        on_cancel: OnCancel | None = None,
    ) -> BlockingRunBlock:
        """A run below this one: `with run.child("step") as step`; see Run.child."""
        self._door.knock()
        block = self._run.child(name, input, run_id=run_id, title=title, labels=labels, on_cancel=on_cancel)
        return BlockingRunBlock(self._portal, block)


class BlockingRunBlock:
    """`with ... as run`: opens the run, and writes its outcome on leaving, as RunBlock does.

    - The block ends well: `succeeded`; it raises: `failed`, and the error goes on; Ctrl-C: `cancelled`.
    - The run is cancelled from outside, or lost: RunCancelled or RunLost comes out, whatever the block did.
    """

    def __init__(self, portal: Portal, block: RunBlock) -> None:
        self._portal = portal
        self._block = block

    def __enter__(self) -> BlockingRun:
        self._life, run = self._portal.call(self._block.begin())
        face = BlockingRun(self._portal, self._life, run)
        self._mark = current.enter(face, self._life.records)
        return face

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        current.leave(self._mark)
        try:
            self._portal.call(self._life.end(error))
        except (RunCancelled, RunLost) as ending:
            if error is None or isinstance(error, Exception):
                raise ending from error
        except AntiphonError as problem:
            if error is None:
                raise
            logger.warning("the outcome of run %s was not stored: %s", self._life.id, problem)
