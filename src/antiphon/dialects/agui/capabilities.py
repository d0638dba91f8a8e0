"""What an agent can do, in AG-UI's words; what is left out is not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon import __version__


def capabilities_of(name: str, agent: Mapping[str, Any] | None) -> dict[str, Any]:
    """`AgentCapabilities`.

    Args:
        agent: Its row of `agent.list`; None = it is another runnable, of which no more is known than its name.
    """
    identity = {"name": name, "type": "antiphon", "version": __version__}
    found: dict[str, Any] = {
        "identity": identity,
        "transport": {"streaming": True, "websocket": False, "httpBinary": False, "resumable": True},
        "state": {"snapshots": True, "deltas": True, "persistentState": False},
        "humanInTheLoop": {"supported": True, "interrupts": True, "approvals": True, "approveWithEdits": True},
    }
    if agent is None:
        return found
    if agent.get("title"):
        identity["name"] = agent["title"]
    if agent.get("description"):
        identity["description"] = agent["description"]
    items = [
        {"name": tool["name"], "description": tool["description"], "parameters": tool["parameters"]}
        for tool in agent.get("tools", ())
    ]
    found["tools"] = {"supported": True, "items": items, "clientProvided": True}
    found["reasoning"] = {"supported": True, "streaming": True}
    found["multimodal"] = {"input": {"image": False, "audio": False, "video": False, "pdf": False, "file": False}}
    found["custom"] = {"models": agent.get("models", []), "offline": agent.get("is_offline", False)}
    return found
