// @vitest-environment jsdom
import { act, createElement, StrictMode } from "react";
import type { ReactNode } from "react";
import { createRoot } from "react-dom/client";
import type { Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { App } from "../../../examples/run-page/src/App.js";
import { LiveProvider, useQuestions, useRun, useRuns } from "../react/index.js";
import type { UsedQuestions, UsedRun, UsedRuns } from "../react/index.js";
import type { Live } from "../src/index.js";
import { connect } from "../src/index.js";
import { MemoryNetwork } from "./support/memory.js";
import { Refusal } from "./support/miniServer.js";

let frames: (() => void)[] = [];
let network: MemoryNetwork;
let live: Live;
let root: Root;
let page: HTMLElement;

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true, requestAnimationFrame: (run: () => void) => frames.push(run) });
  Object.defineProperty(document, "hidden", { configurable: true, value: false });
  frames = [];
  network = new MemoryNetwork();
  live = connect(network.options());
  page = document.createElement("div");
  root = createRoot(page);
});

afterEach(() => {
  act(() => { root.unmount(); });
  live.close();
});

async function show(node: ReactNode): Promise<void> {
  act(() => { root.render(createElement(StrictMode, null, createElement(LiveProvider, { live }, node))); });
  await arrive();
}

/** Everything on the wire arrives and is drawn. */
async function arrive(): Promise<void> {
  await act(() => network.quiet());
  await act(async () => {
    for (const run of frames.splice(0)) run();
    await Promise.resolve();
  });
}

function say(type: string, data: object): void {
  network.server.publish("run:r1", data, type);
}

function row(run_id: string, more: object = {}): object {
  return { run_id, name: "tea", status: "running", by: "ann", labels: {}, created_at: `2026-01-01T00:00:0${run_id.slice(-1)}Z`, ...more };
}

test("useRun follows a run, once per frame, with one subscription for all", async () => {
  const seen: UsedRun<{ n?: number }>[] = [];
  const Probe = (): null => {
    seen.push(useRun<{ n?: number }>("r1"));
    return null;
  };
  const last = (): UsedRun<{ n?: number }> | undefined => seen.at(-1);
  await show([createElement(Probe, { key: 1 }), createElement(Probe, { key: 2 })]);
  expect(last()).toMatchObject({ status: null, caughtUp: true, messages: [], connection: { phase: "live" } });
  say("run.started", { name: "tea" });
  say("message.open", { message_id: "m", role: "assistant" });
  say("tool.start", { tool_call_id: "t", name: "search" });
  say("question.asked", { question_id: "q", kind: "text", prompt: "?" });
  say("state.patch", { ops: [{ op: "add", path: "/n", value: 1 }] });
  await arrive();
  expect(last()).toMatchObject({ name: "tea", status: "running", state: { n: 1 }, messages: [{ id: "m" }], toolCalls: [{ id: "t" }], questions: [{ question_id: "q" }] });
  const before = seen.length;
  const tools = last()?.toolCalls;
  for (let index = 0; index < 200; index++) say("message.append", { message_id: "m", delta: "x" });
  await arrive();
  expect(seen.length - before).toBeLessThanOrEqual(4); // two components, rendered twice by StrictMode
  expect(last()?.messages[0]?.text).toBe("x".repeat(200));
  expect(last()?.toolCalls).toEqual(tools);
  expect(network.server.seen).toEqual(["subscribe run:r1"]);
});

test("useRun cancels, and says why it may not read", async () => {
  let used: UsedRun | undefined;
  const Probe = (): null => {
    used = useRun("r1");
    return null;
  };
  const receipt = { run_id: "r1", status: "cancelling", stopped: [], draining: ["r1"] };
  network.server.answers.set("run.cancel", () => receipt);
  network.server.refuse.set("subscribe", { code: "forbidden", message: "no" });
  await show(createElement(Probe));
  expect(used?.problem).toMatchObject({ code: "forbidden" });
  const cancelled = used?.cancel("late");
  await arrive();
  expect(await cancelled).toEqual(receipt);
});

test("useRuns gives the rows that pass, and renders only when one of them changes", async () => {
  const seen: UsedRuns[] = [];
  const Probe = (): null => {
    seen.push(useRuns({ status: ["running", "waiting"] }));
    return null;
  };
  await show(createElement(Probe));
  expect(seen[0]).toEqual({ runs: [], known: false });
  expect(seen.at(-1)).toEqual({ runs: [], known: true });
  network.server.patch("runs", { op: "add", path: "/r1", value: row("r1") }, { op: "add", path: "/r2", value: row("r2") }, { op: "add", path: "/r3", value: row("r3", { status: "failed" }) });
  await arrive();
  expect(seen.at(-1)?.runs.map(({ run_id }) => run_id)).toEqual(["r2", "r1"]);
  const before = seen.length;
  network.server.patch("runs", { op: "replace", path: "/r3/name", value: "other" });
  await arrive();
  expect(seen.length).toBe(before);
  network.server.patch("runs", { op: "replace", path: "/r2/status", value: "succeeded" });
  await arrive();
  expect(seen.at(-1)?.runs.map(({ run_id }) => run_id)).toEqual(["r1"]);
});

test("useQuestions gives the open ones, and answers", async () => {
  let used: UsedQuestions | undefined;
  const Probe = (): null => {
    used = useQuestions();
    return null;
  };
  const question = { question_id: "q1", run_id: "r1", status: "open", deadline: null, asked_at: "a" };
  network.server.patch("questions", { op: "add", path: "/q1", value: question }, { op: "add", path: "/q2", value: { ...question, question_id: "q2", status: "answered" } });
  await show(createElement(Probe));
  expect(used?.questions).toEqual([question]);
  network.server.answers.set("question.answer", () => { throw new Refusal({ code: "already_answered" }); });
  const late = used?.answer("q1", "green").catch((error: unknown) => error);
  await arrive();
  expect(await late).toMatchObject({ code: "already_answered" });
  network.server.patch("questions", { op: "replace", path: "/q1/status", value: "answered" });
  await arrive();
  expect(used?.questions).toEqual([]);
});

test("the example page lists runs, shows one and cancels it", async () => {
  const asked: unknown[] = [];
  network.server.answers.set("run.cancel", (params) => {
    asked.push(params);
    say("run.status", { status: "cancelling", reason: "enough" });
    return { run_id: "r1", status: "cancelling", stopped: [], draining: ["r1"] };
  });
  await show(createElement(App));
  expect(page.textContent).toBe("No run yet.");
  say("run.started", { name: "tea" });
  say("message.open", { message_id: "m", role: "assistant" });
  say("message.append", { message_id: "m", delta: "Hello" });
  network.server.patch("runs", { op: "add", path: "/r1", value: row("r1") });
  await arrive();
  await arrive();
  expect(page.textContent).toContain("tea: running");
  expect(page.textContent).toContain("assistant Hello");
  const cancel = (): HTMLButtonElement | undefined => [...page.querySelectorAll("button")].find(({ textContent }) => textContent === "Cancel");
  act(() => { cancel()?.click(); });
  await arrive();
  expect(asked).toEqual([{ run_id: "r1" }]);
  expect(page.querySelector("[role=status]")?.textContent).toContain("cancelling · enough");
  say("run.cancelled", { reason: "enough", by: "ann" });
  await arrive();
  expect(cancel()).toBeUndefined();
});
