"""A conversation with an agent: ask, show the answer, put its questions to the person, and stop it on Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Self

import typer

import antiphon
from antiphon import Event, Gap, Item, Live
from antiphon.cli.chat_questions import ask_person
from antiphon.cli.chat_text import AnswerAlone, ChatText, JsonLine, Shown, say_question
from antiphon.cli.ending import FAILED, say
from antiphon.cli.following import OUTCOMES
from antiphon.cli.json_input import given_or_read
from antiphon.cli.tailing import Notices, say_gap
from antiphon.client import BlockingSubscription, ThreadDetails
from antiphon.client.run.port import new_run_id
from antiphon.client.run.rows import ENDED
from antiphon.errors import AntiphonError, InputError, NotFound

DEFAULT_AGENT = "assistant"


def chat_with(agent: str | None, thread: str | None, model: str | None, once: str | None, *, as_json: bool) -> None:
    """Talk until the person leaves, or ask once.

    Raises:
        NotFound: There is no such agent, or none at all.
        InputError: It is not clear which agent is meant.
    """
    with antiphon.connect(first_connection_s=0, on_status=Notices()) as live:
        begun = None if thread is None else _begun(live, thread)
        chat = Chat(live, _whom(live, agent, begun), thread or live.threads.new_id(), model)
        if once is not None:
            status = chat.ask(given_or_read(once).strip(), JsonLine() if as_json else AnswerAlone())
            raise typer.Exit(0 if status == "succeeded" else FAILED)
        _converse(chat, begun, as_json=as_json)


class Chat:
    """One conversation."""

    def __init__(self, live: Live, agent: str, thread_id: str, model: str | None) -> None:
        self.agent = agent
        self.thread_id = thread_id
        self._live = live
        self._input = {} if model is None else {"model": model}

    def ask(self, question: str, shown: Shown) -> str:
        """Ask and show the answer to its end; returns its status. Ctrl-C cancels it, a second one comes out of here."""
        run_id = new_run_id()
        asked = partial(
            self._live.start_run,
            self.agent,
            {**self._input, "prompt": question},
            run_id=run_id,
            thread_id=self.thread_id,
        )
        with _Showing(self._live, run_id, asked, shown) as answer:
            try:
                answer.to_its_end()
            except KeyboardInterrupt:
                answer.stop()
                answer.to_its_end()
        found = self._live.run_result(run_id)
        outcome = {"status": found.status, "result": found.result, "error": found.error}
        shown.end({"run_id": run_id, "thread_id": self.thread_id, **outcome})
        return found.status


class _Showing:
    """Asks and shows the answer, batch by batch; an interrupt anywhere loses nothing.

    Args:
        asked: Starts the run; calling it again starts no other.
    """

    def __init__(self, live: Live, run_id: str, asked: Callable[[], object], shown: Shown) -> None:
        self.has_ended = False
        self._live = live
        self._run_id = run_id
        self._asked = asked
        self._items: BlockingSubscription | None = None
        self._shown = shown
        self._waiting: deque[Item] = deque()
        self._questions: deque[dict[str, Any]] = deque()

    def to_its_end(self) -> None:
        """Show it until it has ended."""
        self._asked()
        while not self.has_ended:
            self.more()

    def stop(self) -> None:
        """Cancel it, also where the interrupt came while it was being asked."""
        self._asked()
        self._live.cancel_run(self._run_id, "stopped by Ctrl-C")

    def more(self) -> None:
        """Show what has come, and put the questions to the person."""
        if self._items is None:
            self._items = self._live.subscribe(f"run:{self._run_id}", after="start")
        if not self._waiting and not self._questions:
            batch = self._items.take()
            self._waiting.extend(batch)
            self.has_ended = not batch  # closed
        while self._waiting:
            self._take(self._waiting.popleft())
        self._shown.flush()
        while self._questions and not self.has_ended:
            self._ask(self._questions.popleft())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyboardInterrupt:
            say(f"the answer has not ended yet: antiphon runs show {self._run_id}")
        elif self._items is not None:
            self._items.close()

    def _take(self, item: Item) -> None:
        if isinstance(item, Gap):
            say_gap(item)
            self.has_ended = self._live.run_result(self._run_id, timeout_s=0).status in ENDED
        elif isinstance(item, Event):
            self._shown.show(item)
            self.has_ended = self.has_ended or item.type in OUTCOMES
            if item.type == "question.asked" and self._shown.asks:
                self._questions.append(item.data)
            elif item.type in ("question.answered", "question.withdrawn"):
                ended = item.data["question_id"]
                self._questions = deque(row for row in self._questions if row["question_id"] != ended)

    def _ask(self, question: dict[str, Any]) -> None:
        if not sys.stdin.isatty():
            say_question(question)
            return
        try:
            ask_person(self._live, question)
        except AntiphonError as exc:  # somebody else was faster, or it was withdrawn
            say(exc.message)


def _converse(chat: Chat, begun: ThreadDetails | None, *, as_json: bool) -> None:
    past = "a new thread" if begun is None else f"{begun.thread.title!r}, {begun.thread.runs} questions so far"
    if sys.stdin.isatty():
        say(f"{chat.agent} · {past} · Ctrl-C stops an answer, Ctrl-D leaves")
    has_asked = False
    for question in _questions():
        has_asked = True
        try:
            chat.ask(question, JsonLine() if as_json else ChatText())
        except InputError as exc:  # the next question may be a better one
            say(exc.message)
    if has_asked and sys.stdin.isatty():
        say(f"to go on with this: antiphon chat --thread {chat.thread_id}")


def _questions() -> Iterator[str]:
    """What the person asks, until Ctrl-D or Ctrl-C; without a terminal the lines of standard input."""
    if not sys.stdin.isatty():
        yield from (line.strip() for line in sys.stdin if line.strip())
        return
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # gives `input` a history
    while True:
        try:
            question = input("> ").strip()
        except (EOFError, KeyboardInterrupt):
            print(file=sys.stderr)
            return
        if question:
            yield question


def _begun(live: Live, thread_id: str) -> ThreadDetails | None:
    """The thread, if it has begun; any other id begins one."""
    try:
        return live.threads.get(thread_id)
    except NotFound:
        return None


def _whom(live: Live, agent: str | None, begun: ThreadDetails | None) -> str:
    names = [row.name for row in live.agents.list()]
    if agent is None and begun is not None:
        return begun.thread.agent
    if agent is None and DEFAULT_AGENT not in names and len(names) > 1:
        raise InputError(f"whom do you want to ask? There are: {', '.join(names)}")
    wanted = agent or (DEFAULT_AGENT if DEFAULT_AGENT in names else next(iter(names), DEFAULT_AGENT))
    if wanted not in names:
        there = f"there are: {', '.join(names)}" if names else "this server has none that you may ask"
        raise NotFound(f"there is no agent {wanted!r}; {there}")
    return wanted
