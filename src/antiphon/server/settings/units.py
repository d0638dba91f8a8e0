"""Durations, sizes and absent limits as people write them: `7d`, `1MiB`, `unlimited`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

UNLIMITED = "unlimited"

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_quantity = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)")


def read_duration(value: Any) -> Any:
    """Translate `"7d"` (ms, s, m, h, d, w) into seconds; numbers are seconds already. Raises ValueError."""
    return _read(value, _SECONDS, "a number of seconds, or a text such as '30s' or '7d' (ms, s, m, h, d, w)")


def read_size(value: Any) -> Any:
    """Translate `"1MiB"` (B, kB, MB, GB, KiB, MiB, GiB, …) into bytes; numbers are bytes already. Raises ValueError."""
    size = _read(
        value, _BYTES, "a number of bytes, or a text such as '64KiB' or '10MiB' (B, kB, MB, GB, KiB, MiB, GiB)"
    )
    return int(size) if isinstance(size, float) and size.is_integer() else size


def read_unlimited(value: Any) -> Any:
    """Translate `"unlimited"` into None."""
    return None if value == UNLIMITED else value


def _read(value: Any, units: dict[str, Any], expected: str) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"expected {expected}")  # noqa: TRY004  pydantic translates ValueError only
    if not isinstance(value, str):
        return value
    match = _quantity.fullmatch(value.strip())
    if match is None or (match[2] and match[2] not in units):
        raise ValueError(f"expected {expected}")
    return float(match[1]) * units.get(match[2], 1)


Seconds = Annotated[float, BeforeValidator(read_duration)]
Bytes = Annotated[int, BeforeValidator(read_size)]
Unlimited = BeforeValidator(read_unlimited)  # for `X | None`; put it last, so that it is asked first
