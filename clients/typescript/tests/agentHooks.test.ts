// @vitest-environment jsdom
import { act, createElement, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import type { Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LiveProvider, useAgents, useRun, useThread, useThreads } from "../react/index.js";
import type { UsedAgents, UsedRun, UsedThread, UsedThreads } from "../react/index.js";
import type { Live } from "../src/index.js";
import { connect } from "../src/index.js";
import { MemoryNetwork } from "./support/memory.js";

let frames: (() => void)[] = [];
let network: MemoryNetwork;
let live: Live;
let root: Root;

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true, requestAnimationFrame: (run: () => void) => frames.push(run) });
  Object.defineProperty(document, "hidden", { configurable: true, value: false });
  frames = [];
  network = new MemoryNetwork();
  live = connect(network.options());
  root = createRoot(document.createElement("div"));
});

afterEach(() => {
  act(() => { root.unmount(); });
  live.close();
});

/** Mounts `use` in a component of its own; the array grows with each render. */
async function mount<T>(use: () => T): Promise<T[]> {
  const seen: T[] = [];
  const Probe = (): null => {
    seen.push(use());
    return null;
  };
  act(() => { root.render(createElement(StrictMode, null, createElement(LiveProvider, { live }, createElement(Probe)))); });
  await arrive();
  return seen;
}

/** Everything on the wire arrives and is drawn. */
async function arrive(): Promise<void> {
  await act(() => network.quiet());
  await act(async () => {
    for (const run of frames.splice(0)) run();
    await Promise.resolve();
  });
}

const thread = { thread_id: "t1", title: "Tea", agent: "assistant", by: "ann", updated_at: "b" };

function row(run_id: string, more: object = {}): object {
  return { run_id, name: "assistant", status: "running", thread_id: "t1", labels: {}, created_at: run_id, ...more };
}

test("useAgents gives what can be asked, or why not", async () => {
  network.server.answers.set("agent.list", () => ({ agents: [{ name: "assistant" }] }));
  const seen: UsedAgents[] = await mount(useAgents);
  expect(seen[0]).toEqual({ agents: [], known: false, problem: null });
  expect(seen.at(-1)).toEqual({ agents: [{ name: "assistant" }], known: true, problem: null });
  expect(network.server.seen.filter((word) => word === "agent.list").length).toBeLessThanOrEqual(2);
});

test("useThreads gives the rows that pass, and renders only when one of them changes", async () => {
  const seen: UsedThreads[] = await mount(() => useThreads({ agent: "assistant" }));
  expect(seen.at(-1)).toEqual({ threads: [], known: true });
  network.server.patch("threads", { op: "add", path: "/t1", value: thread }, { op: "add", path: "/t2", value: { ...thread, thread_id: "t2", updated_at: "c" } });
  network.server.patch("threads", { op: "add", path: "/t3", value: { ...thread, thread_id: "t3", agent: "other" } });
  await arrive();
  expect(seen.at(-1)?.threads.map(({ thread_id }) => thread_id)).toEqual(["t2", "t1"]);
  const before = seen.length;
  network.server.patch("threads", { op: "replace", path: "/t3/title", value: "x" });
  await arrive();
  expect(seen.length).toBe(before);
});

test("useThread follows its runs, and asks on", async () => {
  let runs = [row("r1", { status: "succeeded" })];
  network.server.answers.set("thread.get", () => ({ thread, runs }));
  network.server.answers.set("run.start", (params) => {
    asked.push(params);
    runs = [...runs, row("r2")];
    network.server.patch("runs", { op: "add", path: "/r2", value: row("r2") });
    network.server.publish("thread:t1", { run_id: "r2", name: "assistant" }, "thread.run");
    return { run_id: "r2", channel: "run:r2", run: row("r2") };
  });
  const asked: Record<string, unknown>[] = [];
  const seen: UsedThread[] = await mount(() => useThread("t1"));
  expect(seen[0]).toMatchObject({ thread: undefined, runs: [], known: false, problem: null });
  expect(seen.at(-1)).toMatchObject({ thread, runs: [{ run_id: "r1" }], known: true, problem: null });
  const asking = seen.at(-1)?.ask("And?");
  await arrive();
  await arrive();
  expect((await asking)?.runId).toBe("r2");
  expect(asked).toMatchObject([{ name: "assistant", input: { prompt: "And?" }, thread_id: "t1" }]);
  expect(seen.at(-1)?.runs.map(({ run_id }) => run_id)).toEqual(["r1", "r2"]);
  expect(seen.at(-1)?.ask).toBe(seen[0]?.ask);
  const before = seen.length;
  network.server.patch("runs", { op: "add", path: "/r9", value: row("r9", { thread_id: "other" }) });
  await arrive();
  expect(seen.length).toBe(before);
});

test("a new thread needs the name of an agent", async () => {
  const seen: UsedThread[] = await mount(() => useThread("t2"));
  expect(await seen[0]?.ask("?").catch((error: unknown) => error)).toMatchObject({ code: "usage" });
  network.server.answers.set("run.start", () => ({ run_id: "r1", channel: "run:r1", run: row("r1", { thread_id: "t2" }) }));
  const asking = seen[0]?.ask("?", { agent: "assistant" });
  await arrive();
  expect((await asking)?.runId).toBe("r1");
});

test("the store of an asked run is the one that useRun shows", async () => {
  network.server.answers.set("run.start", () => ({ run_id: "r1", channel: "run:r1", run: row("r1") }));
  const seen: UsedRun[] = await mount(() => useRun("r1"));
  const asking = live.agents.ask("assistant", "?");
  network.server.publish("run:r1", { message_id: "m", role: "assistant" }, "message.open");
  network.server.publish("run:r1", { message_id: "m", delta: "Tea." }, "message.append");
  await arrive();
  expect((await asking).get().view.items).toMatchObject([{ text: "Tea." }]);
  expect(seen.at(-1)?.messages).toMatchObject([{ text: "Tea." }]);
});
