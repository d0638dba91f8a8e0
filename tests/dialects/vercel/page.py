"""What the AI SDK makes of a UI message stream, in Python: an oracle, written after its sources' behaviour."""

from __future__ import annotations

import copy
import json
from typing import Any

Part = dict[str, Any]


class Page:
    """The message that one chat is building; an AssertionError is what the SDK would throw."""

    def __init__(self, message: dict[str, Any] | None = None, *, replays: bool = False) -> None:
        self.message = copy.deepcopy(message) or {"id": "made here", "role": "assistant", "parts": []}
        self.replays = replays
        self.last: str | None = None  # of the terminal chunks
        self.reason: Any = None
        self.data: list[tuple[str, Any]] = []
        self._texts: dict[tuple[str, str], Part] = {}
        self._inputs: dict[str, list[str]] = {}

    def take(self, text: bytes) -> None:
        assert self.last != "[DONE]"
        if text == b"[DONE]":
            self.last = "[DONE]"
            return
        chunk = json.loads(text)
        kind = chunk["type"]
        if kind.startswith("data-"):
            self.data.append((kind[5:], chunk["data"]))
            return
        getattr(self, "_" + kind.replace("-", "_"))(chunk)

    @property
    def parts(self) -> list[Part]:
        return list(self.message["parts"])

    def tools(self) -> dict[str, Part]:
        return {part["toolCallId"]: part for part in self.parts if part["type"].startswith("tool-")}

    def _start(self, chunk: Part) -> None:
        if self.replays:
            self.message = {"id": chunk["messageId"], "role": "assistant", "parts": []}
            self.replays = False
        self.message["id"] = chunk["messageId"]

    def _start_step(self, _: Part) -> None:
        self.message["parts"].append({"type": "step-start"})

    def _finish_step(self, _: Part) -> None:
        self._texts.clear()

    def _text_start(self, chunk: Part) -> None:
        kind = chunk["type"].removesuffix("-start")
        part = {"type": kind, "text": ""}
        assert (kind, chunk["id"]) not in self._texts
        self._texts[kind, chunk["id"]] = part
        self.message["parts"].append(part)

    def _text_delta(self, chunk: Part) -> None:
        self._texts[chunk["type"].removesuffix("-delta"), chunk["id"]]["text"] += chunk["delta"]

    def _text_end(self, chunk: Part) -> None:
        del self._texts[chunk["type"].removesuffix("-end"), chunk["id"]]

    _reasoning_start, _reasoning_delta, _reasoning_end = _text_start, _text_delta, _text_end

    def _tool_input_start(self, chunk: Part) -> None:
        self._inputs[chunk["toolCallId"]] = []
        self._call(chunk, "input-streaming")

    def _tool_input_delta(self, chunk: Part) -> None:
        self._inputs[chunk["toolCallId"]].append(chunk["inputTextDelta"])
        self.tools()[chunk["toolCallId"]].update(
            state="input-streaming", rawInput="".join(self._inputs[chunk["toolCallId"]])
        )

    def _tool_input_available(self, chunk: Part) -> None:
        self._call(chunk, "input-available")
        self.tools()[chunk["toolCallId"]]["input"] = chunk["input"]

    def _call(self, chunk: Part, state: str) -> None:
        part = self.tools().get(chunk["toolCallId"])
        if part is None:
            part = {"type": f"tool-{chunk['toolName']}", "toolCallId": chunk["toolCallId"]}
            self.message["parts"].append(part)
        kept = {name: chunk[name] for name in ("toolMetadata", "providerExecuted") if name in chunk}
        part.update(state=state, **kept)

    def _tool_approval_request(self, chunk: Part) -> None:
        self.tools()[chunk["toolCallId"]].update(state="approval-requested", approval={"id": chunk["approvalId"]})

    def _tool_output_available(self, chunk: Part) -> None:
        self.tools()[chunk["toolCallId"]].update(state="output-available", output=chunk["output"])

    def _tool_output_error(self, chunk: Part) -> None:
        self.tools()[chunk["toolCallId"]].update(state="output-error", errorText=chunk["errorText"])

    def _tool_output_denied(self, chunk: Part) -> None:
        self.tools()[chunk["toolCallId"]].update(state="output-denied")

    def _finish(self, chunk: Part) -> None:
        assert not self._texts
        self.last, self.reason = "finish", chunk["finishReason"]

    def _error(self, chunk: Part) -> None:
        self.last, self.reason = "error", chunk["errorText"]

    def _abort(self, chunk: Part) -> None:
        self.last, self.reason = "abort", chunk["reason"]
