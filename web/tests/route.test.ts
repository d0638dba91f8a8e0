import { describe, expect, test } from "vitest";

import { ALL_RUNS, formatRoute, mountPrefix, parseRoute, type Route } from "../src/lib/route";

describe.each(["/", "/antiphon/"])("mounted at %s", (prefix) => {
  const parse = (path: string): Route => parseRoute(new URL(prefix + path, "http://h"), prefix);
  test.each<[string, Route]>([
    ["", { page: "logs", name: null, at: null }],
    ["logs", { page: "logs", name: null, at: null }],
    ["logs/", { page: "logs", name: null, at: null }],
    ["logs/insight", { page: "logs", name: "insight", at: null }],
    ["logs/a%3Ab?at=42", { page: "logs", name: "a:b", at: 42 }],
    ["inbox", { page: "inbox", question: null }],
    ["inbox?question=q_1", { page: "inbox", question: "q_1" }],
    ["runs", { page: "runs", filter: ALL_RUNS }],
    ["runs?status=active&by=ada&x=1", { page: "runs", filter: { ...ALL_RUNS, status: "active", by: "ada" } }],
    ["runs/run_1", { page: "run", id: "run_1", at: null }],
    ["runs/run_1?at=212", { page: "run", id: "run_1", at: 212 }],
    ["runs/a/b", { page: "unknown", path: "/runs/a/b" }],
    ["agents", { page: "agents", agent: null, thread: null }],
    ["agents/a%2Fb", { page: "agents", agent: "a/b", thread: null }],
    ["agents/assistant/thread_1", { page: "agents", agent: "assistant", thread: "thread_1" }],
    ["agents/a/b/c", { page: "unknown", path: "/agents/a/b/c" }],
    ["forum", { page: "forum", name: "main", speakers: [], at: null }],
    ["forum/old?speaker=query,host&at=7", { page: "forum", name: "old", speakers: ["QUERY", "HOST"], at: 7 }],
    ["forum/a/b", { page: "unknown", path: "/forum/a/b" }],
    ["connections", { page: "connections" }],
    ["playground", { page: "playground", protocol: "native" }],
    ["playground?protocol=agent-engine", { page: "playground", protocol: "agent-engine" }],
    ["playground?protocol=x", { page: "playground", protocol: "native" }],
    ["static/test_websocket.html", { page: "playground", protocol: "agent-engine" }],
    ["static/other.html", { page: "unknown", path: "/static/other.html" }],
    ["nowhere", { page: "unknown", path: "/nowhere" }],
    ["logs/a/b", { page: "unknown", path: "/logs/a/b" }],
  ])("%j", (path, route) => {
    expect(parse(path)).toEqual(route);
  });
  test.each<Route>([
    { page: "logs", name: null, at: null },
    { page: "logs", name: "web:~1", at: 1_000_000 },
    { page: "inbox", question: null },
    { page: "inbox", question: "q_1" },
    { page: "runs", filter: ALL_RUNS },
    { page: "runs", filter: { status: "failed", name: "a b", by: "ä&=", text: "x y", thread: "t/1" } },
    { page: "run", id: "run_1", at: null },
    { page: "run", id: "run_1", at: 7 },
    { page: "agents", agent: null, thread: null },
    { page: "agents", agent: "ä/b", thread: null },
    { page: "agents", agent: "assistant", thread: "~.a" },
    { page: "forum", name: "main", speakers: [], at: null },
    { page: "forum", name: "ä/b", speakers: ["QUERY", "A-B"], at: 3 },
    { page: "connections" },
    { page: "playground", protocol: "native" },
    { page: "playground", protocol: "agent-engine" },
  ])("an address leads back to %j", (route) => {
    expect(parseRoute(new URL(formatRoute(route, prefix), "http://h"), prefix)).toEqual(route);
  });
  test.each(["0", "-1", "1.5", "x", "1e3", "99999999999999999"])("?at=%s counts as not given", (at) => {
    expect(parse(`logs/a?at=${at}`)).toMatchObject({ at: null });
  });
  test("a name that is not valid percent-encoding is taken as it is", () => {
    expect(parse("logs/%E0%A4%A")).toMatchObject({ name: "%E0%A4%A" });
  });
});

test("the prefix comes from the document's base", () => {
  expect(mountPrefix("http://h/antiphon/")).toBe("/antiphon/");
  expect(mountPrefix("http://h/")).toBe("/");
});
