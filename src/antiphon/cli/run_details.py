"""One run with everything that is known about it."""

from __future__ import annotations

from typing import Any

import orjson
import typer

import antiphon
from antiphon.cli.output import cost, duration, local_time, print_json, safe
from antiphon.cli.run_table import took


def show_run(run_id: str, *, as_json: bool) -> None:
    """Print one run. Raises NotFound."""
    with antiphon.connect(first_connection_s=0) as live:
        found = live.request("run.get", {"run_id": run_id})
    if as_json:
        print_json(found)
        return
    facts = [(name, text) for name, text in _facts(found) if text]
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        typer.echo(f"{name:<{width}}  {safe(text)}")


def _facts(found: dict[str, Any]) -> list[tuple[str, str]]:
    row = found["run"]
    span = took(row)
    return [
        ("run", f"{row['run_id']}  {row['name']}"),
        ("title", row["title"] or ""),
        ("status", row["status"]),
        ("reason", row["reason"] or ""),
        ("started", f"{local_time(row['started_at'] or row['created_at'])} by {row['by'] or 'nobody'}"),
        ("took", "" if span is None else duration(span)),
        ("owner", _owner(row["owner"])),
        ("thread", row["thread_id"] or ""),
        ("parent", row["parent_run_id"] or ""),
        ("labels", " ".join(f"{key}={value}" for key, value in row["labels"].items())),
        ("usage", _usage(row["usage"])),
        ("input", _json(found["input"])),
        ("result", _json(found["result"])),
        ("error", "" if not found["error"] else f"{found['error']['type']}: {found['error']['message']}"),
        *[("child", f"{child['run_id']}  {child['name']}  {child['status']}") for child in found["children"]],
        *[("question", f"{question['question_id']}  {question['prompt']}") for question in found["questions"]],
    ]


def _owner(owner: dict[str, Any]) -> str:
    pid = f", pid {owner['pid']}" if owner.get("pid") else ""
    return f"{owner.get('client') or owner['kind']}{pid}"


def _usage(usage: dict[str, Any]) -> str:
    tokens = f"{usage['total_tokens']} tokens" if usage.get("total_tokens") else ""
    return ", ".join(part for part in (usage.get("model") or "", tokens, cost(usage)) if part)


def _json(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()
