import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyPatch, emptyRun, foldRun, RunFolder, RunRecording } from "../src/index.js";
import type { Item, LiveEvent, MessageItem, OpenMessage, PatchOperation, RunView, TimelineItem, ToolItem } from "../src/index.js";

const channel = "run:r1";
const epoch = "e1";

function time(offset: number): string {
  return new Date(Date.UTC(2026, 0, 1) + offset * 1000).toISOString();
}

/** Events with the offsets 1, 2, ... */
function events(...said: readonly (readonly [string, unknown])[]): LiveEvent[] {
  return said.map(([type, data], index) => {
    const offset = index + 1;
    return { kind: "event", channel, offset, type, data, time: time(offset), by: "ann" };
  });
}

function freeze<T>(node: T): T {
  if (typeof node === "object" && node !== null && !Object.isFrozen(node)) Object.values(Object.freeze(node)).forEach(freeze);
  return node;
}

const started = ["run.started", { run_id: "r1", name: "tea", title: "Tea", thread_id: "t1", parent_run_id: null, input: { q: 1 }, labels: { a: "b" }, by: "bob" }] as const;

describe("a run", () => {
  const empty = emptyRun("r1");

  test("tells its whole story", () => {
    const view = foldRun(empty, events(
      started,
      ["message.open", { message_id: "m1", role: "assistant" }],
      ["message.append", { message_id: "m1", delta: "Hel" }],
      ["tool.start", { tool_call_id: "c1", name: "search", parent_message_id: "m1" }],
      ["tool.args", { tool_call_id: "c1", delta: '{"q":' }],
      ["tool.args", { tool_call_id: "c1", delta: "1}" }],
      ["message.append", { message_id: "m1", delta: "lo" }],
      ["tool.progress", { tool_call_id: "c1", progress: 0.5, message: "half" }],
      ["tool.end", { tool_call_id: "c1", status: "failed", error: { message: "no", type: "Nope" }, duration_ms: 12 }],
      ["log", { level: "warning", text: "careful", logger: "web" }],
      ["state.patch", { ops: [{ op: "add", path: "/a", value: 1 }] }],
      ["run.progress", { progress: 0.25, message: "reading" }],
      ["run.usage", { input_tokens: 3, model: "small" }],
      ["run.usage", { input_tokens: 5, cost_usd: 0.1 }],
      ["run.child", { run_id: "r2", name: "sub", status: "running" }],
      ["run.child", { run_id: "r2", name: "sub", status: "succeeded" }],
      ["x.note", [1]],
      ["message.close", { message_id: "m1", status: "completed" }],
      ["unheard.of", {}],
      ["run.succeeded", { result: { ok: true } }],
    ));
    expect(view).toMatchObject({
      runId: "r1", name: "tea", title: "Tea", threadId: "t1", parentRunId: null, input: { q: 1 }, labels: { a: "b" }, by: "bob",
      status: "succeeded", reason: null, result: { ok: true }, error: null, startedAt: time(1), endedAt: time(20),
      progress: 0.25, progressMessage: "reading", usage: { input_tokens: 5, model: "small", cost_usd: 0.1 },
      state: { a: 1 }, stateVersion: 11, openQuestions: [], lastOffset: 20,
    });
    expect(view.items).toEqual([
      { kind: "message", key: "message m1", at: time(2), offset: 2, id: "m1", role: "assistant", text: "Hello", status: "completed" },
      {
        kind: "tool", key: "tool c1", at: time(4), offset: 4, id: "c1", name: "search", parentMessageId: "m1", argumentsText: '{"q":1}', status: "failed",
        progress: 0.5, message: "half", result: null, error: { message: "no", type: "Nope" }, durationMs: 12,
      },
      { kind: "log", key: "log 10", at: time(10), offset: 10, level: "warning", text: "careful", logger: "web" },
      { kind: "child", key: "child r2", at: time(15), offset: 15, runId: "r2", name: "sub", status: "succeeded", endedAt: time(16) },
      { kind: "custom", key: "custom 17", at: time(17), offset: 17, type: "x.note", data: [1], by: "ann" },
    ]);
  });

  test("asks: open, answered by a default, withdrawn", () => {
    const asked = (id: string): readonly [string, unknown] => ["question.asked", { question_id: id, kind: "choice", prompt: "Which?", options: [{ value: 1 }], default: null }];
    const said = events(started, asked("q1"), asked("q2"), asked("q3"), ["run.status", { status: "waiting" }],
      ["question.answered", { question_id: "q1", answer: 1, action: "answer", by: null, is_default: true }],
      ["question.withdrawn", { question_id: "q2", reason: "deadline passed" }], ["run.failed", { error: { message: "oh" } }]);
    const waiting = foldRun(empty, said, 7);
    expect(waiting.status).toBe("waiting");
    expect(waiting.openQuestions).toMatchObject([{ question_id: "q3", status: "open", run_id: "r1", run_name: "tea", has_default: true, asked_at: time(4) }]);
    const rows = foldRun(empty, said).items.map((item) => (item.kind === "question" ? item.question : null));
    expect(rows).toMatchObject([
      { status: "answered", answer: 1, is_default: true, by: null, ended_at: time(6) },
      { status: "withdrawn", reason: "deadline passed" },
      { status: "withdrawn", reason: "the run ended" },
    ]);
    expect(foldRun(empty, said)).toMatchObject({ status: "failed", error: { message: "oh" }, openQuestions: [] });
  });

  test("is cancelled, and says by whom", () => {
    const said = events(started, ["run.status", { status: "cancelling", reason: "too slow", by: "eve" }], ["run.cancelled", { reason: "too slow", by: "eve" }]);
    expect(foldRun(empty, said, 2)).toMatchObject({ status: "cancelling", reason: "too slow", cancelledBy: "eve", endedAt: null });
    expect(foldRun(empty, said)).toMatchObject({ status: "cancelled", reason: "too slow", cancelledBy: "eve", result: null });
  });

  test("does not stumble over malformed events", () => {
    const types = ["run.started", "run.status", "run.child", "message.open", "message.append", "tool.start", "tool.end", "question.asked", "question.answered", "log", "run.failed"];
    for (const data of [null, 1, [], {}, { message_id: 1, tool_call_id: {}, question_id: [], status: "odd", error: 3, level: 9 }]) {
      expect(foldRun(empty, events(...types.map((type) => [type, data] as const))).lastOffset).toBe(types.length);
    }
  });

  test("that has nothing new is the same object, and an event counts once", () => {
    const said = events(started, ["message.open", { message_id: "m" }], ["message.append", { message_id: "m", delta: "a" }]);
    const view = foldRun(empty, said);
    expect(foldRun(view, said)).toBe(view);
    expect(foldRun(view, [{ kind: "caught_up", channel, offset: 3 }])).toBe(view);
  });

  test("a patch that does not fit is thrown, and leaves everything as it was", () => {
    const folder = new RunFolder(foldRun(empty, events(started)));
    const before = folder.view;
    const bad = { ...events(["log", { text: "a" }])[0], offset: 2 } as LiveEvent;
    expect(() => folder.take([bad, { ...bad, offset: 3, type: "state.patch", data: { ops: [{ op: "remove", path: "/x" }] } }])).toThrow(/no member/);
    expect(folder.view).toBe(before);
    expect(folder.take([bad]).items).toHaveLength(1);
    expect(before.items).toHaveLength(0);
  });

  test("an id that comes back is another item with another key", () => {
    const open = ["message.open", { message_id: "m", role: "user" }] as const;
    const { items } = foldRun(empty, events(open, ["message.close", { message_id: "m", status: "failed" }], open, ["message.append", { message_id: "m", delta: "x" }]));
    expect(items).toMatchObject([{ key: "message m", status: "failed", text: "" }, { key: "message m 3", status: "open", text: "x" }]);
  });
});

