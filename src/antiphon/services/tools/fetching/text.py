"""The text of what a server answered with."""

from __future__ import annotations

import codecs
import re
from email.message import Message

from antiphon.errors import ToolError
from antiphon.services.tools.fetching.html_text import Page, read_page

_HTML = ("text/html", "application/xhtml+xml")
_TEXT = re.compile(r"text/.*|application/(.*\+)?(json|xml|yaml|javascript)|application/(x-)?ndjson")
_META = re.compile(rb"""<meta[^>]{0,300}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_text(content: bytes, content_type: str) -> Page:
    """Raises ToolError: it is no text."""
    header = Message()
    header["content-type"] = content_type
    kind = header.get_content_type()
    if _TEXT.fullmatch(kind) is None and kind not in _HTML:
        raise ToolError(f"The page is {kind[:80]}, not text")
    text = content.decode(_encoding(content, _charset(header)), errors="replace")
    return read_page(text) if kind in _HTML else Page(None, text)


def _charset(header: Message) -> str | None:
    stated = header.get_content_charset()
    return stated if isinstance(stated, str) else None


def _encoding(content: bytes, stated: str | None) -> str:
    """A byte order mark says it best, then the header, then the page."""
    for mark, name in _BOMS:
        if content.startswith(mark):
            return name
    found = _META.search(content[:2048])
    names = [stated, found[1].decode("ascii") if found else None]
    return next((name for name in names if name is not None and _is_text_encoding(name)), "utf-8")


def _is_text_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except (LookupError, UnicodeError, ValueError):
        return False
    return name.lower() not in ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape")
