"""The calculator: arithmetic as everybody knows it, limits, and errors that name the place."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InvalidParams, ToolError
from antiphon.services.tools import Tools
from antiphon.services.tools.calculator import MAX_LENGTH, calculate


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("123 + 456", 579),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("2 ** -1", 0.5),
        ("--3", 3),
        ("7 / 2", 3.5),
        ("6 / 2", 3.0),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("0 ** 0", 1),
        ("1_000 * 2", 2000),
        (".5 + 1.", 1.5),
        ("1e3", 1000.0),
        ("2 \u00d7 3 \u2212 4 \u00f7 2", 4.0),
        ("sqrt(16) + abs(-2)", 6.0),
        ("round(2.567, 2)", 2.57),
        ("round(2.4)", 2),
        ("max(1, 2, 3) - min(4, 5)", -1),
        ("log(8, 2)", 3.0),
        ("floor(-1.5) + ceil(1.2)", 0),
        ("round(sin(pi / 2))", 1),
        ("9223372036854775807", 2**63 - 1),
        ("2 ** 100", float(2**100)),
        ("2 ** 4096 / 2 ** 4096", None),
        ("2 ** 2000 // 2 ** 1999", 2),
    ],
)
def test_it_computes(expression: str, value: float | None) -> None:
    if value is None:
        with pytest.raises(ToolError):
            calculate(expression)
        return
    found = calculate(expression)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("expression", "position", "why"),
    [
        ("", 1, "expected a number, found the end"),
        ("1 +", 4, "expected a number, found the end"),
        ("1 + * 2", 5, "expected a number, found '*'"),
        ("1 2", 3, "unexpected '2'"),
        ("(1 + 2", 7, "the parenthesis from position 1 is not closed"),
        ("1)", 2, "unexpected ')'"),
        ("2 ^ 3", 3, "write a power as **"),
        ("5!", 2, "there are no factorials"),
        ("x = 1", 1, "'x' is not known"),
        ("__import__('os')", 1, "'__import__' is not known"),
        ("(1).real", 4, "unexpected '.'"),
        ("'a' * 3", 1, 'expected a number, found "\'"'),
        ("1 / 0", 3, "division by zero"),
        ("1 % 0", 3, "division by zero"),
        ("0 ** -1", 3, "division by zero"),
        ("(-8) ** 0.5", 6, "a negative number has no such root"),
        ("sqrt(-1)", 1, "not defined for this number"),
        ("log(0)", 1, "not defined for this number"),
        ("exp(1000)", 1, "the result is too large"),
        ("1e999", 1, "the result is too large"),
        ("1e308 * 10", 7, "the result is too large"),
        ("9 ** 9 ** 9", 3, "the result of this power is too large"),
        ("10 ** 400", 10, "the result is too large"),
        ("round(1, -1000000000)", 1, "round(x, digits) takes a whole number from -300 to 300"),
        ("sin", 1, "sin is a function: sin(...)"),
        ("sin(1, 2)", 1, "sin takes 1 numbers, not 2"),
        ("max(1)", 1, "max takes 2 to 100 numbers, not 1"),
        ("\uff11 + 1", 1, "expected a number"),
    ],
)
def test_errors_name_the_position(expression: str, position: int, why: str) -> None:
    with pytest.raises(ToolError) as failed:
        calculate(expression)
    assert f"position {position}: " in failed.value.message
    assert why in failed.value.message


@pytest.mark.parametrize("expression", ["(" * 500 + "1" + ")" * 499, "-" * 999 + "1", "2**" * 300 + "2", "9" * 1000])
def test_nothing_is_too_much(expression: str) -> None:
    """Deep, long and large: an answer or an error, at once."""
    with suppress(ToolError):
        calculate(expression)
    with pytest.raises(ToolError, match=f"{MAX_LENGTH} characters"):
        calculate(expression + "+1" * MAX_LENGTH)


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def _joined(left: tuple[str, int], sign: str, right: tuple[str, int]) -> tuple[str, int]:
    return f"({left[0]}) {sign} ({right[0]})", OPERATORS[sign](left[1], right[1])


NUMBERS = st.integers(0, 10**6).map(lambda n: (str(n), n))
EXPRESSIONS = st.recursive(
    NUMBERS, lambda inner: st.builds(_joined, inner, st.sampled_from(sorted(OPERATORS)), inner), max_leaves=6
)


@given(EXPRESSIONS)
def test_it_agrees_with_python(expression: tuple[str, int]) -> None:
    text, value = expression
    if len(text) <= MAX_LENGTH and abs(value) < 2**63:
        assert calculate(text) == value


@given(st.text("0123456789.eE+-*/%(), _sqrtpi^!\u00d7", max_size=40))
def test_any_text_is_a_number_or_an_error(text: str) -> None:
    try:
        found = calculate(text)
    except ToolError:
        return
    assert orjson.loads(orjson.dumps(found)) == found


async def test_the_tool_takes_an_expression() -> None:
    async with Tools() as tools:
        assert await tools.call("calculator", {"expression": "123 + 456"}) == 579
        with pytest.raises(InvalidParams) as missing:
            await tools.call("calculator", {})
        assert missing.value.pointer == "/params/arguments/expression"
        with pytest.raises(InvalidParams):
            await tools.call("calculator", {"expression": "1", "precision": 3})