describe("where events are missing", () => {
  const state = { version: 8, value: { a: 2 } };
  const messages: OpenMessage[] = [{ messageId: "m1", role: "assistant", text: "Hello wor" }];
  const before = foldRun(emptyRun("r1"), events(started, ["message.open", { message_id: "m1", role: "assistant" }], ["message.append", { message_id: "m1", delta: "He" }],
    ["message.open", { message_id: "m2", role: "user" }], ["state.patch", { ops: [{ op: "add", path: "/old", value: 1 }] }]));

  test("state and open messages are made good, the rest stays", () => {
    const view = foldRun(before, [
      { kind: "gap", channel, epoch, from: 6, to: 9, reason: "retention", state, messages },
      { ...events(["message.append", { message_id: "m1", delta: "ld" }])[0], offset: 10 } as LiveEvent,
    ]);
    expect(view).toMatchObject({ name: "tea", state: { a: 2 }, stateVersion: 8, lastOffset: 10 });
    expect(view.items).toMatchObject([
      { id: "m1", text: "Hello world", status: "open" },
      { id: "m2", text: "", status: "unknown" },
      { kind: "gap", from: 6, to: 9, reason: "retention" },
    ]);
  });

  test("a new life of the store begins anew", () => {
    const view = foldRun(before, [{ kind: "gap", channel, epoch: "e2", from: 1, to: 2, reason: "new_epoch", messages }]);
    expect(view).toMatchObject({ runId: "r1", name: null, status: null, state: {}, lastOffset: 2 });
    expect(view.items).toMatchObject([{ kind: "gap" }, { id: "m1", text: "Hello wor" }]);
    expect(foldRun(before, [{ kind: "gap", channel, epoch: "e2", from: 1, to: 0, reason: "new_epoch" }])).toEqual(emptyRun("r1"));
  });

  test("a trimmed log, and a start from now, begin with their snapshot", () => {
    const subscribed = { kind: "subscribed", channel, epoch, after: 8, head: 20, recovered: true, state, messages } as const;
    for (const [oldest, reason] of [[9, "retention"], [1, "skipped"]] as const) {
      const view = foldRun(emptyRun("r1"), [{ ...subscribed, oldest }]);
      expect(view).toMatchObject({ state: { a: 2 }, lastOffset: 8, items: [{ kind: "gap", from: 1, to: 8, reason }, { id: "m1", text: "Hello wor" }] });
    }
    const again = foldRun(before, [{ kind: "subscribed", channel, epoch, after: 5, head: 9, oldest: 1, recovered: true }]);
    expect(again).toBe(before);
  });
});

