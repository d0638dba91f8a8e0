"""What the offline model makes of a question, and of what tools returned. Plain code: it looks up and never invents."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple
from zoneinfo import available_timezones

import orjson

OFFLINE_NOTE: Final = "I am offline: no language model is set up, so I can only use tools and repeat what they say."
_SHOWN = 5  # hits of a search, and names in a list
_LONG = 1500  # characters of one result

_NUMBER = r"(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_SIGN = r"(?:\*\*|//|[-+*/%^×÷·−])"  # noqa: RUF001 - as people write them
_TERM = rf"[-+−]?\s*\(*\s*[-+−]?\s*{_NUMBER}\s*\)*"  # noqa: RUF001
_EXPRESSION = re.compile(rf"(?<![\w.]){_TERM}(?:\s*{_SIGN}\s*{_TERM})+(?![\w])")
_DATE = re.compile(r"\b\d{4}-\d{1,2}-\d{1,2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}\b)")
_WORDS: Final = (
    (re.compile(r"(?<=[\d)])\s+(?:multiplied by|times|x)\s+(?=[\d(.-])", re.IGNORECASE), " * "),
    (re.compile(r"(?<=[\d)])\s+(?:divided by|over)\s+(?=[\d(.-])", re.IGNORECASE), " / "),
    (re.compile(r"(?<=[\d)])\s+plus\s+(?=[\d(.-])", re.IGNORECASE), " + "),
    (re.compile(r"(?<=[\d)])\s+minus\s+(?=[\d(.-])", re.IGNORECASE), " - "),
    (re.compile(r"(?<=[\d)])\s+to the power of\s+(?=[\d(.-])", re.IGNORECASE), " ** "),
    (re.compile(rf"({_NUMBER})\s*(?:%|percent)\s+of\s+(?=[\d(.-])", re.IGNORECASE), r"\1 / 100 * "),
)
_COMPUTE = re.compile(r"\b(calculat|comput|how much|what is|what's|result|equals?|sum|solve)|=", re.IGNORECASE)
_TIME = re.compile(
    r"\b(what time|time is it|the time|current time|time in|what date|(?:the|today's|current) date|date today)\b"
    r"|\b(what|which) (week)?day\b"
    r"|\b(uhrzeit|wie spät|welcher tag|datum)\b|几点|时间|日期",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s<>\"')\]]+")
_NAMED = re.compile(r"^\s*(?:please\s+)?(?:call|use|run)?\s*`?([A-Za-z0-9_-]{1,64})`?\s*:?\s*(\{.*\})\s*$", re.DOTALL)
_WORD = re.compile(r"\w[\w'-]*")
_EMPTY: Final = frozenset(
    _WORD.findall(
        "a about all am an and any are as at be been but by can did do does for from had has have how i if in into "
        "is it its know like me my of on or our please should show so some tell than that the their them then there "
        "these they this those to us was we were what what's when where which who who's whom whose why will with would "
        "you your give find search look explain describe "
        "der die das ein eine und oder ist sind war wer was wie wo wann warum welche welcher mir ich du es im zu mit"
    )
)
_PLACE = re.compile(r"\bin\s+([A-Za-z_]+(?:[ /][A-Za-z_]+){0,2})")


class Wish(NamedTuple):
    """A tool that would help, with its arguments."""

    tool: str
    arguments: dict[str, Any]


class Said(NamedTuple):
    """What became of a call."""

    tool: str
    outcome: str  # success, failed, denied, retried, interrupted
    content: Any


def wish(question: str, tools: Sequence[str]) -> Wish | None:
    """The tool to call for a question; None = none of them helps."""
    for found in (_named(question, tools), _sum(question), _time(question), _page(question)):
        if found is not None and found.tool in tools:
            return found
    words = meaningful(question)
    return Wish("search_documents", {"query": words}) if words and "search_documents" in tools else None


def meaningful(question: str) -> str:
    """The words of a question that say what it is about; the others are in every text."""
    return " ".join(word for word in _WORD.findall(question) if word.lower() not in _EMPTY)[:500]


def _named(question: str, tools: Sequence[str]) -> Wish | None:
    """A tool by its own name with its arguments: `echo {"text": "hi"}`."""
    match = _NAMED.match(question)
    if match is None or match[1] not in tools:
        return None
    try:
        arguments = orjson.loads(match[2])
    except orjson.JSONDecodeError:
        return None
    return Wish(match[1], arguments) if isinstance(arguments, dict) else None


def _sum(question: str) -> Wish | None:
    expression = expression_in(question)
    return None if expression is None else Wish("calculator", {"expression": expression})


def expression_in(question: str) -> str | None:
    """The longest arithmetic expression in a text; ranges, fractions and dates inside of prose are none."""
    text = _GROUPED.sub("", _DATE.sub(" ", question))
    for pattern, sign in _WORDS:
        text = pattern.sub(sign, text)
    found = [_trimmed(match[0]) for match in _EXPRESSION.finditer(text)]
    if not found:
        return None
    longest = max(found, key=len)
    is_plain = longest == text.strip(" \t\n?=.!") or re.search(r"[*+^×÷(]|\s[-/−%]\s", longest)  # noqa: RUF001
    return longest.replace("^", "**") if is_plain or _COMPUTE.search(question) else None


def _trimmed(expression: str) -> str:
    """Without parentheses at its ends that belong to the prose around it."""
    text = expression.strip()
    while text.count("(") < text.count(")") and text.endswith(")"):
        text = text[:-1].rstrip()
    while text.count("(") > text.count(")") and text.startswith("("):
        text = text[1:].lstrip()
    return text


def _time(question: str) -> Wish | None:
    if not _TIME.search(question):
        return None
    zone = zone_in(question)
    return Wish("clock", {} if zone is None else {"zone": zone})


def zone_in(question: str) -> str | None:
    """The time zone that a text names: `Europe/Berlin`, or `in Berlin` where a zone is called so."""
    zones = _zones()
    for word in re.findall(r"[A-Za-z_]+(?:/[A-Za-z_]+)+|\bUTC\b", question):
        if word in zones:
            return str(word)
    for place in _PLACE.findall(question):
        words = place.split(" ")
        for count in range(len(words), 0, -1):
            city = "_".join(words[:count]).lower()
            known = sorted(zone for zone in zones if zone.count("/") >= 1 and zone.rpartition("/")[2].lower() == city)
            regions = [zone for zone in known if not zone.startswith(("Etc/", "posix/", "right/", "US/", "Brazil/"))]
            if regions:
                return regions[0]
    return None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _page(question: str) -> Wish | None:
    match = _URL.search(question)
    return None if match is None else Wish("fetch", {"url": match[0].rstrip(".,;:!?")})


# Answers


def answer_to(said: Sequence[Said]) -> str:
    """What tools returned, in words."""
    return "\n\n".join([*(_one(result) for result in said), f"({OFFLINE_NOTE})"])


def _one(said: Said) -> str:
    if said.outcome == "denied":
        return f"`{said.tool}` was not called. {_text(said.content)}"
    if said.outcome != "success":
        return f"`{said.tool}` could not do it: {_text(said.content)}"
    match said.tool:
        case "clock" if isinstance(said.content, Mapping):
            return _clock(said.content)
        case "search_documents" if isinstance(said.content, Sequence) and not isinstance(said.content, str):
            return _hits(said.content)
        case _:
            return f"`{said.tool}` says: {_text(said.content)}"


def _clock(now: Mapping[str, Any]) -> str:
    when = f"{now.get('weekday')}, {now.get('date')}, {now.get('time')}"
    return f"It is {when} ({now.get('zone')}, UTC{now.get('utc_offset')}), `clock` says."


def _hits(hits: Sequence[Any]) -> str:
    if not hits:
        return "No document mentions this (`search_documents`)."
    lines = [f"- `{hit.get('path')}`, line {hit.get('line')}: {_text(hit.get('snippet'))}" for hit in hits[:_SHOWN]]
    more = f"\n({len(hits) - _SHOWN} more)" if len(hits) > _SHOWN else ""
    return "These documents mention it:\n" + "\n".join(lines) + more


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return text if len(text) <= _LONG else f"{text[:_LONG]}… ({len(text)} characters)"


def helpless(tools: Sequence[str]) -> str:
    """What is said where no tool helps."""
    if not tools:
        return f"{OFFLINE_NOTE} And I have no tools here, so I cannot answer this."
    names = ", ".join(f"`{name}`" for name in tools[:_SHOWN]) + (" and more" if len(tools) > _SHOWN else "")
    return (
        f"{OFFLINE_NOTE} None of them fits this question. I have {names}; each can be called by its name, "
        'for instance: calculator {"expression": "6 * 7"}'
    )
