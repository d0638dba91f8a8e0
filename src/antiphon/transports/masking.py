"""Unmasking what clients send, without a loop over its bytes. Source: RFC 6455, section 5.3."""

from __future__ import annotations

from collections.abc import Callable

LONG = 2048  # bytes from which four table look-ups are faster than one big number

_XOR = [bytes(byte ^ key for byte in range(256)) for key in range(256)]


def unmask_in_python(data: bytes, key: bytes) -> bytes:
    """XOR `data` with the four bytes of `key`, over and over."""
    if len(data) < LONG:
        mask = (key * (len(data) // 4 + 1))[: len(data)]
        number = int.from_bytes(data, "little") ^ int.from_bytes(mask, "little")
        return number.to_bytes(len(data), "little")
    found = bytearray(len(data))
    for start in range(4):
        found[start::4] = data[start::4].translate(_XOR[key[start]])
    return bytes(found)


def _quickest() -> Callable[[bytes, bytes], bytes]:
    try:
        from websockets.speedups import apply_mask  # C, in most installs of websockets
    except ImportError:
        return unmask_in_python
    return apply_mask


unmask = _quickest()
