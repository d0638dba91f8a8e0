"""What `antiphon forum` does beside showing."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import antiphon
from antiphon.cli.ending import say
from antiphon.cli.output import print_json
from antiphon.errors import InputError


def say_something(text: str, source: str | None, *, as_json: bool) -> None:
    """Raises NotFound, InvalidParams."""
    words = sys.stdin.read() if text == "-" else text
    with antiphon.connect(first_connection_s=0) as live:
        speech = live.forum.post(words, source=source)
    _tell(asdict(speech), f"said as {speech.sender}", as_json=as_json)


def steer_host(*, stop: bool, threshold: int | None, as_json: bool) -> None:
    """Raises NotFound, ConflictError."""
    if stop and threshold is not None:
        raise InputError("--stop and --threshold exclude each other")
    with antiphon.connect(first_connection_s=0) as live:
        if threshold is not None:
            state = live.forum.set_threshold(threshold)
            _tell(asdict(state), f"the host speaks after {state.threshold} speeches", as_json=as_json)
            return
        host = live.forum.stop_host() if stop else live.forum.call_host()
    _tell(asdict(host), f"the host is {host.status}", as_json=as_json)


def mute_source(source: str, *, muted: bool, as_json: bool) -> None:
    """Raises NotFound."""
    with antiphon.connect(first_connection_s=0) as live:
        state = live.forum.mute(source, muted=muted)
    _tell(asdict(state), f"{source.upper()} is {'muted' if muted else 'heard'}", as_json=as_json)


def replay_file(file: Path, name: str | None, *, as_json: bool) -> None:
    """Raises ConflictError, InputError."""
    name = name or re.sub(r"[^A-Za-z0-9_.~-]+", "-", file.stem).lstrip(".-~")[:64]
    with antiphon.connect(first_connection_s=0) as live:
        found = live.forum.replay(name, file.read_text("utf-8", "replace"))
    words = f"{found.speeches} speeches of {found.sessions} sessions in {found.channel}; antiphon forum --name {name}"
    _tell(asdict(found), words, as_json=as_json)


def _tell(value: dict[str, Any], words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        say(words)
