"""The text of an HTML page. One pass over it, whatever it holds: pages come from strangers."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9:-]*)")
_LEFT_OUT = frozenset(("script", "style", "noscript", "template", "svg", "math", "iframe", "title"))
_INLINE = re.compile(
    "a|abbr|b|bdi|bdo|cite|code|data|del|em|font|i|ins|kbd|label|mark|q|s|samp|small|span|strong|sub|sup|time|tt|u|var"
    "|wbr"
)
_CELLS = frozenset(("td", "th"))
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_LINES = re.compile(r" ?\n[ \n]*")


class Page(NamedTuple):
    title: str | None
    text: str


def read_page(source: str) -> Page:
    """The title, and the text without markup; blocks stand on lines of their own."""
    return Page(_title(source), _tidy("".join(_pieces(source))) or "")


def _pieces(source: str) -> list[str]:
    pieces: list[str] = []
    at = 0
    while (opening := source.find("<", at)) >= 0:
        pieces.append(_spaced(source[at:opening]))
        at = _after_markup(source, opening, pieces)
    pieces.append(_spaced(source[at:]))
    return pieces


def _after_markup(source: str, opening: int, pieces: list[str]) -> int:
    """Where the text goes on. What is never closed takes the rest with it."""
    if source.startswith("<!--", opening):
        return _after(source, "-->", opening + 4)
    tag = _TAG.match(source, opening)
    if tag is None:
        if source.startswith(("<!", "<?", "</"), opening):
            return _after(source, ">", opening)
        pieces.append("<")
        return opening + 1
    name = tag[1].lower()
    end = _after(source, ">", tag.end())
    if name in _CELLS:
        pieces.append(" ")
    elif _INLINE.fullmatch(name) is None:
        pieces.append("\n")
    return _after_element(source, name, end) if name in _LEFT_OUT and source[opening + 1] != "/" else end


def _after_element(source: str, name: str, at: int) -> int:
    found = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(source, at)
    return len(source) if found is None else _after(source, ">", found.end())


def _after(source: str, text: str, at: int) -> int:
    found = source.find(text, at)
    return len(source) if found < 0 else found + len(text)


def _spaced(text: str) -> str:
    """Line breaks of the source mean nothing."""
    return html.unescape(text).replace("\n", " ")


def _tidy(text: str) -> str:
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def _title(source: str) -> str | None:
    tag = re.search(r"<title\b", source, re.IGNORECASE)
    if tag is None:
        return None
    begin = _after(source, ">", tag.end())
    found = source.find("<", begin)
    return " ".join(html.unescape(source[begin : len(source) if found < 0 else found]).split())[:300] or None
