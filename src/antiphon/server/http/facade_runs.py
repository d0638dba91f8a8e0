"""What the facades of other protocols share: finding and starting runs, and what a lost client means."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fastapi import Request

from antiphon.errors import AntiphonError, InvalidParams, NotFound
from antiphon.server.access import User, require
from antiphon.server.body import read_object
from antiphon.server.core import Core
from antiphon.server.live import run_commands
from antiphon.server.live.params import check
from antiphon.server.live.run_params import RunCancelParams, RunStartParams
from antiphon.services.runs import ENDED, Filter, RunEvent, run_channel
from antiphon.services.table import Row

MAX_ALIASES = 10_000
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_THREAD_ID = re.compile(r"[A-Za-z0-9_.~-]{1,128}")


def run_id_of(text: str) -> str:
    """A client's id of a run as one of ours; always the same for the same text."""
    return text if _RUN_ID.fullmatch(text) else _hashed(text)


def thread_id_of(text: str) -> str:
    """The same for a thread."""
    return text if _THREAD_ID.fullmatch(text) else _hashed(text)


def _hashed(text: str) -> str:
    return f"id_{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:40]}"


class Aliases:
    """Ids under which clients go on with runs that began under others; the newest, until the server ends."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, str] = OrderedDict()

    @classmethod
    def of(cls, request: Request) -> Aliases:
        """Those of this server."""
        state = request.app.state
        if not hasattr(state, "run_aliases"):
            state.run_aliases = cls()
        found: Aliases = state.run_aliases
        return found

    def add(self, alias: str, run_id: str) -> None:
        self._found[alias] = run_id
        if len(self._found) > MAX_ALIASES:
            self._found.popitem(last=False)

    def get(self, alias: str) -> str:
        """The run's own id; the alias itself where it is none."""
        return self._found.get(alias, alias)


def find_run(request: Request, core: Core, user: User, name: str, text: str) -> Row:
    """The row of a run of this name. Raises NotFound, Forbidden."""
    run_id = Aliases.of(request).get(run_id_of(text))
    require(user, "read", run_channel(run_id))
    row = core.runs.rows.get(run_id)
    if row is None or row["name"] != name:
        raise NotFound(f"there is no run {text[:80]!r} of {name[:80]!r}")
    return row


def runs_in_thread(core: Core, user: User, name: str, thread_id: str) -> list[Row]:
    """Runs of this name in a thread, newest first, as far as the user may read them."""
    rows = core.runs.find(Filter(thread_id=thread_id, name=name))
    return [row for row in rows if user.may("read", run_channel(row["run_id"]))]


def is_under_way(row: Row) -> bool:
    return row["status"] not in ENDED


def agent_row(core: Core, name: str) -> Row | None:
    """An agent's row of `agent.list`; None = it is no agent."""
    rows = [] if core.agents is None else core.agents.rows
    return next((dict(row) for row in rows if row["name"] == name), None)


def check_startable(core: Core, user: User, name: str) -> None:
    """Raise Forbidden, NotFound."""
    require(user, "control", f"run:{name}")
    if name not in core.runs.names:
        known = [known for known in core.runs.names if user.may("control", f"run:{known}")]
        raise NotFound(f"nothing called {name[:80]!r} can be started; there is: {', '.join(known) or 'nothing'}")


async def start_run(
    core: Core, user: User, given: Mapping[str, Any], said: RunEvent | None, pointer: Callable[[str | None], str | None]
) -> Row:
    """Start a run, or find the one that an earlier try has started.

    Args:
        said: What is kept in the run of how it was started.
        pointer: Finds what is wrong with the input in what the client has sent.
    """
    with located(pointer):
        wanted = check(RunStartParams, dict(given), at="/params")
        row: Row = (await run_commands.start(core, user, wanted, said=[] if said is None else [said]))["run"]
    return row


@contextmanager
def located(pointer: Callable[[str | None], str | None]) -> Iterator[None]:
    """Errors point into what the client has sent."""
    try:
        yield
    except AntiphonError as error:
        error.pointer = pointer(error.pointer)
        raise


def runnable_input(core: Core, name: str, offered: Mapping[str, Any]) -> dict[str, Any]:
    """The input of a run that is no agent's: what its function has parameters for.

    Where it needs one thing that nobody offers, that is given the prompt.
    """
    runnable = core.runnables.get(name)
    if runnable is None:
        return {"prompt": offered["prompt"]}
    parameters = list(inspect.signature(runnable.function).parameters.values())[1:]
    given = {found.name: offered[found.name] for found in parameters if found.name in offered}
    missing = [found.name for found in parameters if found.name not in given and _is_needed(found)]
    if "prompt" not in given and len(missing) == 1:
        given[missing[0]] = offered["prompt"]
    return given


def _is_needed(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD


def on_disconnect_of(core: Core, name: str, asked: str | None) -> str:
    """What becomes of a run whose starter drops the request: as the request asks, or the agent is set, or it goes on.

    Raises:
        InvalidParams: It is asked for something else.
    """
    if asked not in (None, "continue", "cancel"):
        raise InvalidParams("onDisconnect is `continue` or `cancel`", pointer="/query/onDisconnect")
    if asked is not None:
        return asked
    agent = agent_row(core, name)
    return "continue" if agent is None else str(agent["on_disconnect"])


def gone(core: Core, user: User, run_id: str, on_disconnect: str) -> Callable[[], Awaitable[None]] | None:
    """What is to be done when whoever asked goes away; None = nothing."""

    async def cancel() -> None:
        core.cancels += 1
        await core.runs.cancel(run_id, reason="whoever asked has gone", by=user.name)

    return cancel if on_disconnect == "cancel" else None


async def stop_runs(request: Request, core: Core, user: User, rows: list[Row]) -> list[dict[str, Any]]:
    """Cancel them; the body may hold a reason, the answers are receipts. Raises Forbidden, InvalidParams."""
    if not rows:
        return []
    said = check(RunCancelParams, await read_object(request, run_id=rows[0]["run_id"]), at="")
    wanted = [RunCancelParams(run_id=row["run_id"], reason=said.reason) for row in rows]
    return [await run_commands.cancel(core, user, one) for one in wanted]
