"""Two secrets of a data directory, readable by their owner only: the operator's token and the key of the sessions."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from antiphon.server.auth.tokens import fresh

OPERATOR_FILE = "operator-token"
SESSION_FILE = "session-key"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
_KEY = re.compile(r"[0-9a-f]{64}")


def operator_token(data: Path) -> str:
    """The token of the user `operator`, made with the data directory. Delete the file to replace it.

    Raises:
        OSError: The directory cannot be read or written.
    """
    return _read_or_make(data / OPERATOR_FILE, _TOKEN, fresh)


def session_key(data: Path) -> bytes:
    """The key that signs session cookies. Delete the file to end all sessions. Raises OSError."""
    return bytes.fromhex(_read_or_make(data / SESSION_FILE, _KEY, lambda: secrets.token_hex(32)))


def _read_or_make(path: Path, shape: re.Pattern[str], make: Callable[[], str]) -> str:
    """What the file holds; a new secret where it is missing or was left half written."""
    try:
        text = path.read_text("ascii", errors="replace").strip()
    except FileNotFoundError:
        text = ""
    if shape.fullmatch(text):
        path.chmod(0o600)  # a copied directory may have lost its modes
        return text
    return _make(path, make())


def _make(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)  # whole or not at all, and never readable by others in between
    return text
