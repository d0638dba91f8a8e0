"""The commands that run beside the stream of events: name, parameters, what they do, and what the caller needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from antiphon.server.access import User, require
from antiphon.server.core import Core
from antiphon.server.live import agent_commands, encode, forum_commands, question_commands, run_commands, tool_commands
from antiphon.server.live.agent_params import (
    ThreadForkParams,
    ThreadListParams,
    ThreadParams,
    ThreadRenameParams,
    ToolCallParams,
)
from antiphon.server.live.forum_params import (
    ForumMuteParams,
    ForumParams,
    ForumPostParams,
    ForumReplayParams,
    ForumThresholdParams,
)
from antiphon.server.live.params import (
    ChannelListParams,
    ChannelParams,
    HistoryParams,
    NoParams,
    Params,
    ProcessAction,
    ProcessParams,
    ProcessWriteParams,
    SearchParams,
)
from antiphon.server.live.question_params import (
    QuestionAnswerParams,
    QuestionAskParams,
    QuestionListParams,
    QuestionParams,
    QuestionWithdrawParams,
)
from antiphon.server.live.run_params import (
    RunCancelParams,
    RunFinishParams,
    RunListParams,
    RunOpenParams,
    RunParams,
    RunRenewParams,
    RunResultParams,
    RunStartParams,
    RunTokenParams,
)


class Command(NamedTuple):
    params: type[Params]
    run: Callable[..., Awaitable[Any]]  # (core, user, what `params` says, the connection's id if it attaches)
    attaches: bool = False  # what it begins may depend on the connection it came over

    def perform(self, core: Core, user: User, wanted: Params, connection: str) -> Awaitable[Any]:
        return self.run(core, user, wanted, connection) if self.attaches else self.run(core, user, wanted)


async def history(core: Core, user: User, wanted: HistoryParams) -> dict[str, Any]:
    require(user, "read", wanted.channel)
    found = await core.hub.history(wanted.channel, after=wanted.after, before=wanted.before, limit=wanted.limit)
    return encode.history_object(found)


async def search(core: Core, user: User, wanted: SearchParams) -> dict[str, Any]:
    require(user, "read", wanted.channel)
    found = await core.hub.search(
        wanted.channel, wanted.text, before=wanted.before, limit=wanted.limit, ignore_case=wanted.ignore_case
    )
    return encode.search_object(found)


async def state(core: Core, user: User, wanted: ChannelParams) -> dict[str, Any]:
    require(user, "read", wanted.channel)
    return {"epoch": core.hub.epoch, **encode.state_object(await core.hub.state(wanted.channel))}


async def channel_list(core: Core, user: User, wanted: ChannelListParams) -> dict[str, Any]:
    found = await core.hub.channels(wanted.prefix)
    rows = [
        {"channel": name, "oldest": bounds.oldest, "head": bounds.head}
        for name, bounds in found
        if user.may("read", name)
    ]
    return {"epoch": core.hub.epoch, "channels": rows}


async def connection_list(core: Core, user: User, _: NoParams) -> dict[str, Any]:
    require(user, "control", "server:connections")
    return core.connections.rows()


async def process_action(core: Core, user: User, name: str, action: ProcessAction) -> dict[str, Any]:
    require(user, "control", f"process:{name}")
    perform = {"start": core.processes.start, "stop": core.processes.stop, "restart": core.processes.restart}[action]
    return {"name": name, "process": await perform(name)}


async def process_write(core: Core, user: User, wanted: ProcessWriteParams) -> dict[str, Any]:
    require(user, "control", f"process:{wanted.name}")
    await core.processes.write(wanted.name, wanted.text)
    return {}


def _process(action: ProcessAction) -> Command:
    async def run(core: Core, user: User, wanted: ProcessParams) -> dict[str, Any]:
        return await process_action(core, user, wanted.name, action)

    return Command(ProcessParams, run)


COMMANDS: dict[str, Command] = {
    "history": Command(HistoryParams, history),
    "search": Command(SearchParams, search),
    "state": Command(ChannelParams, state),
    "channel.list": Command(ChannelListParams, channel_list),
    "connection.list": Command(NoParams, connection_list),
    "process.start": _process("start"),
    "process.stop": _process("stop"),
    "process.restart": _process("restart"),
    "process.write": Command(ProcessWriteParams, process_write),
    "run.start": Command(RunStartParams, run_commands.start, attaches=True),
    "run.open": Command(RunOpenParams, run_commands.open_run, attaches=True),
    "run.renew": Command(RunRenewParams, run_commands.renew, attaches=True),
    "run.finish": Command(RunFinishParams, run_commands.finish),
    "run.cancel": Command(RunCancelParams, run_commands.cancel),
    "run.get": Command(RunParams, run_commands.get),
    "run.list": Command(RunListParams, run_commands.list_runs),
    "run.result": Command(RunResultParams, run_commands.result),
    "run.token": Command(RunTokenParams, run_commands.token),
    "question.ask": Command(QuestionAskParams, question_commands.ask),
    "question.answer": Command(QuestionAnswerParams, question_commands.answer),
    "question.withdraw": Command(QuestionWithdrawParams, question_commands.withdraw),
    "question.list": Command(QuestionListParams, question_commands.list_questions),
    "question.get": Command(QuestionParams, question_commands.get),
    "agent.list": Command(NoParams, agent_commands.list_agents),
    "thread.list": Command(ThreadListParams, agent_commands.list_threads),
    "thread.get": Command(ThreadParams, agent_commands.get_thread),
    "thread.fork": Command(ThreadForkParams, agent_commands.fork_thread),
    "thread.rename": Command(ThreadRenameParams, agent_commands.rename_thread),
    "thread.delete": Command(ThreadParams, agent_commands.delete_thread),
    "tool.list": Command(NoParams, tool_commands.list_tools),
    "tool.call": Command(ToolCallParams, tool_commands.call_tool),
    "forum.get": Command(ForumParams, forum_commands.get),
    "forum.post": Command(ForumPostParams, forum_commands.post),
    "forum.mute": Command(ForumMuteParams, forum_commands.mute),
    "forum.call_host": Command(ForumParams, forum_commands.call_host),
    "forum.stop_host": Command(ForumParams, forum_commands.stop_host),
    "forum.set_threshold": Command(ForumThresholdParams, forum_commands.set_threshold),
    "forum.replay": Command(ForumReplayParams, forum_commands.replay),
}
