"""What a program does with its run. Written once: a port says where the run is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

from antiphon.client.run import current
from antiphon.client.run.asking import MISSING, Approval, Form, Kind, question
from antiphon.client.run.growing import RunMessage, RunTool
from antiphon.client.run.interrupt import Interrupt
from antiphon.client.run.life import Life, logger
from antiphon.client.run.plain import plain
from antiphon.client.run.port import RunPort, new_run_id
from antiphon.client.run.state import RunState
from antiphon.errors import AntiphonError, InputError, RunCancelled, RunLost

T = TypeVar("T")
NewPort = Callable[[], RunPort]
OnCancel = Callable[[str | None], object]
OnDisconnect = Literal["continue", "cancel"]
Role = Literal["user", "assistant", "reasoning", "system"]
Level = Literal["debug", "info", "warning", "error", "critical"]


class Run:
    """A run that this program does: what it says is seen by everybody who watches, as it happens.

    What is said goes out in order and in batches, over reconnects and restarts of the server, each thing once; a call
    returns when there is room for more, not when it is stored. Leaving the run waits for that. All calls raise
    RunCancelled (growing text, tools and questions after a cancel), RunLost, RunEnded (after the block), and what the
    server said to something earlier.
    """

    def __init__(self, life: Life, new_port: NewPort) -> None:
        self._life = life
        self._new_port = new_port
        self.state = RunState(life.say)

    @property
    def id(self) -> str:
        """Its id."""
        return self._life.id

    @property
    def name(self) -> str:
        """What kind of run it is."""
        return str(self._life.wanted["name"])

    @property
    def channel(self) -> str:
        """The channel in which it speaks: `run:ID`."""
        return self._life.channel

    @property
    def thread_id(self) -> str | None:
        """The conversation that it belongs to."""
        return self._life.wanted.get("thread_id")

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody has cancelled it."""
        return self._life.is_cancelled

    def when_cancelled(self, told: OnCancel) -> Callable[[], None]:
        """Have `told(reason)` called on the event loop in the moment in which somebody cancels it.

        Returns:
            Call it to be told no longer.
        """
        return self._life.when_cancelled(told)

    def message(self, role: Role = "assistant", *, message_id: str | None = None) -> RunMessage:
        """A text that grows: `async with run.message() as message: await message.append("...")`."""
        return RunMessage(self._life.say, role, message_id)

    def tool(
        self,
        name: str,
        arguments: Any = None,
        *,
        tool_call_id: str | None = None,
        parent_message_id: str | None = None,
    ) -> RunTool:
        """A call of a tool: `async with run.tool("search", {"q": q}) as tool: await tool.result(...)`.

        Args:
            arguments: JSON; a text is taken as JSON already. None = none, or they come by `tool.args(delta)`.
        """
        return RunTool(self._life.say, name, arguments, tool_call_id=tool_call_id, parent_message_id=parent_message_id)

    async def log(self, text: str, level: Level = "info", *, logger: str | None = None) -> None:
        """One entry of its log."""
        where = {} if logger is None else {"logger": logger}
        await self._life.say("log", {"level": level, "text": text, **where})

    async def progress(self, progress: float | None = None, message: str | None = None) -> None:
        """How far it is: 0 to 1 (None: not known), and in words."""
        await self._life.say("run.progress", {"progress": progress, "message": message})

    async def usage(
        self,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        total_tokens: int | None = None,
        cost_usd: float | None = None,
        model: str | None = None,
    ) -> None:
        """What it has used so far: totals, not additions. What is None stays as it was."""
        said = {
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "total_tokens": total_tokens,
            "cost_usd": cost_usd,
            "model": model,
        }
        await self._life.say("run.usage", {name: value for name, value in said.items() if value is not None})

    async def emit(self, type: str, data: Any = None) -> None:  # noqa: A002  # the protocol's word
        """Something of the program's own: a type that begins with `x.`, any JSON."""
        if not type.startswith("x."):
            raise InputError(f"{type!r} is not a type of one's own: those begin with `x.`")
        await self._life.say(type, data)

    async def result(self, value: Any) -> None:
        """What it amounts to; said with the outcome. Raises TypeError if it is not JSON."""
        self._life.set_result(value)

    # Questions

    @overload
    async def ask(
        self,
        prompt: str,
        *,
        schema: type[T],
        details: str | None = None,
        timeout_s: float | None = None,
        default: T | Mapping[str, Any] | Literal["reject"] | None = MISSING,
    ) -> T | None: ...
    @overload
    async def ask(
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
    async def ask(
        self,
        prompt: str,
        *,
        options: Sequence[Any] | None = None,
        schema: Any = None,
        kind: Kind | None = None,
        details: str | None = None,
        timeout_s: float | None = None,
        default: Any = MISSING,
    ) -> Any:
        """Ask people, and wait for the first answer; meanwhile the run is `waiting`. Cancelling withdraws the question.

        Args:
            options: To choose from: values, or `{value, label?, description?}`; the answer is the value.
            schema: A form: a pydantic model, dataclass or TypedDict (the answer is one), or a JSON Schema (plain JSON).
                A form may be rejected: then the answer is None. Without options and schema the answer is a text.
            timeout_s: Seconds until the deadline; it holds over restarts. None = as long as the run lives.
            default: The answer at the deadline; must itself be a valid one (or "reject", for a form).
        Raises:
            QuestionWithdrawn: The deadline passed, and there was no default.
            InvalidParams: The question makes no sense; `.pointer` says where.
        """
        form: Form[Any] = Form(schema)
        given = default if default is MISSING else form.write(default)
        wanted = question(
            prompt,
            kind=kind,
            details=details,
            options=options,
            schema=form.schema,
            timeout_s=timeout_s,
            default=given,
        )
        answer = await self._life.ask(wanted)
        return None if answer.action == "reject" else form.read(answer.answer)

    async def approve(
        self,
        prompt: str,
        value: T,
        *,
        schema: Mapping[str, Any] | None = None,
        details: str | None = None,
        timeout_s: float | None = None,
        default: Any = MISSING,
    ) -> Approval[T]:
        """Show people what is about to be done; they approve it, edit it or reject it.

        Args:
            value: What it is: JSON, or a pydantic model, which can then be edited and comes back as one.
            schema: How a plain value may be edited; None = freely.
            default: What happens at the deadline: "approve" or "reject".
        Raises:
            QuestionWithdrawn: The deadline passed, and there was no default.
        """
        form: Form[T] = Form(type(value)) if schema is None and hasattr(value, "model_dump") else Form(schema)
        wanted = question(
            prompt,
            kind="approval",
            details=details,
            schema=form.schema,
            timeout_s=timeout_s,
            default=default,
            value=plain(value),
        )
        answer = await self._life.ask(wanted)
        is_rejected = answer.action == "reject"
        return Approval(
            action=answer.action,
            value=None if is_rejected else form.read(answer.answer),
            reason=answer.answer if is_rejected else None,
            by=answer.by,
            is_default=answer.is_default,
        )

    # Below it

    def child(
        self,
        name: str,
        input: Any = None,  # noqa: A002  # the protocol's word
        *,
        run_id: str | None = None,
        title: str | None = None,
        labels: Mapping[str, str] | None = None,
        on_cancel: OnCancel | None = None,
    ) -> RunBlock:
        """A run below this one, in the same thread: `async with run.child("step") as step`. A cancel reaches it too."""
        wanted = new_run(
            name,
            input=input,
            run_id=run_id,
            title=title,
            thread_id=self.thread_id,
            parent_run_id=self.id,
            labels=labels,
        )
        return RunBlock(wanted, self._new_port, on_cancel=on_cancel)


class RunBlock:
    """`async with ... as run`: opens the run, and writes its outcome on leaving.

    - The block ends well: `succeeded`, with what `run.result` was given.
    - It raises: `failed`, with that error, which goes on.
    - The run is cancelled from outside: the task sees CancelledError inside the block, and RunCancelled comes out.
    - The task is cancelled by its own program: `cancelled`, and CancelledError goes on.
    - The lease was lost: the task sees CancelledError inside the block, and RunLost comes out.
    """

    def __init__(self, wanted: Mapping[str, Any], new_port: NewPort, *, on_cancel: OnCancel | None = None) -> None:
        self._wanted = wanted
        self._new_port = new_port
        self._on_cancel = on_cancel

    async def begin(self, interrupt: Callable[[str], object] | None = None) -> tuple[Life, Run]:
        """Open it, and leave its end to the caller; `interrupt` is told why the program should stop."""
        life = Life(self._new_port(), self._wanted, on_cancel=self._on_cancel)
        life.interrupt = interrupt
        await life.open()
        return life, Run(life, self._new_port)

    async def __aenter__(self) -> Run:
        self._interrupt = Interrupt()
        self._life, run = await self.begin(self._interrupt.send)
        self._mark = current.enter(run, self._life.records)
        return run

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        current.leave(self._mark)
        others = await self._interrupt.leave(error)
        try:
            await self._life.end(error)
        except (RunCancelled, RunLost) as ending:
            if not others:
                raise ending from error
        except AntiphonError as problem:
            if error is None:
                raise
            logger.warning("the outcome of run %s was not stored: %s", self._life.id, problem)
        if others and error is None and self._interrupt.is_sent:
            raise asyncio.CancelledError  # it was thrown together with ours, and taken back with it


def new_run(
    name: str,
    *,
    input: Any = None,  # noqa: A002
    run_id: str | None = None,
    title: str | None = None,
    thread_id: str | None = None,
    parent_run_id: str | None = None,
    labels: Mapping[str, str] | None = None,
    on_disconnect: OnDisconnect | None = None,
) -> dict[str, Any]:
    """The parameters of `run.start` and `run.open`; the id is made here, so that asking twice begins one run.

    Raises:
        TypeError: The input is not JSON.
    """
    wanted = {
        "input": plain(input),
        "title": title,
        "thread_id": thread_id,
        "parent_run_id": parent_run_id,
        "labels": None if labels is None else dict(labels),
        "on_disconnect": on_disconnect,
    }
    given = {key: value for key, value in wanted.items() if value is not None}
    return {"name": name, "run_id": new_run_id() if run_id is None else run_id, **given}
