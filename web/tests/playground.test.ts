import { describe, expect, test } from "vitest";

import { socketAddress } from "../src/playground/address";
import {
  filterFrames,
  FrameLog,
  jsonProblem,
  MAX_BYTES,
  MAX_FRAMES,
  pretty,
  readFrame,
} from "../src/playground/frames";
import { closeWords } from "../src/playground/socket";
import { PRESETS, presetOf, templateText, withNextId } from "../src/playground/templates";

describe("which sockets can be opened", () => {
  const page = new URL("http://127.0.0.1:8003/antiphon/playground");
  const base = "http://127.0.0.1:8003/antiphon/";
  test.each([
    ["/live", "ws://127.0.0.1:8003/antiphon/live"],
    ["ws/agent?x=1", "ws://127.0.0.1:8003/antiphon/ws/agent?x=1"],
    ["ws://127.0.0.1:5000/socket", "ws://127.0.0.1:5000/socket"],
    ["http://127.0.0.1:5000/a#b", "ws://127.0.0.1:5000/a"],
  ])("%s", (text, wanted) => {
    expect(socketAddress(text, page, base).url?.href).toBe(wanted);
  });
  test.each(["", "ws://example.org/live", "ftp://127.0.0.1/", "ws://"])("not %j", (text) => {
    const { url, problem } = socketAddress(text, page, base);
    expect(url).toBeNull();
    expect(problem).not.toBeNull();
  });
});

describe("frames", () => {
  test("a reply carries the time since its request", () => {
    const log = new FrameLog();
    log.add("sent", '{"id":7,"method":"ping"}', 1000);
    log.add("received", '{"method":"event"}', 1003);
    log.add("received", '{"id":7,"result":{}}', 1004.5);
    log.add("received", '{"id":7,"result":{}}', 1009);
    expect(log.frames.map((frame) => frame.latencyMs)).toEqual([null, null, 4.5, null]);
  });
  test("the list is bounded, by number and by size", () => {
    const log = new FrameLog();
    log.addAll(
      Array.from({ length: MAX_FRAMES + 50 }, (_, i) => ({
        direction: "received" as const,
        text: String(i),
        timeMs: i,
      })),
    );
    expect(log.frames).toHaveLength(MAX_FRAMES);
    expect(log.frames[0]?.text).toBe("50");
    log.clear();
    const big = "x".repeat(MAX_BYTES / 4);
    for (let i = 0; i < 9; i++) log.add("received", big, i);
    expect(log.frames.length).toBeLessThanOrEqual(4);
    log.add("received", "x".repeat(MAX_BYTES + 1), 0);
    expect(log.frames).toHaveLength(1);
  });
  test("sizes are bytes on the wire", () => {
    const log = new FrameLog();
    log.add("sent", "ä€", 0);
    expect(log.frames[0]?.bytes).toBe(5);
  });
  test.each([
    ['{"method":"welcome"}', "welcome"],
    ['{"id":1,"result":1}', "result"],
    ['{"id":1,"error":{"data":{"code":"forbidden"}}}', "error forbidden"],
    ['{"id":1,"error":{}}', "error"],
    ['{"type":"agent_start"}', "agent_start"],
    ["[1]", "JSON"],
    ["hello", "text"],
  ])("%s is called %s", (text, summary) => {
    expect(readFrame(text).summary).toBe(summary);
  });
  test("only JSON is sent, and shown indented", () => {
    expect(jsonProblem("{")).not.toBeNull();
    expect(jsonProblem(" ")).toBe("Nothing to send.");
    expect(jsonProblem("[]")).toBeNull();
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(pretty("no")).toBe("no");
  });
  test("filtering looks at the whole frame", () => {
    const log = new FrameLog();
    log.add("sent", '{"method":"Ping"}', 0);
    log.add("received", "other", 0);
    expect(filterFrames(log.frames, "ping")).toHaveLength(1);
    expect(filterFrames(log.frames, "")).toHaveLength(2);
  });
  test("an end says why", () => {
    expect(closeWords(1008, "slow_consumer", true)).toBe("Closed, code 1008 (policy) · slow_consumer");
    expect(closeWords(4000, "", true)).toBe("Closed, code 4000");
  });
});

test("native templates are JSON-RPC requests and get fresh ids", () => {
  for (const template of presetOf("native").templates) {
    const text = withNextId(templateText(template, 1), 9);
    expect(JSON.parse(text)).toMatchObject({ jsonrpc: "2.0", id: 9, method: template.name });
  }
  expect(withNextId("hello", 2)).toBe("hello");
});

test("the agent engine has a template of every message", () => {
  const { path, templates } = presetOf("agent-engine");
  expect(path).toBe("/ws/agent");
  const messages = templates.map((template) => JSON.parse(templateText(template, 7)) as Record<string, unknown>);
  expect(messages.map((message) => message["type"]).sort()).toEqual([
    "agent_query",
    "cancel",
    "ping",
    "streaming_query",
    "tool_call",
  ]);
  expect(messages.filter((message) => message["request_id"] === 7)).toHaveLength(4); // a cancel without one means all
  expect(messages.find((message) => message["type"] === "tool_call")).toMatchObject({
    tool_name: "calculator",
    params: { expression: "123 + 456" },
  });
});

test("a request_id tells how long an answer took", () => {
  const log = new FrameLog();
  log.add("sent", '{"type":"ping","request_id":1}', 1000);
  log.add("received", '{"type":"pong","request_id":1}', 1002);
  expect(log.frames.map((frame) => frame.latencyMs)).toEqual([null, 2]);
});

test("every protocol has its own preset", () => {
  expect(new Set(PRESETS.map((preset) => preset.protocol)).size).toBe(PRESETS.length);
});
