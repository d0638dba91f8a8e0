"""What a Python function takes, as JSON Schema, and how JSON becomes its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import Parameter
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic_core import to_json

from antiphon.errors import InvalidParams
from antiphon.services.table import pointer
from antiphon.services.tools.docstrings import read_docstring
from antiphon.services.tools.values import ToolContext

ARGUMENTS = "/params/arguments"  # where they stand in a message
_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Signature:
    """A function, seen by somebody who has JSON."""

    function: Callable[..., Any]
    name: str
    description: str
    parameters: dict[str, Any]  # JSON Schema of an object
    context: str | None  # the parameter that takes the ToolContext; None = there is none
    model: type[BaseModel] = field(repr=False)

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Signature:
        """Raises TypeError: a parameter cannot be given by name, or an annotation cannot be read."""
        description, about = read_docstring(function)
        hints, context = _hints(function)
        model = _model(function, hints, about, context)
        return cls(function, getattr(function, "__name__", ""), description, _schema(model), context, model)

    def arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """The keyword arguments that a JSON object stands for; what was not given is left to the function.

        Raises:
            InvalidParams: It does not fit; the pointer says where.
        """
        try:
            found = self.model.model_validate_json(to_json(given))
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            raise InvalidParams(first["msg"], pointer=ARGUMENTS + pointer(*map(str, first["loc"]))) from None
        names = {name: info.alias or name for name, info in type(found).model_fields.items()}
        return {names[name]: getattr(found, name) for name in found.model_fields_set}


def _hints(function: Callable[..., Any]) -> tuple[dict[str, Any], str | None]:
    """What the parameters are annotated with, and which of them takes the context."""
    target = inspect.unwrap(function)
    try:
        hints = get_type_hints(target if inspect.isroutine(target) else type(target).__call__, include_extras=True)
    except (NameError, TypeError) as exc:
        raise TypeError(f"the annotations of {called(function)} cannot be read: {exc}") from exc
    return hints, next((name for name, hint in hints.items() if hint is ToolContext and name != "return"), None)


def _model(
    function: Callable[..., Any], hints: dict[str, Any], about: dict[str, str], context: str | None
) -> type[BaseModel]:
    """Reads the arguments; its fields are numbered, so that a parameter may have any name."""
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == context:
            continue
        if parameter.kind not in _BY_NAME:
            raise TypeError(f"{called(function)}: the parameter {parameter.name!r} cannot be given by name")
        info = Field(alias=parameter.name, description=about.get(parameter.name), **_default(parameter.default))
        fields[f"parameter_{len(fields)}"] = (hints.get(parameter.name, Any), info)
    try:
        return create_model("Arguments", __config__=ConfigDict(extra="forbid"), **fields)
    except (NameError, TypeError, PydanticUserError, PydanticUndefinedAnnotation) as exc:
        raise TypeError(f"the annotations of {called(function)} cannot be read: {exc}") from exc


def _default(default: Any) -> dict[str, Any]:
    """The schema shows a plain default; it is left to the function all the same."""
    if default is Parameter.empty:
        return {}
    if default is None or isinstance(default, str | int | float | bool):
        return {"default": default}
    return {"default_factory": lambda: default}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """Without the titles that pydantic makes from names: they say nothing and cost tokens."""
    schema = model.model_json_schema(by_alias=True)
    schema.pop("title", None)
    for part in schema.get("properties", {}).values():
        part.pop("title", None)
    return schema


def called(function: Callable[..., Any]) -> str:
    """What an error calls a function."""
    return getattr(function, "__qualname__", None) or repr(function)
