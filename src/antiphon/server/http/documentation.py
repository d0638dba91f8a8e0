"""What `openapi.json` says: each operation by its sentence, and the errors that we really send."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI

ERROR = {
    "title": "Error",
    "type": "object",
    "required": ["code", "message", "retryable"],
    "properties": {
        "code": {"type": "string", "description": "The stable word that programs decide on"},
        "message": {"type": "string", "description": "For people"},
        "pointer": {"type": "string", "description": "JSON Pointer to what was wrong"},
        "retryable": {"type": "boolean"},
    },
}
REFUSED = {
    "description": "An error",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
NOT_OURS = ("HTTPValidationError", "ValidationError")


class DocumentedApi(FastAPI):
    """FastAPI, with the description of its operations put right once."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = corrected(super().openapi())
        return self.openapi_schema


def corrected(schema: dict[str, Any]) -> dict[str, Any]:
    """Change and return what FastAPI has made of the routes."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            operation["operationId"] = re.sub(r"[^a-z]+", "-", f"{method}{path}").strip("-")
            _name(operation)
            _tell_answers(operation["responses"])
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in NOT_OURS:
        schemas.pop(name, None)
    schemas["Error"] = ERROR
    return schema


def _name(operation: dict[str, Any]) -> None:
    """The first paragraph of the function's documentation says more than its name."""
    summary, _, rest = operation.pop("description", operation["summary"]).partition("\n\n")
    operation["summary"] = summary.replace("\n", " ").rstrip(".")
    if rest:
        operation["description"] = rest


def _tell_answers(responses: dict[str, Any]) -> None:
    responses.pop("422", None)
    responses["default"] = REFUSED
    for answer in responses.values():
        body = answer.get("content", {}).get("application/json", {})
        if body.get("schema") == {}:
            body["schema"] = {"type": "object"}