// ---- by machine ----

type Said = readonly [string, unknown];

const id = fc.constantFrom("a", "b", "c");
const delta = fc.string({ maxLength: 5 });
const step: fc.Arbitrary<Said> = fc.oneof(
  { weight: 1, arbitrary: id.map((message_id): Said => ["message.open", { message_id, role: "assistant" }]) },
  { weight: 4, arbitrary: fc.tuple(id, delta).map(([message_id, said]): Said => ["message.append", { message_id, delta: said }]) },
  { weight: 1, arbitrary: id.map((message_id): Said => ["message.close", { message_id, status: "completed" }]) },
  { weight: 1, arbitrary: id.map((tool_call_id): Said => ["tool.start", { tool_call_id, name: "n" }]) },
  { weight: 3, arbitrary: fc.tuple(id, delta).map(([tool_call_id, said]): Said => ["tool.args", { tool_call_id, delta: said }]) },
  { weight: 1, arbitrary: id.map((tool_call_id): Said => ["tool.end", { tool_call_id, status: "succeeded", result: 1, duration_ms: 1 }]) },
  { weight: 2, arbitrary: fc.tuple(id, fc.integer()).map(([key, value]): Said => ["state.patch", { ops: [{ op: "add", path: `/${key}`, value }] }]) },
  { weight: 1, arbitrary: delta.map((text): Said => ["log", { level: "info", text }]) },
  { weight: 1, arbitrary: id.map((question_id): Said => ["question.asked", { question_id, kind: "text", prompt: "?" }]) },
  { weight: 1, arbitrary: id.map((question_id): Said => ["question.answered", { question_id, answer: 1, by: "x", is_default: false }]) },
  { weight: 1, arbitrary: id.map((run_id): Said => ["run.child", { run_id, name: "n", status: "running" }]) },
);

/** Only what a server would let pass: texts grow between their opening and their end, a question is open once. */
function sensible(steps: readonly Said[]): LiveEvent[] {
  const open = new Set<string>();
  const kept = steps.filter(([type, data]) => {
    const { message_id, tool_call_id, question_id } = data as Record<string, string | undefined>;
    const name = `${type.split(".")[0] ?? ""} ${message_id ?? tool_call_id ?? question_id ?? ""}`;
    if (/\.(open|start|asked)$/.test(type)) return !open.has(name) && open.add(name);
    if (/\.(close|end|answered)$/.test(type)) return open.delete(name);
    return !/\.(append|args)$/.test(type) || open.has(name);
  });
  return events(started, ...kept);
}

/** The obvious way: who looks at all events for each item. */
function texts(said: readonly LiveEvent[]): string[] {
  const found: string[][] = [];
  const growing = new Map<string, string[]>();
  for (const { type, data } of said) {
    const { message_id, tool_call_id, delta: piece } = data as Record<string, string | undefined>;
    const name = `${type.split(".")[0] ?? ""} ${message_id ?? tool_call_id ?? ""}`;
    if (type === "message.open" || type === "tool.start") growing.set(name, found[found.push([]) - 1] ?? []);
    if (type === "message.append" || type === "tool.args") growing.get(name)?.push(piece ?? "");
  }
  return found.map((pieces) => pieces.join(""));
}

function grown(view: RunView): string[] {
  const growing = view.items.filter((item): item is MessageItem | ToolItem => item.kind === "message" || item.kind === "tool");
  return growing.map((item) => (item.kind === "message" ? item.text : item.argumentsText));
}

const steps = fc.array(step, { minLength: 1, maxLength: 120 }).map(sensible);

