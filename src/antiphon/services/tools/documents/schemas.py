"""What a model is told about the tools of documents."""

from __future__ import annotations

from typing import Any

ABOUT_SEARCH = (
    "Search the workspace's documents. Returns the best passages, each with its path, the line where it stands and a "
    "snippet. Read more of one with read_document."
)
ABOUT_READ = "Read lines of one of the workspace's documents, named as search_documents names it."

SEARCH: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {
            "type": "string",
            "minLength": 1,
            "maxLength": 500,
            "description": "Words to look for; passages that hold all of them come first.",
        },
        "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 8, "description": "How many passages."},
    },
    "required": ["query"],
    "additionalProperties": False,
}

READ: dict[str, Any] = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "minLength": 1, "maxLength": 1000, "description": "For example: guide/start.md"},
        "from_line": {"type": "integer", "minimum": 1, "default": 1, "description": "The first line, from 1."},
        "lines": {"type": "integer", "minimum": 1, "maximum": 2000, "default": 200, "description": "How many lines."},
    },
    "required": ["path"],
    "additionalProperties": False,
}
