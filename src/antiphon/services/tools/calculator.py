"""The tool `calculator`: reads an expression and computes it. Nothing is ever evaluated as a program.

sum     = product (("+" | "-") product)*
product = unary (("*" | "/" | "//" | "%") unary)*
unary   = ("-" | "+") unary | power
power   = atom ("**" unary)?              so that -2**2 is -4, and 2**3**2 is 2**9
atom    = number | name | name "(" sum ("," sum)* ")" | "(" sum ")"
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn

from antiphon.errors import ToolError
from antiphon.services.tools.arithmetic import (
    CONSTANTS,
    FUNCTIONS,
    OPERATORS,
    Number,
    Uncomputable,
    as_json,
    checked,
    compute,
)
from antiphon.services.tools.tool import Tool
from antiphon.services.tools.values import ToolContext

MAX_LENGTH = 1000  # characters of an expression
MAX_DEPTH = 100  # of parentheses and signs

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|//|[-+*/%(),])|(?P<other>\S))",
    re.ASCII,
)
_SAME = str.maketrans({"\u2212": "-", "\u00d7": "*", "\u00b7": "*", "\u00f7": "/"})  # as people write them
_HINTS = {
    "^": "write a power as **",
    "=": "there are no equations here, only an expression",
    "!": "there are no factorials",
}


class _Token(NamedTuple):
    kind: str  # number, name, sign, other, end
    text: str
    at: int  # where it begins, from 0


def calculate(expression: str) -> Number:
    """The value of an arithmetic expression.

    Raises:
        ToolError: It is no expression, or has no value; the message names the position, from 1.
    """
    if len(expression) > MAX_LENGTH:
        raise ToolError(f"An expression may have {MAX_LENGTH} characters")
    return _Reader(expression.translate(_SAME)).whole()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [*map(_token, _TOKEN.finditer(text)), _Token("end", "the end", len(text))]
        self._next = 0
        self._depth = 0

    def whole(self) -> Number:
        value = self._sum()
        token = self._tokens[self._next]
        if token.kind != "end":
            self._fail(f"unexpected {_shown(token)}", token)
        return self._value(token, as_json, value)

    def _sum(self) -> Number:
        value = self._product()
        while (token := self._take("+", "-")) is not None:
            value = self._compute(token, value, self._product())
        return value

    def _product(self) -> Number:
        value = self._unary()
        while (token := self._take("*", "/", "//", "%")) is not None:
            value = self._compute(token, value, self._unary())
        return value

    def _unary(self) -> Number:
        token = self._tokens[self._next]
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail("too deeply nested", token)
        sign = self._take("-", "+")
        value = self._power() if sign is None else self._unary()
        self._depth -= 1
        return -value if sign is not None and sign.text == "-" else value

    def _power(self) -> Number:
        value = self._atom()
        token = self._take("**")
        return value if token is None else self._compute(token, value, self._unary())

    def _atom(self) -> Number:
        token = self._tokens[self._next]
        self._next += 1
        if token.kind == "number":
            return self._value(token, _number, token.text)
        if token.kind == "name":
            return self._named(token)
        if token.text == "(" and token.kind == "sign":
            value = self._sum()
            self._expect(")", token)
            return value
        return self._fail(f"expected a number, found {_shown(token)}", token)

    def _named(self, token: _Token) -> Number:
        if token.text in CONSTANTS:
            return CONSTANTS[token.text]
        if token.text not in FUNCTIONS:
            self._fail(f"{token.text[:40]!r} is not known; functions: {', '.join(sorted(FUNCTIONS))}", token)
        function, least, most = FUNCTIONS[token.text]
        arguments = self._arguments(token)
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            self._fail(f"{token.text} takes {wanted} numbers, not {len(arguments)}", token)
        return self._value(token, compute, function, *arguments)

    def _arguments(self, token: _Token) -> list[Number]:
        opening = self._take("(")
        if opening is None:
            self._fail(f"{token.text} is a function: {token.text}(...)", token)
        found = [self._sum()]
        while self._take(","):
            found.append(self._sum())
        self._expect(")", opening)
        return found

    def _take(self, *texts: str) -> _Token | None:
        token = self._tokens[self._next]
        if token.kind != "sign" or token.text not in texts:
            return None
        self._next += 1
        return token

    def _expect(self, text: str, opening: _Token) -> None:
        if self._take(text) is None:
            self._fail(f"the parenthesis from position {opening.at + 1} is not closed", self._tokens[self._next])

    def _compute(self, token: _Token, left: Number, right: Number) -> Number:
        return self._value(token, compute, OPERATORS[token.text], left, right)

    def _value(self, token: _Token, function: Any, *arguments: Any) -> Number:
        try:
            found: Number = function(*arguments)
        except Uncomputable as exc:
            self._fail(str(exc), token)
        return found

    def _fail(self, why: str, token: _Token) -> NoReturn:
        raise ToolError(f"{self._text[:200]!r}, position {token.at + 1}: {why}")


def _token(match: re.Match[str]) -> _Token:
    kind = match.lastgroup or "other"
    return _Token(kind, match[kind], match.start(kind))


def _shown(token: _Token) -> str:
    hint = f" ({_HINTS[token.text]})" if token.text in _HINTS else ""
    return token.text if token.kind == "end" else f"{token.text[:40]!r}{hint}"


def _number(text: str) -> Number:
    digits = text.replace("_", "")
    return checked(int(digits) if digits.isdigit() else float(digits))


async def _call(_: ToolContext, arguments: dict[str, Any]) -> Number:
    return calculate(arguments["expression"])


CALCULATOR = Tool(
    name="calculator",
    description="Compute an arithmetic expression and return the number. Operators: + - * / // % ** and parentheses; "
    f"functions: {', '.join(sorted(FUNCTIONS))}; constants: {', '.join(CONSTANTS)}. Angles are in radians.",
    parameters={
        "type": "object",
        "properties": {
            "expression": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_LENGTH,
                "description": "For example: (123 + 456) * 2 ** 3",
            }
        },
        "required": ["expression"],
        "additionalProperties": False,
    },
    call=_call,
    timeout_s=10,
)
