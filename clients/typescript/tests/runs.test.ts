import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connect, filterQuestions, filterRuns, isEnded, newRunId, RunStore } from "../src/index.js";
import type { Live, QuestionRow, RunRow } from "../src/index.js";
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

const run = { run_id: "r1", name: "tea", status: "running" };

describe("requests", () => {
  test("runs.start is done once, as the id is made here", async () => {
    const asked = answer("run.start", { run_id: "r1", channel: "run:r1", run });
    network.server.deaf = true;
    const started = live.runs.start({ name: "tea", input: null, threadId: "t", onDisconnect: "cancel" });
    await network.quiet();
    network.server.deaf = false;
    await network.reconnect();
    expect(await started).toEqual(run);
    expect(asked).toEqual([{ name: "tea", input: null, thread_id: "t", on_disconnect: "cancel", run_id: expect.stringMatching(/^run_[0-9a-z]{20}$/) as string }]);
    expect(network.server.seen.filter((word) => word === "run.start")).toHaveLength(2);
  });

  test("runs.list, get, cancel, result speak the wire's words", async () => {
    const lists = answer("run.list", { runs: [run], names: ["tea"] });
    expect(await settled(live.runs.list({ status: "running", labels: { a: "b" }, threadId: "t", parentRunId: "p", before: "r9", limit: 5 }))).toEqual({ runs: [run], names: ["tea"] });
    expect(lists).toEqual([{ status: ["running"], label: { a: "b" }, thread_id: "t", parent_run_id: "p", before: "r9", limit: 5 }]);
    const receipt = { run_id: "r1", status: "cancelling", stopped: [], draining: ["r1"] };
    const cancels = answer("run.cancel", receipt);
    expect(await settled(live.runs.cancel("r1", "late"))).toEqual(receipt);
    expect(cancels).toEqual([{ run_id: "r1", reason: "late" }]);
    answer("run.get", { run, input: 1, result: null, error: null, children: [], questions: [] });
    expect(await settled(live.runs.get("r1"))).toMatchObject({ run, input: 1 });
    answer("run.list", {});
    await expect(settled(live.runs.list())).rejects.toMatchObject({ code: "protocol_error" });
  });

  test("runs.result waits as long as it was asked to", async () => {
    const asked = answer("run.result", { status: "succeeded", result: 1, error: null });
    network.server.deaf = true;
    const waiting = live.runs.result("r1", 300);
    await network.pass(5000);
    network.drop();
    network.server.deaf = false;
    await network.pass(20_000);
    expect(await waiting).toEqual({ status: "succeeded", result: 1, error: null });
    expect(asked.at(-1)).toEqual({ run_id: "r1", timeout_s: 300 });
  });

  test("questions.list, get, answer and withdraw", async () => {
    const question = { question_id: "q1", status: "answered" };
    const lists = answer("question.list", { questions: [question] });
    expect(await settled(live.questions.list({ status: "open", runId: "r1" }))).toEqual([question]);
    expect(lists).toEqual([{ status: "open", run_id: "r1" }]);
    const answers = answer("question.answer", { question });
    expect(await settled(live.questions.answer("q1", { a: 1 }, "edit"))).toEqual(question);
    await settled(live.questions.answer("q1", undefined, "approve"));
    expect(answers).toEqual([{ question_id: "q1", answer: { a: 1 }, action: "edit" }, { question_id: "q1", action: "approve" }]);
    const withdrawn = answer("question.withdraw", {});
    await settled(live.questions.withdraw("q1"));
    expect(withdrawn).toEqual([{ question_id: "q1" }]);
  });

  test.each([
    [{ status: "answered", answer: 1, action: "answer", by: "local", is_default: false }, "ours"],
    [{ status: "answered", answer: 2, action: "answer", by: "local", is_default: false }, "already_answered"],
    [{ status: "answered", answer: 1, action: "answer", by: "ann", is_default: false }, "already_answered"],
    [{ status: "answered", answer: 1, action: "answer", by: null, is_default: true }, "already_answered"],
    [{ status: "withdrawn" }, "already_answered"],
    [{ status: "open" }, "asked again"],
  ])("an answer whose reply was lost is looked up: %o is %s", async (row, outcome) => {
    await network.quiet();
    network.server.deaf = true;
    const given = live.questions.answer("q1", 1).then(() => "ours", (error: unknown) => (error as { code: string }).code);
    await network.quiet();
    network.server.deaf = false;
    answer("question.get", { question: { question_id: "q1", by: null, ...row } });
    const again = answer("question.answer", { question: {} });
    await network.reconnect();
    expect(await given).toBe(outcome === "asked again" ? "ours" : outcome);
    expect(again).toHaveLength(outcome === "asked again" ? 1 : 0);
  });

  test("somebody was faster", async () => {
    answer("question.answer", () => { throw new Refusal({ code: "already_answered" }); });
    await expect(settled(live.questions.answer("q1", 1))).rejects.toMatchObject({ code: "already_answered" });
  });
});

