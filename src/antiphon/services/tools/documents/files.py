"""The files of a folder that may be searched. Nothing outside of it is ever opened: links are not followed.

A folder is entered and a file opened relative to the folder above, so that no name can be swapped for a link between a
look at it and its opening.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

LOOKED_AT = 8192  # bytes in which a NUL says that a file is no text
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the same bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Stamp(NamedTuple):
    """What changes when a file does."""

    mtime_ns: int
    size: int
    inode: int


class Found(NamedTuple):
    path: str  # below the folder, with "/"
    stamp: Stamp
    text: str | None  # None = it is as it was known, or no text


class Folder:
    """Args: limit: Of one file, in bytes; larger ones are left out."""

    def __init__(self, root: Path, globs: Sequence[str], *, max_bytes: int) -> None:
        self.root = root
        self._pattern = re.compile("|".join(map(_translate, globs)))
        self._max_bytes = max_bytes

    def files(self, known: Mapping[str, Stamp], stopped: Callable[[], bool]) -> Iterator[Found]:
        """All files that may be searched, each with its text unless it is as `known` says."""
        for folder, names, files, descriptor in os.fwalk(self.root, follow_symlinks=False):
            names[:] = sorted(name for name in names if not name.startswith("."))
            above = Path(folder).relative_to(self.root)
            for name in sorted(files):
                if stopped():
                    return
                path = (above / name).as_posix()
                if not name.startswith(".") and _is_utf8(path) and self._pattern.fullmatch(path):
                    yield from self._file(path, name, descriptor, known.get(path))

    def _file(self, path: str, name: str, folder: int, known: Stamp | None) -> Iterator[Found]:
        try:
            seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(seen.st_mode) and _stamp(seen) == known:
                yield Found(path, _stamp(seen), None)
                return
            # Neither a link nor, for ever, a pipe is opened.
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            return  # gone meanwhile, a link, or not ours to read
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > self._max_bytes:
                return
            try:
                yield Found(path, _stamp(status), decode(file.read(self._max_bytes)))
            except OSError:
                return


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_mtime_ns, status.st_size, status.st_ino)


def decode(content: bytes) -> str | None:
    """A file's text, whatever wrote it; None = it is no text."""
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), None)
    if encoding is not None:
        return content.decode(encoding, errors="replace")
    if b"\0" in content[:LOOKED_AT]:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # what most older files turn out to be


def _is_utf8(path: str) -> bool:
    """Whether it can be named in JSON."""
    return path.isprintable() and not any("\ud800" <= character <= "\udfff" for character in path)


def _translate(glob: str) -> str:
    """A glob as a regular expression: `*` and `?` stay within a folder, `**/` stands for any number of them."""
    found = re.sub(r"\*\*/|\*+|\?|.", _translate_part, glob.removeprefix("./"), flags=re.DOTALL)
    return f"(?:{found})"


def _translate_part(match: re.Match[str]) -> str:
    part = match[0]
    if part == "**/":
        return "(?:[^/]+/)*"
    if part == "**":
        return ".*"
    return {"*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