describe("by machine", () => {
  test("batches do not matter, and nothing that was shown is ever touched again", () => {
    fc.assert(
      fc.property(steps, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }), (said, sizes) => {
        freeze(said);
        const whole = foldRun(emptyRun("r1"), said);
        const folder = new RunFolder(freeze(emptyRun("r1")));
        const shown: [RunView, string][] = [];
        for (let from = 0, turn = 0; from < said.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          const view = freeze(folder.take(said.slice(from, from + size)));
          shown.push([view, JSON.stringify(view)]);
          from += size;
        }
        expect(folder.view).toEqual(whole);
        for (const [view, text] of shown) expect(JSON.stringify(view)).toBe(text);
        expect(grown(whole)).toEqual(texts(said));
        const ops = said.flatMap(({ type, data }) => (type === "state.patch" ? (data as { ops: PatchOperation[] }).ops : []));
        expect(whole.state).toEqual(applyPatch({}, ops));
      }),
      { numRuns: 200 },
    );
  });

  test("what a batch does not concern stays the same object", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 119 }), (said, cut) => {
        const before = foldRun(emptyRun("r1"), said.slice(0, cut));
        const after = foldRun(before, said.slice(cut));
        const over = (item: TimelineItem): boolean =>
          item.kind === "log" || (item.kind === "message" && item.status !== "open") || (item.kind === "tool" && item.status !== "running");
        for (const [index, item] of before.items.entries()) {
          if (over(item)) expect(after.items[index]).toBe(item);
          expect(after.items[index]?.key).toBe(item.key);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("from a snapshot at any point on, state and texts are those of the uncut run", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 120 }), fc.integer({ min: 0, max: 120 }), (said, one, other) => {
        const [had, to] = [Math.min(one, other, said.length), Math.min(Math.max(one, other), said.length)];
        const whole = foldRun(emptyRun("r1"), said);
        const there = foldRun(emptyRun("r1"), said, to);
        const messages = there.items.flatMap((item) =>
          item.kind === "message" && item.status === "open" ? [{ messageId: item.id, role: item.role, text: item.text }] : [],
        );
        const gap: Item[] = to > had ? [{ kind: "gap", channel, epoch, from: had + 1, to, reason: "retention", state: { version: there.stateVersion, value: there.state }, messages }] : [];
        const healed = foldRun(foldRun(emptyRun("r1"), said, had), [...gap, ...said.slice(to)]);
        expect(healed.state).toEqual(whole.state);
        expect(healed.lastOffset).toBe(whole.lastOffset);
        const open = (view: RunView): string[][] =>
          view.items.flatMap((item) => (item.kind === "message" && item.status === "open" ? [[item.id, item.text]] : [])).sort();
        expect(open(healed)).toEqual(open(whole));
      }),
      { numRuns: 200 },
    );
  });

  test("a recording shows every moment, in any order of asking", () => {
    fc.assert(
      fc.property(steps, fc.array(fc.integer({ min: 0, max: 125 }), { maxLength: 20 }), (said, moments) => {
        const recording = new RunRecording("r1");
        recording.push(said);
        for (const moment of moments) expect(recording.at(moment)).toEqual(foldRun(emptyRun("r1"), said, moment));
      }),
      { numRuns: 100 },
    );
  });
});

test("a long recording keeps few starting points and is right everywhere", () => {
  const said = events(...Array.from({ length: 70_000 }, (_, index) => ["run.progress", { progress: index, message: null }] as const));
  const recording = new RunRecording("r1");
  recording.push(said);
  for (const moment of [70_000, 3, 65_001, 1000, 1001, 999, 34_567, 70_000, 0]) {
    expect(recording.at(moment)).toMatchObject({ lastOffset: moment, progress: moment === 0 ? null : moment - 1 });
  }
  recording.push([{ kind: "gap", channel, epoch: "e2", from: 1, to: 0, reason: "new_epoch" }]);
  expect(recording.items).toHaveLength(1);
  expect(recording.at(100)).toEqual(emptyRun("r1"));
});

test("an append costs little however long the run is", () => {
  const folder = new RunFolder(emptyRun("r1"));
  folder.take(events(["message.open", { message_id: "m", role: "assistant" }], ...Array.from({ length: 20_000 }, (_, index) => ["log", { text: String(index) }] as const)));
  const [tail] = folder.view.items.slice(-1);
  const batch = Array.from({ length: 5000 }, (_, index) => ({ ...events(["message.append", { message_id: "m", delta: "x" }])[0], offset: 20_002 + index }) as LiveEvent);
  const view = folder.take(batch);
  expect(view.items[0]).toMatchObject({ text: "x".repeat(5000) });
  expect(view.items.at(-1)).toBe(tail);
});
