"""JSON Schema: which schemas a question or a tool may have, and whether a value fits one.

Both come from others: from a run, a person, a model, a server. Nothing is ever fetched: a `$ref` stays inside its
schema. And nothing takes for ever: patterns are matched in linear time, by the engine that pydantic brings, because
Python's own may need years for thirty characters and would stop the whole server meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from pydantic_core import SchemaError as PatternError
from pydantic_core import SchemaValidator, core_schema
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from antiphon.errors import InvalidParams
from antiphon.services.table import pointer

MAX_SENTENCE = 300  # characters of an error: jsonschema's sentences hold the whole value
_NOWHERE: Registry[Any] = Registry()  # holds no schema and looks for none
_REFERENCES = ("$ref", "$dynamicRef")


def check_schema(schema: dict[str, Any], *, at: str) -> None:
    """Refuse what is no schema, refers to something outside, or to itself without end.

    Args:
        at: JSON Pointer to where the schema stands, e.g. "/params/schema".
    Raises:
        InvalidParams: `.pointer` says where.
    """
    kind = _class_of(schema)
    try:
        problem: ValidationError | None = best_match(kind(kind.META_SCHEMA).iter_errors(schema))
    except RecursionError:
        raise InvalidParams("the schema is nested too deeply", pointer=at) from None
    if problem is not None:
        raise InvalidParams(_sentence(problem), pointer=at + pointer(*map(str, problem.absolute_path)))
    _check_references(schema, at)
    _check_patterns(schema, at)
    _problem(schema, None, at)


def check_value(schema: dict[str, Any], value: Any, *, at: str) -> None:
    """Refuse a value that does not fit.

    Args:
        at: JSON Pointer to where the value stands, e.g. "/params/answer".
    Raises:
        InvalidParams: `.pointer` leads to the part that is wrong, or to the property that is missing.
    """
    problem = _problem(schema, value, at)
    if problem is not None:
        raise InvalidParams(_sentence(problem), pointer=at + pointer(*_path(problem)))


def _problem(schema: dict[str, Any], value: Any, at: str) -> ValidationError | None:
    try:
        found: ValidationError | None = best_match(_validator(schema).iter_errors(value))
    except Unresolvable as exc:
        raise InvalidParams(f"the schema refers to {exc.ref!r}, which it does not hold", pointer=at) from None
    except RecursionError:
        raise InvalidParams("the schema refers to itself without end", pointer=at) from None
    return found


def _validator(schema: dict[str, Any]) -> Validator:
    kind = _class_of(schema)
    return kind(schema, registry=_NOWHERE, format_checker=kind.FORMAT_CHECKER)


def _class_of(schema: dict[str, Any]) -> type[Validator]:
    """The draft that `$schema` names, else 2020-12."""
    return _in_linear_time(validator_for(schema, default=Draft202012Validator))


@lru_cache
def _in_linear_time(kind: type[Validator]) -> type[Validator]:
    extended: type[Validator] = extend(kind, {"pattern": _match})  # type: ignore[no-untyped-call]
    return extended


def _match(validator: Validator, pattern: str, value: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and not _matcher(pattern).isinstance_python(value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> SchemaValidator:
    """Raises pydantic_core.SchemaError where the pattern is none, or cannot be matched in linear time."""
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex", strict=True))


def _check_patterns(schema: dict[str, Any], at: str) -> None:
    for path, part in _objects(schema):
        where = at + pointer(*path)
        if isinstance(part.get("patternProperties"), Mapping):
            raise InvalidParams(
                "a form names its properties: no patternProperties", pointer=f"{where}/patternProperties"
            )
        if isinstance(part.get("pattern"), str):
            try:
                _matcher(part["pattern"])
            except PatternError:
                why = "this is no regular expression, or one that looks around or back"
                raise InvalidParams(why, pointer=f"{where}/pattern") from None


def _check_references(schema: dict[str, Any], at: str) -> None:
    resolver = _NOWHERE.resolver_with_root(DRAFT202012.create_resource(schema))
    for path, part in _objects(schema):
        for name in _REFERENCES:
            reference, where = part.get(name), at + pointer(*path, name)
            if not isinstance(reference, str):
                continue
            if not reference.startswith("#"):
                raise InvalidParams("a reference must stay inside the schema: #/$defs/...", pointer=where)
            try:
                resolver.lookup(reference)
            except Unresolvable:
                raise InvalidParams(f"there is no {reference[:80]!r} in the schema", pointer=where) from None


def _objects(schema: Any) -> Iterator[tuple[list[str], Mapping[str, Any]]]:
    """All objects in a schema, with their paths."""
    row: list[tuple[list[str], Any]] = [([], schema)]
    while row:
        path, value = row.pop()
        if isinstance(value, Mapping):
            yield path, value
            row += [([*path, name], child) for name, child in value.items()]
        elif isinstance(value, list):
            row += [([*path, str(index)], child) for index, child in enumerate(value)]


def _path(problem: ValidationError) -> list[str]:
    path = [str(part) for part in problem.absolute_path]
    wanted, given = problem.validator_value, problem.instance
    if problem.validator == "required" and isinstance(wanted, list) and isinstance(given, dict):
        path += [name for name in wanted if name not in given][:1]
    return path


def _sentence(problem: ValidationError) -> str:
    text = problem.message
    return text if len(text) <= MAX_SENTENCE else f"{text[:MAX_SENTENCE]}…"
