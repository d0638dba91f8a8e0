import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connect, filterThreads, newThreadId, ThreadStore } from "../src/index.js";
import type { Live, RunRow, ThreadRow, WatchedThread } from "../src/index.js";
import { AgentStore } from "../src/agent/agentStore.js";
import { patience } from "../src/methods.js";
import { sharedRun } from "../src/run/store.js";
import { MemoryNetwork } from "./support/memory.js";
import { Refusal } from "./support/miniServer.js";

let network: MemoryNetwork;
let live: Live;

beforeEach(() => {
  network = new MemoryNetwork();
  live = connect(network.options());
});

afterEach(() => {
  live.close();
});

async function settled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  await network.quiet();
  return promise;
}

/** Remembers what was asked with this method. */
function answer(method: string, result: unknown): Record<string, unknown>[] {
  const asked: Record<string, unknown>[] = [];
  network.server.answers.set(method, (params) => {
    asked.push(params);
    return typeof result === "function" ? (result as () => unknown)() : result;
  });
  return asked;
}

function run(run_id: string, more: object = {}): RunRow {
  return { run_id, name: "assistant", status: "running", thread_id: "t1", by: "ann", labels: {}, created_at: `2026-01-01T00:00:0${run_id.slice(-1)}Z`, ...more } as RunRow;
}

const thread = { thread_id: "t1", title: "Tea", agent: "assistant", by: "ann", updated_at: "b" } as ThreadRow;

describe("requests", () => {
  test("agents.list, threads.*, tools.* speak the wire's words", async () => {
    answer("agent.list", { agents: [{ name: "assistant" }] });
    expect(await settled(live.agents.list())).toEqual([{ name: "assistant" }]);
    const lists = answer("thread.list", { threads: [thread] });
    expect(await settled(live.threads.list({ agent: "assistant", before: "t9", limit: 5 }))).toEqual([thread]);
    expect(lists).toEqual([{ agent: "assistant", before: "t9", limit: 5 }]);
    const gets = answer("thread.get", { thread, runs: [run("r1")] });
    expect(await settled(live.threads.get("t1"))).toEqual({ thread, runs: [run("r1")] });
    const forks = answer("thread.fork", { thread });
    expect(await settled(live.threads.fork("t1", "r1"))).toEqual(thread);
    await settled(live.threads.fork("t1"));
    const renames = answer("thread.rename", { thread });
    expect(await settled(live.threads.rename("t1", "Tea"))).toEqual(thread);
    expect([gets, forks, renames]).toEqual([[{ thread_id: "t1" }], [{ thread_id: "t1", run_id: "r1" }, { thread_id: "t1" }], [{ thread_id: "t1", title: "Tea" }]]);
    answer("tool.list", { tools: [] });
    expect(await settled(live.tools.list())).toEqual([]);
    const calls = answer("tool.call", { result: 42 });
    expect(await settled(live.tools.call("calculator", { expression: "6*7" }))).toBe(42);
    await settled(live.tools.call("clock"));
    expect(calls).toEqual([{ name: "calculator", arguments: { expression: "6*7" } }, { name: "clock", arguments: {} }]);
    answer("thread.get", { runs: [] });
    await expect(settled(live.threads.get("t1"))).rejects.toMatchObject({ code: "protocol_error" });
  });

  test("a question is asked once, however often the connection breaks", async () => {
    const asked = answer("run.start", () => ({ run_id: "r1", channel: "run:r1", run: run("r1") }));
    network.server.deaf = true;
    const asking = live.agents.ask("assistant", "Which tea?", { threadId: "t1", labels: { a: "b" } });
    await network.quiet();
    network.server.deaf = false;
    await network.reconnect();
    const store = await asking;
    expect(store).toBe(sharedRun(live, "r1"));
    const run_id = expect.stringMatching(/^run_/) as string;
    expect(asked).toEqual([{ name: "assistant", input: { prompt: "Which tea?" }, thread_id: "t1", labels: { a: "b" }, run_id }]);
    await settled(live.agents.ask("assistant", { prompt: "And?", model: "large", if_busy: "reject" }, { onDisconnect: "cancel", timeoutMs: 1000 }));
    expect(asked.at(-1)).toEqual({ name: "assistant", input: { prompt: "And?", model: "large", if_busy: "reject" }, on_disconnect: "cancel", run_id });
    answer("run.start", () => { throw new Refusal({ code: "thread_busy" }); });
    await expect(settled(live.agents.ask("assistant", "?"))).rejects.toMatchObject({ code: "thread_busy" });
  });

  test("renaming and reading go over reconnections, forks and calls do not, a thread that is gone was deleted", async () => {
    network.server.deaf = true;
    const renamed = live.threads.rename("t1", "Tea");
    const forked = live.threads.fork("t1").catch((error: unknown) => error);
    const called = live.tools.call("clock").catch((error: unknown) => error);
    const deleted = live.threads.delete("t1");
    await network.quiet();
    network.server.deaf = false;
    answer("thread.rename", { thread });
    answer("thread.delete", () => { throw new Refusal({ code: "not_found" }); });
    await network.reconnect();
    expect(await renamed).toEqual(thread);
    expect(await forked).toMatchObject({ code: "connection_lost" });
    expect(await called).toMatchObject({ code: "connection_lost" });
    await deleted;
    await expect(settled(live.threads.delete("t1"))).rejects.toMatchObject({ code: "not_found" });
  });

  test("a tool is given its own time", () => {
    expect(patience("tool.call", {}, 30_000)).toBe(120_000);
    expect(patience("tool.list", {}, 30_000)).toBe(30_000);
  });
});

