"""From what a program wants to ask to what `question.ask` takes, and back to what the program is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar, cast

from pydantic import TypeAdapter

from antiphon.client.run.plain import plain

T = TypeVar("T")

Kind = Literal["choice", "form", "approval", "text"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final[Any] = _Missing()  # None is a default that one may want


@dataclass(frozen=True, slots=True)
class Approval(Generic[T]):
    """What became of something that was to be approved."""

    action: Literal["approve", "edit", "reject"]
    value: T | None  # as it was shown, or as it was edited; None = rejected
    reason: str | None  # what was said with a rejection
    by: str | None  # None = nobody: the default, at the deadline
    is_default: bool

    @property
    def approved(self) -> bool:
        """Whether it may be done, perhaps edited."""
        return self.action != "reject"


class Form(Generic[T]):
    """A JSON Schema, or a type that has one: a pydantic model, a dataclass, a TypedDict."""

    def __init__(self, schema: type[T] | Mapping[str, Any] | None) -> None:
        self._adapter: TypeAdapter[T] | None = None
        if schema is None or isinstance(schema, Mapping):
            self.schema = schema
        else:
            self._adapter = TypeAdapter(schema)
            self.schema = self._adapter.json_schema()

    def read(self, value: Any) -> T:
        """The answer as the type says; plain JSON for a plain schema. Raises pydantic.ValidationError."""
        return cast("T", value) if self._adapter is None else self._adapter.validate_python(value)

    def write(self, value: Any) -> Any:
        """A value of the type, or one that is plain already, as plain JSON."""
        if self._adapter is None or isinstance(value, str | Mapping):
            return plain(value)
        return self._adapter.dump_python(value, mode="json")


def question(
    prompt: str,
    *,
    kind: Kind | None = None,
    details: str | None = None,
    options: Sequence[Any] | None = None,
    schema: Mapping[str, Any] | None = None,
    timeout_s: float | None = None,
    **given: Any,
) -> dict[str, Any]:
    """The parameters of `question.ask`, but for the run; `given` are those where None means something."""
    wanted = {
        "prompt": prompt,
        "kind": kind,
        "details": details,
        "options": None if options is None else [_option(option) for option in options],
        "schema": schema,
        "timeout_s": timeout_s,
    }
    stated = {name: value for name, value in given.items() if value is not MISSING}
    return {name: value for name, value in wanted.items() if value is not None} | stated


def _option(option: Any) -> Any:
    is_whole = isinstance(option, Mapping) and "value" in option
    return dict(option) if is_whole else {"value": option}
