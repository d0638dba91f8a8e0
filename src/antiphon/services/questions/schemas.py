"""JSON Schema: which schemas a question may have, and whether a value fits one.

A schema comes from a run, a value from a person. Nothing is ever fetched: a `$ref` stays inside its schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
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
    try:
        _class_of(schema).check_schema(schema)
    except SchemaError as exc:
        raise InvalidParams(_sentence(exc), pointer=at + pointer(*map(str, exc.absolute_path))) from None
    except RecursionError:
        raise InvalidParams("the schema is nested too deeply", pointer=at) from None
    _check_references(schema, at)
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
    return validator_for(schema, default=Draft202012Validator)


def _check_references(schema: dict[str, Any], at: str) -> None:
    resolver = _NOWHERE.resolver_with_root(DRAFT202012.create_resource(schema))
    for path, reference in _references(schema):
        where = at + pointer(*path)
        if not reference.startswith("#"):
            raise InvalidParams("a reference must stay inside the schema: #/$defs/...", pointer=where)
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise InvalidParams(f"there is no {reference[:80]!r} in the schema", pointer=where) from None


def _references(schema: Any) -> Iterator[tuple[list[str], str]]:
    row: list[tuple[list[str], Any]] = [([], schema)]
    while row:
        path, value = row.pop()
        if isinstance(value, Mapping):
            yield from (([*path, name], value[name]) for name in _REFERENCES if isinstance(value.get(name), str))
            row += [([*path, name], child) for name, child in value.items()]
        elif isinstance(value, list):
            row += [([*path, str(index)], child) for index, child in enumerate(value)]


def _path(problem: ValidationError) -> list[str]:
    path = [str(part) for part in problem.absolute_path]
    wanted, given = problem.validator_value, problem.instance
    if problem.validator == "required" and isinstance(wanted, list) and isinstance(given, dict):
        path += [name for name in wanted if name not in given][:1]
    return path


def _sentence(problem: SchemaError | ValidationError) -> str:
    text = problem.message
    return text if len(text) <= MAX_SENTENCE else f"{text[:MAX_SENTENCE]}…"
