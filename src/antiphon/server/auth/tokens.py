"""Tokens: long random texts that stand for a user. Only their SHA-256 is ever stored in the settings.

A fast hash is right here: a token holds 256 random bits, so there is nothing to guess that a slow one would protect.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple

from antiphon.server.access import ALL

_PREFIX = "antiphon_"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class NewToken(NamedTuple):
    """A fresh token, which is shown once, and the lines that let its holder in."""

    token: str
    toml: str


def new_token(name: str, grants: Iterable[str] = (ALL,)) -> NewToken:
    """Make a token for the user `name`."""
    token = fresh()
    table = name if _BARE_KEY.fullmatch(name) else f'"{name}"'
    listed = ", ".join(f'"{grant}"' for grant in grants)
    return NewToken(token, f'[users.{table}]\ntoken_sha256 = "{digest(token)}"\ngrants = [{listed}]\n')


def fresh() -> str:
    """A token with 256 random bits; the prefix lets scanners of repositories recognise it."""
    return _PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a token."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find(token: str, digests: Mapping[str, str]) -> str | None:
    """The name under which the token's digest is stored; takes as long whether or not, and which one, matches."""
    presented = digest(token)
    matching = [name for name, stored in digests.items() if hmac.compare_digest(stored, presented)]
    return matching[0] if matching else None
