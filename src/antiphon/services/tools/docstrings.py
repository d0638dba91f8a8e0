"""Reads docstrings: what a function does, and a line about each of its parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

_SECTION = re.compile(
    r"(Args|Arguments|Parameters|Params|Returns?|Raises|Yields?|Examples?|Notes?|See Also|References?|Todo):"
)
_ARGUMENTS = ("Args", "Arguments", "Parameters", "Params")
_ENTRY = re.compile(r"\*{0,2}([A-Za-z_][A-Za-z0-9_]*)\s*(?:\([^)]*\))?\s*:\s*(.*)")
_FIELD = re.compile(r":param\s+(?:[^:\s]+\s+)?([A-Za-z_][A-Za-z0-9_]*):\s*(.*)")


def read_docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """What the function does, and what each parameter is; empty where it does not say."""
    lines = (inspect.getdoc(function) or "").splitlines()
    ends = next((at for at, line in enumerate(lines) if _begins_details(line)), len(lines))
    return "\n".join(lines[:ends]).strip(), _fields(lines) | _arguments(lines)


def _begins_details(line: str) -> bool:
    return _SECTION.fullmatch(line.strip()) is not None or line.lstrip().startswith((":param", ":return", ":raise"))


def _fields(lines: list[str]) -> dict[str, str]:
    """`:param name: text`, each on its line."""
    found = (_FIELD.match(line.strip()) for line in lines)
    return {match[1]: match[2].strip() for match in found if match is not None}


def _arguments(lines: list[str]) -> dict[str, str]:
    """The entries below `Args:`; what is indented deeper goes on with the entry before."""
    texts: dict[str, list[str]] = {}
    name, indent = "", 0
    for line in _section(lines):
        match, depth = _ENTRY.match(line.strip()), len(line) - len(line.lstrip())
        if match is not None and (not name or depth <= indent):
            name, indent = match[1], depth
            texts[name] = [match[2]]
        elif name:
            texts[name].append(line.strip())
    return {name: " ".join(part for part in parts if part) for name, parts in texts.items()}


def _section(lines: list[str]) -> list[str]:
    """The lines of the section about arguments."""
    inside, found = False, []
    for line in lines:
        match = _SECTION.fullmatch(line.strip())
        if match is not None:
            inside = match[1] in _ARGUMENTS
        elif inside:
            found.append(line)
    return found
