"""Functions that can be started from a page, REST or an SDK: their keyword arguments are the run's input."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from inspect import Parameter
from itertools import chain
from typing import Any, cast, get_type_hints

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

from antiphon.client.run.face import RunBlock
from antiphon.client.run.port import Answer, RunPort
from antiphon.errors import QuestionWithdrawn
from antiphon.server.live.params import input_error
from antiphon.services.names import check_name
from antiphon.services.questions import Questions
from antiphon.services.runs.port import LocalPort

Function = Callable[..., Awaitable[Any]]
"""`async def f(run: Run, q: str, depth: int = 3) -> str`: the run comes first, the input by name."""

_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Runnable:
    """A function under the name by which it is started.

    Raises:
        TypeError: It is not `async def`, takes no run, or has a parameter that cannot be given by name.
        SettingsError: No runnable can have this name.
    """

    def __init__(self, name: str, function: Function) -> None:
        check_name(name, "runnable")
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"{_called(function)} must be `async def`")
        self.name = name
        self.function = function
        self._parameters = _parameters(function)
        self._model: type[BaseModel] | None = None

    def arguments(self, given: Any) -> dict[str, Any]:
        """The keyword arguments that an input stands for; None = no arguments.

        Raises:
            InvalidParams: It does not fit the signature; the pointer is one into the params: `/params/input/q`.
        """
        try:
            found = self._input().model_validate_json(orjson.dumps({} if given is None else given))
        except ValidationError as exc:
            raise input_error(exc.errors(include_url=False, include_input=False), at="/params/input") from None
        names = {name: field.alias or name for name, field in type(found).model_fields.items()}
        stated = {names[name]: getattr(found, name) for name in found.model_fields_set & names.keys()}
        return stated | (found.model_extra or {})

    async def __call__(self, port: LocalPort) -> Any:
        """Do one run that the service has begun; returns its result."""
        arguments = self.arguments(port.input)
        ports = chain([port], iter(port.another, None))  # the first is this run's, the others are for its children
        wanted = {"run_id": port.run_id, "name": self.name}
        if port.wanted is not None and port.wanted.thread_id is not None:
            wanted["thread_id"] = port.wanted.thread_id
        async with RunBlock(wanted, lambda: cast("RunPort", next(ports))) as run:
            result = await self.function(run, **arguments)
            await run.result(result)
        return result

    def check(self) -> None:
        """Look at the annotations, which may name what is defined after the function. Raises TypeError."""
        self._input()

    def _input(self) -> type[BaseModel]:
        if self._model is None:
            self._model = _model(self.function, self._parameters)
        return self._model


async def ask_and_wait(questions: Questions, run_id: str, wanted: Mapping[str, Any]) -> Answer:
    """Ask on behalf of a run of this process. Raises QuestionWithdrawn, and what `Questions.ask` raises."""
    row = await questions.ask_and_wait(run_id, wanted)
    if row["status"] == "withdrawn":
        raise QuestionWithdrawn(f"question {row['question_id']} was withdrawn: {row['reason']}")
    return Answer(row["answer"], row["action"], row["by"], row["is_default"])


def _parameters(function: Function) -> list[Parameter]:
    """Those that make up the input. Raises TypeError."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind not in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
        raise TypeError(f"{_called(function)} must take the run as its first parameter")
    for parameter in parameters[1:]:
        if parameter.kind not in (*_BY_NAME, Parameter.VAR_KEYWORD):
            raise TypeError(f"{_called(function)}: the parameter {parameter.name!r} cannot be given by name")
    return parameters[1:]


def _model(function: Function, parameters: list[Parameter]) -> type[BaseModel]:
    """Reads the input; its fields are numbered, so that a parameter may have any name. Raises TypeError."""
    open_ended = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters)
    named = [parameter for parameter in parameters if parameter.kind in _BY_NAME]
    try:
        hints = _hints(function, named)
        fields: dict[str, Any] = {
            f"parameter_{index}": (hints[parameter.name], Field(default=_default(parameter), alias=parameter.name))
            for index, parameter in enumerate(named)
        }
        config = ConfigDict(extra="allow" if open_ended else "forbid")
        return create_model("Input", __config__=config, **fields)
    except (NameError, TypeError, PydanticUserError, PydanticUndefinedAnnotation) as exc:
        raise TypeError(f"the annotations of {_called(function)} cannot be read: {exc}") from exc


def _default(parameter: Parameter) -> Any:
    """None stands for the function's own default, which is not validated: it is left to the function."""
    return ... if parameter.default is Parameter.empty else None


def _hints(function: Function, parameters: list[Parameter]) -> dict[str, Any]:
    """What the parameters are annotated with; the run's own annotation may be unknown at run time."""
    holder = type("Annotated", (), {})
    annotated = {p.name: Any if p.annotation is Parameter.empty else p.annotation for p in parameters}
    holder.__annotations__ = annotated
    around = getattr(function, "__globals__", {})
    return get_type_hints(holder, globalns=around, localns={}, include_extras=True)


def _called(function: Function) -> str:
    return getattr(function, "__qualname__", repr(function))