describe("a run store", () => {
  function fill(): void {
    network.server.publish("run:r1", { run_id: "r1", name: "tea" }, "run.started");
    network.server.publish("run:r1", { message_id: "m", role: "assistant" }, "message.open");
    network.server.publish("run:r1", { message_id: "m", delta: "He" }, "message.append");
  }

  test("reads from the start, once per batch, and stops with its last listener", async () => {
    fill();
    const store = new RunStore(live, "r1", { record: true });
    expect(network.server.seen).toEqual([]);
    let calls = 0;
    const leave = store.subscribe(() => { calls += 1; });
    await network.quiet();
    expect(store.get()).toMatchObject({ caughtUp: true, error: null, view: { name: "tea", items: [{ text: "He" }] } });
    const before = calls;
    for (let index = 0; index < 100; index++) network.server.publish("run:r1", { message_id: "m", delta: "l" }, "message.append");
    await network.quiet();
    expect(calls - before).toBe(1);
    leave();
    await network.quiet();
    expect(network.session.subscriptions.size).toBe(0);
    network.server.publish("run:r1", { message_id: "m", delta: "o" }, "message.append");
    const shown = store.getSnapshot();
    store.subscribe(() => undefined);
    await network.quiet();
    expect(shown.view.items).toMatchObject([{ text: `He${"l".repeat(100)}` }]);
    expect(store.get().view.items).toMatchObject([{ text: `He${"l".repeat(100)}o` }]);
    expect(store.recording?.at(4).items).toMatchObject([{ text: "Hel" }]);
    expect(store.recording?.items.filter(({ kind }) => kind === "event")).toHaveLength(104);
  });

  test("goes on over a reconnection, and heals where its cursor died", async () => {
    fill();
    const store = new RunStore<{ n?: number }>(live, "r1");
    store.subscribe(() => undefined);
    await network.quiet();
    network.drop();
    for (let n = 0; n < 5; n++) network.server.patch("run:r1", { op: "add", path: "/n", value: n });
    network.server.trim("run:r1", 8);
    await network.pass(15_000);
    expect(store.get()).toMatchObject({ caughtUp: true, view: { name: "tea", state: { n: 4 }, lastOffset: 8 } });
    expect(store.get().view.items.map(({ kind }) => kind)).toEqual(["message", "gap"]);
  });

  test("says why it may not read, and asks again for the next who comes", async () => {
    const store = new RunStore(live, "r1");
    network.server.refuse.set("subscribe", { code: "forbidden", message: "no" });
    const leave = store.subscribe(() => undefined);
    await network.quiet();
    expect(store.get().error).toMatchObject({ code: "forbidden" });
    leave();
    store.subscribe(() => undefined);
    await network.quiet();
    expect(store.get()).toMatchObject({ error: null, caughtUp: true });
  });

  test("stops at a state that does not fit, rather than show a wrong one", async () => {
    const store = new RunStore(live, "r1");
    store.subscribe(() => undefined);
    await network.quiet();
    network.session.notify("event", { channel: "run:r1", offset: 1, type: "state.patch", data: { ops: [{ op: "remove", path: "/x" }] }, time: "t" });
    await network.quiet();
    expect(store.get()).toMatchObject({ error: { code: "invalid_patch" }, view: { lastOffset: 0 } });
  });

  test("is shared by all who ask for the run", () => {
    expect(sharedRun(live, "r1")).toBe(sharedRun(live, "r1"));
    expect(sharedRun(live, "r2")).not.toBe(sharedRun(live, "r1"));
  });
});

describe("filters", () => {
  const row = (run_id: string, more: object): RunRow =>
    ({ run_id, name: "tea", status: "running", by: "ann", thread_id: null, parent_run_id: null, labels: {}, created_at: `2026-01-01T00:00:0${run_id.slice(-1)}Z`, ...more }) as RunRow;
  const table = Object.fromEntries([row("r1", {}), row("r3", { status: "failed", labels: { a: "b" } }), row("r2", { thread_id: "t", by: "bob" })].map((each) => [each.run_id, each]));
  const ids = (filter: Parameters<typeof filterRuns>[1]): string[] => filterRuns(table, filter).map(({ run_id }) => run_id);

  test("of runs: newest first", () => {
    expect(ids({})).toEqual(["r3", "r2", "r1"]);
    expect(ids({ status: "failed" })).toEqual(["r3"]);
    expect(ids({ status: ["running", "failed"], limit: 2 })).toEqual(["r3", "r2"]);
    expect(ids({ by: "bob", threadId: "t" })).toEqual(["r2"]);
    expect(ids({ labels: { a: "b" } })).toEqual(["r3"]);
    expect(ids({ labels: { a: "c" } })).toEqual([]);
    expect(ids({ name: "other" })).toEqual([]);
    expect(ids({ parentRunId: "r1" })).toEqual([]);
  });

  test("of questions: the next deadline first, none last", () => {
    const question = (question_id: string, deadline: string | null, more: object = {}): QuestionRow =>
      ({ question_id, run_id: "r1", status: "open", deadline, asked_at: "2026-01-01T00:00:00Z", by: null, ...more }) as QuestionRow;
    const questions = [question("a", null), question("b", "2026-01-02T00:00:00Z"), question("c", "2026-01-01T00:00:00Z", { run_id: "r2" }), question("d", null, { status: "answered", by: "ann" })];
    const asked = Object.fromEntries(questions.map((each) => [each.question_id, each]));
    const found = (filter: Parameters<typeof filterQuestions>[1]): string[] => filterQuestions(asked, filter).map(({ question_id }) => question_id);
    expect(found({})).toEqual(["c", "b", "a", "d"]);
    expect(found({ status: "open", runId: "r1" })).toEqual(["b", "a"]);
    expect(found({ by: "ann" })).toEqual(["d"]);
  });

  test("ids sort by time; outcomes are ends", () => {
    const made = [1, 2, 1_700_000_000_000, 1_700_000_000_001, 2 ** 44].map(newRunId);
    expect([...made].sort()).toEqual(made);
    expect(new Set(Array.from({ length: 100 }, () => newRunId(5))).size).toBe(100);
    expect((["queued", "running", "waiting", "cancelling", "succeeded", "failed", "cancelled", "lost"] as const).filter(isEnded)).toEqual(["succeeded", "failed", "cancelled", "lost"]);
    expect(isEnded(null)).toBe(false);
  });
});
