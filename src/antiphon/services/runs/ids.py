"""Names that the service makes for runs: they sort by the time at which they were made."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no letter that reads as a digit, and it sorts
_TIME_CHARS = 9  # 45 bits of milliseconds: until the year 3084
_CHANCE_CHARS = 11


def new_run_id(now_s: float) -> str:
    """`run_` and 20 characters: 9 of time, 11 of chance."""
    return f"run_{_base32(int(now_s * 1000), _TIME_CHARS)}{_base32(secrets.randbits(5 * _CHANCE_CHARS), _CHANCE_CHARS)}"


def new_lease() -> str:
    """A secret that nobody guesses."""
    return secrets.token_urlsafe(32)


def _base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (length - 1), -1, -5))
