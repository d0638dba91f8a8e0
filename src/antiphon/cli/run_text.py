"""A run's events as text: messages as they grow, everything else as a line of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import orjson

from antiphon import Event
from antiphon.cli.output import has_colour, safe

DIM, RED, GREEN, YELLOW, CYAN, BOLD, RESET = (f"\x1b[{code}m" for code in ("2", "31", "32", "33", "36", "1", "0"))
SHOWN_BYTES = 400  # of arguments and results
_LEVELS = {"debug": DIM, "warning": YELLOW, "error": RED, "critical": RED}
_ROLES = {"reasoning": DIM, "user": CYAN, "system": DIM}
_OUTCOMES = {
    "run.succeeded": ("succeeded", GREEN),
    "run.failed": ("failed", RED),
    "run.cancelled": ("cancelled", YELLOW),
    "run.lost": ("lost", RED),
}


class RunText:
    """Writes a run to standard output. What an unknown event says is shown as JSON."""

    def __init__(self) -> None:
        self._has_colour = has_colour()
        self._is_terminal = sys.stdout.isatty()
        self._growing: str | None = None  # the message in whose line we are
        self._roles: dict[str, str] = {}
        self._tools: dict[str, tuple[str, list[str]]] = {}  # name and the parts of the arguments
        self._parts: list[str] = []
        self._shapes: dict[str, Callable[[dict[str, Any]], None]] = {
            "message.open": self._message_open,
            "message.append": self._message_append,
            "message.close": self._message_close,
            "tool.start": self._tool_start,
            "tool.args": self._tool_args,
            "tool.progress": self._tool_progress,
            "tool.end": self._tool_end,
            "run.started": self._run_started,
            "run.status": self._run_status,
            "run.progress": self._run_progress,
            "run.usage": self._run_usage,
            "run.child": self._run_child,
            "log": self._log,
            "state.patch": self._state_patch,
            "question.asked": self._question_asked,
            "question.answered": self._question_answered,
            "question.withdrawn": self._question_withdrawn,
        }

    def show(self, event: Event) -> None:
        """Take the next event; it is seen after `flush`."""
        data = event.data if isinstance(event.data, dict) else {}
        shape = self._shapes.get(event.type)
        try:
            if event.type in _OUTCOMES:
                self._outcome(*_OUTCOMES[event.type], data)
            elif shape is not None:
                shape(data)
            else:
                self._line(f"{event.type} {_json(event.data)}", DIM)
        except (KeyError, TypeError, ValueError):  # a newer server's form
            self._line(f"{event.type} {_json(event.data)}", DIM)

    def flush(self) -> None:
        """Write what has been taken."""
        parts, self._parts = self._parts, []
        sys.stdout.buffer.write("".join(parts).encode("utf-8", "replace"))
        sys.stdout.buffer.flush()

    def close(self) -> None:
        """End the line that is being written."""
        self._break()
        self.flush()

    # messages

    def _message_open(self, data: dict[str, Any]) -> None:
        self._roles[data["message_id"]] = data["role"]

    def _message_append(self, data: dict[str, Any]) -> None:
        message_id, delta = data["message_id"], data["delta"]
        role = self._roles.get(message_id, "assistant")
        if self._growing != message_id:
            self._break()
            self._growing = message_id
            if role != "assistant":
                self._parts.append(self._paint(f"{role}: ", DIM))
        self._parts.append(self._paint(self._clean(delta), _ROLES.get(role, "")))

    def _message_close(self, data: dict[str, Any]) -> None:
        if self._growing == data["message_id"]:
            self._break()
        self._roles.pop(data["message_id"], None)
        if data["status"] != "completed":
            self._line(f"(the message was {data['status']})", DIM)

    # tools

    def _tool_start(self, data: dict[str, Any]) -> None:
        self._tools[data["tool_call_id"]] = data["name"], []
        self._line(f"▸ {data['name']}", CYAN)

    def _tool_args(self, data: dict[str, Any]) -> None:
        self._tools[data["tool_call_id"]][1].append(data["delta"])

    def _tool_progress(self, data: dict[str, Any]) -> None:
        name, _ = self._tools[data["tool_call_id"]]
        self._line(f"  {name} {_progress(data)}", DIM)

    def _tool_end(self, data: dict[str, Any]) -> None:
        name, arguments = self._tools.pop(data["tool_call_id"], ("tool", []))
        mark, colour = {"succeeded": ("✓", GREEN), "failed": ("✗", RED)}.get(data["status"], ("-", YELLOW))
        took = f" ({data['duration_ms'] / 1000:.1f} s)" if data.get("duration_ms") is not None else ""
        said = data["error"] if data.get("error") is not None else data.get("result")
        outcome = "" if said is None else f" → {_short(said if isinstance(said, str) else _json(said))}"
        self._line(f"{mark} {name}({_short(''.join(arguments))}){outcome}{took}", colour)

    # the rest

    def _run_started(self, data: dict[str, Any]) -> None:
        title = f" · {data['title']}" if data.get("title") else ""
        given = "" if data.get("input") is None else f" {_short(_json(data['input']))}"
        self._line(f"{data['name']}{title}{given} · started by {data.get('by') or 'nobody'}", DIM)

    def _run_status(self, data: dict[str, Any]) -> None:
        if data["status"] == "cancelling":
            self._line(f"cancelling{_reason(data)}", YELLOW)

    def _run_progress(self, data: dict[str, Any]) -> None:
        self._line(_progress(data), DIM)

    def _run_usage(self, data: dict[str, Any]) -> None:
        """Seen in the run's row; it changes too often for a line each."""

    def _run_child(self, data: dict[str, Any]) -> None:
        self._line(f"child {data['name']} {data['run_id']}: {data['status']}", DIM)

    def _log(self, data: dict[str, Any]) -> None:
        level = data["level"]
        prefix = "" if level == "info" else f"{level}: "
        self._line(f"{prefix}{data['text']}", _LEVELS.get(level, ""))

    def _state_patch(self, data: dict[str, Any]) -> None:
        changes = [f"{op['op']} {op['path'] or '/'}" for op in data["ops"]]
        more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
        self._line(f"state: {', '.join(changes[:3])}{more}", DIM)

    def _question_asked(self, data: dict[str, Any]) -> None:
        options = " / ".join(str(option["value"]) for option in data.get("options") or [])
        self._line(f"? {data['prompt']}{f'  [{options}]' if options else ''}", BOLD)
        way = " --approve" if data["kind"] == "approval" else " VALUE"
        self._line(f"  antiphon questions answer {data['question_id']}{way}", DIM)

    def _question_answered(self, data: dict[str, Any]) -> None:
        who = "the default, nobody answered in time" if data.get("is_default") else data.get("by") or "nobody"
        action = "" if data.get("action") in (None, "answer") else f"{data['action']} "
        self._line(f"! {action}{_short(_json(data.get('answer')))} ({who})", BOLD)

    def _question_withdrawn(self, data: dict[str, Any]) -> None:
        self._line(f"! the question was withdrawn{_reason(data)}", DIM)

    def _outcome(self, word: str, colour: str, data: dict[str, Any]) -> None:
        error = data.get("error") or {}
        why = f": {error['message']}" if error.get("message") else _reason(data)
        by = f" by {data['by']}" if data.get("by") else ""
        self._line(f"{word}{by}{why}", colour)
        if data.get("result") is not None:
            self._line(_json(data["result"]))

    # writing

    def _line(self, text: str, colour: str = "") -> None:
        self._break()
        self._parts.append(self._paint(self._clean(text), colour) + "\n")

    def _break(self) -> None:
        if self._growing is not None:
            self._growing = None
            self._parts.append("\n")

    def _clean(self, text: str) -> str:
        return safe(text) if self._is_terminal else text

    def _paint(self, text: str, colour: str) -> str:
        if self._is_terminal and "\x1b" in text:
            text += RESET
        return f"{colour}{text}{RESET}" if self._has_colour and colour else text


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_BYTES else f"{text[:SHOWN_BYTES]}…"


def _reason(data: dict[str, Any]) -> str:
    return f": {data['reason']}" if data.get("reason") else ""


def _progress(data: dict[str, Any]) -> str:
    done = "" if data.get("progress") is None else f"{data['progress']:.0%}"
    return f"{done} {data.get('message') or ''}".strip()
