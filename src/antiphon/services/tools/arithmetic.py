"""The values of the calculator: what each operator and function does, and how large a number may become.

Whole numbers stay exact up to 4096 bits, so that no expression takes long. Nothing here is ever infinite or complex.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

Number = int | float

MAX_BITS = 4096
MAX_DIGITS = 300  # to which `round` rounds
JSON_INTEGER = 2**63  # larger ones are not carried exactly: they become floating-point numbers

CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau}


class Uncomputable(ValueError):
    """There is no such number; the text says why."""


def power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if base.bit_length() * exponent > MAX_BITS + exponent and abs(base) > 1:
            raise Uncomputable("the result of this power is too large")
        return int(base**exponent)
    found: Any = base**exponent
    if isinstance(found, complex):
        raise Uncomputable("a negative number has no such root")
    return float(found)


def rounded(value: Number, digits: Number = 0) -> Number:
    if not isinstance(digits, int) or abs(digits) > MAX_DIGITS:
        raise Uncomputable(f"round(x, digits) takes a whole number from -{MAX_DIGITS} to {MAX_DIGITS}")
    return round(value, digits) if digits else round(value)


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": power,
}

FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {  # with the least and the greatest number of arguments
    "abs": (abs, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "cos": (math.cos, 1, 1),
    "degrees": (math.degrees, 1, 1),
    "exp": (math.exp, 1, 1),
    "floor": (math.floor, 1, 1),
    "ln": (math.log, 1, 1),
    "log": (math.log, 1, 2),
    "log10": (math.log10, 1, 1),
    "log2": (math.log2, 1, 1),
    "max": (max, 2, 100),
    "min": (min, 2, 100),
    "radians": (math.radians, 1, 1),
    "round": (rounded, 1, 2),
    "sin": (math.sin, 1, 1),
    "sqrt": (math.sqrt, 1, 1),
    "tan": (math.tan, 1, 1),
}


def compute(function: Callable[..., Any], *arguments: Number) -> Number:
    """Apply an operator or a function. Raises Uncomputable."""
    try:
        return checked(function(*arguments))
    except ZeroDivisionError:
        raise Uncomputable("division by zero") from None
    except OverflowError:
        raise Uncomputable("the result is too large") from None
    except Uncomputable:
        raise
    except ValueError:
        raise Uncomputable("not defined for this number") from None


def checked(value: Any) -> Number:
    """A number of a size that can be gone on with. Raises Uncomputable."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Uncomputable("the result is too large")
        return value
    if value.bit_length() > MAX_BITS:
        raise Uncomputable("the result is too large")
    return int(value)


def as_json(value: Number) -> Number:
    """As JSON carries it. Raises Uncomputable: it is too large even for a floating-point number."""
    if isinstance(value, float) or -JSON_INTEGER <= value < JSON_INTEGER:
        return value
    try:
        return float(value)
    except OverflowError:
        raise Uncomputable("the result is too large") from None