test("filterThreads gives those that pass, the last used first", () => {
  const row = (thread_id: string, more: object): ThreadRow => ({ ...thread, thread_id, ...more });
  const table = { a: row("a", { updated_at: "1" }), b: row("b", { updated_at: "3", agent: "other" }), c: row("c", { updated_at: "2", by: "bob" }), d: row("d", { updated_at: "2" }) };
  const ids = (rows: readonly ThreadRow[]): string => rows.map(({ thread_id }) => thread_id).join("");
  expect(ids(filterThreads(table))).toBe("bdca");
  expect(ids(filterThreads(table, { agent: "assistant", limit: 2 }))).toBe("dc");
  expect(ids(filterThreads(table, { by: "bob" }))).toBe("c");
});

test("ids of threads sort and fit the wire", () => {
  expect(newThreadId()).toMatch(/^thread_[0-9a-z]{20}$/);
  expect(newThreadId(1) < newThreadId(2)).toBe(true);
});

describe("a watched thread", () => {
  let store: ThreadStore;
  let rows: RunRow[];
  let calls: Record<string, unknown>[];

  beforeEach(() => {
    store = new ThreadStore(live, "t1");
    rows = [run("r1", { status: "succeeded" })];
    calls = answer("thread.get", () => ({ thread, runs: rows }));
  });

  function watch(): () => void {
    return store.subscribe(() => undefined);
  }

  const statuses = ({ runs }: WatchedThread): string[] => runs.map(({ run_id, status }) => `${run_id} ${status}`);

  function started(run_id: string): void {
    network.server.patch("runs", { op: "add", path: `/${run_id}`, value: run(run_id) });
  }

  test("asks nothing until somebody looks, then shows the runs in their order, as they are now", async () => {
    await network.quiet();
    expect(network.server.seen).toEqual([]);
    expect(store.get()).toEqual({ thread: undefined, runs: [], known: false, error: null });
    watch();
    await network.quiet();
    expect(store.get()).toEqual({ thread, runs: rows, known: true, error: null });
    started("r2");
    await network.quiet();
    expect(statuses(store.get())).toEqual(["r1 succeeded", "r2 running"]); // before the thread's channel says so
    rows = [...rows, run("r2")];
    network.server.publish("thread:t1", { run_id: "r2", name: "assistant" }, "thread.run");
    network.server.publish("thread:t1", { run_id: "r2", messages: [] }, "thread.messages");
    network.server.patch("runs", { op: "replace", path: "/r2/status", value: "cancelled" });
    network.server.patch("threads", { op: "add", path: "/t1", value: { ...thread, title: "New" } });
    await network.quiet();
    expect(statuses(store.get())).toEqual(["r1 succeeded", "r2 cancelled"]);
    expect(store.get().thread?.title).toBe("New");
    const before = store.get();
    network.server.patch("runs", { op: "add", path: "/r9", value: run("r9", { thread_id: "other" }) });
    await network.quiet();
    expect(store.get()).toBe(before);
    expect(calls.length).toBeLessThanOrEqual(2 + 1);
  });

  test("a thread that does not exist yet is known to be empty, and begins with its first question", async () => {
    network.server.answers.set("thread.get", () => { throw new Refusal({ code: "not_found" }); });
    watch();
    await network.quiet();
    expect(store.get()).toEqual({ thread: undefined, runs: [], known: true, error: null });
    answer("thread.get", () => ({ thread, runs: [run("r1")] }));
    network.server.publish("thread:t1", { run_id: "r1", name: "assistant" }, "thread.run");
    await network.quiet();
    expect(statuses(store.get())).toEqual(["r1 running"]);
  });

  test("a thread that is deleted is empty", async () => {
    network.server.patch("threads", { op: "add", path: "/t1", value: thread });
    watch();
    await network.quiet();
    network.server.answers.set("thread.get", () => { throw new Refusal({ code: "not_found" }); });
    network.server.patch("threads", { op: "remove", path: "/t1" });
    await network.quiet();
    expect(store.get()).toEqual({ thread: undefined, runs: [], known: true, error: null });
  });

  test("what was missed while the connection was away is asked for", async () => {
    watch();
    await network.quiet();
    network.drop();
    rows = [...rows, run("r2", { status: "succeeded" })];
    network.server.publish("thread:t1", { run_id: "r2", name: "assistant" }, "thread.run");
    await network.pass(15_000);
    expect(statuses(store.get())).toEqual(["r1 succeeded", "r2 succeeded"]);
  });

  test("says why it may not be read; who comes later tries again; nobody looking means no subscription", async () => {
    const leave = watch();
    await network.quiet();
    network.server.refuse.set("thread.get", { code: "forbidden", message: "no" });
    network.server.publish("thread:t1", { run_id: "r2" }, "thread.run");
    await network.quiet();
    expect(store.get().error).toMatchObject({ code: "forbidden" });
    const again = watch();
    await network.quiet();
    expect(store.get()).toMatchObject({ known: true, error: null });
    leave();
    again();
    await network.quiet();
    expect([...network.session.subscriptions.keys()]).toEqual([]);
  });
});

test("agents are asked for anew over each connection, and a refusal is told", async () => {
  const store = new AgentStore(live);
  answer("agent.list", { agents: [{ name: "a" }] });
  const leave = store.subscribe(() => undefined);
  await network.quiet();
  expect(store.get()).toEqual({ agents: [{ name: "a" }], known: true, error: null });
  answer("agent.list", { agents: [{ name: "b" }] });
  await network.reconnect();
  expect(store.get().agents).toEqual([{ name: "b" }]);
  network.server.refuse.set("agent.list", { code: "forbidden", message: "no" });
  await network.reconnect();
  expect(store.get()).toMatchObject({ agents: [{ name: "b" }], error: { code: "forbidden" } });
  leave();
  leave();
});
