/** Runs and questions against the real server; skipped where there is none. */

import { beforeAll, describe, expect, test } from "vitest";
import { emptyRun, foldRun, RunStore } from "../src/index.js";
import type { AntiphonError, Live, QuestionRow, RunView } from "../src/index.js";
import { missing, open, RealServer } from "./support/realServer.js";
import { take, until } from "./support/wait.js";

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => "done", (error: unknown) => (error as AntiphonError).code);
}

/** A store that is kept up to date. */
function watch<T = unknown>(live: Live, runId: string): RunStore<T> {
  const store = new RunStore<T>(live, runId, { record: true });
  store.subscribe(() => undefined);
  return store;
}

/** A row without its moments: an event's time is that of its storing, which may be a millisecond later. */
function timeless(row: QuestionRow | undefined): object {
  return { ...row, asked_at: null, ended_at: null };
}

async function seen<T>(store: RunStore<T>, fulfils: (view: RunView<T>) => boolean): Promise<RunView<T>> {
  return (await until(store, ({ view }) => fulfils(view))).view;
}

describe.skipIf(missing)("runs on the real server", { timeout: 60_000 }, () => {
  let shared = "";

  beforeAll(async () => {
    shared = await new RealServer({ lasts: true }).start();
  }, 60_000);

  test("everything an owner says is what a watcher sees", async () => {
    const [agent, viewer] = [open(shared), open(shared)];
    const run = await agent.openRun({ name: "tea", input: { q: 1 }, title: "Tea", labels: { team: "a" }, threadId: "t1" });
    const store = watch<{ tasks?: string[] }>(viewer, run.id);
    const message = run.message();
    for (const piece of ["He", "ll", "o"]) await message.append(piece);
    const tool = run.tool("search", { q: "tea" }, message);
    await tool.progress(0.5, "half");
    await tool.succeed({ hits: 3 });
    await run.patch([{ op: "add", path: "/tasks", value: ["one"] }, { op: "add", path: "/tasks/-", value: "two" }]);
    await run.log("found", "warning", "web");
    await run.progress(0.75, "reading");
    await run.usage({ input_tokens: 12, cost_usd: 0.5, model: "small" });
    await run.emit("x.note", { a: [1] });
    await message.close();
    await run.flush();
    expect(await run.finish({ tea: "green" })).toMatchObject({ status: "succeeded", progress: 0.75, usage: { input_tokens: 12 } });
    const view = await seen(store, ({ status }) => status === "succeeded");
    expect(view).toMatchObject({
      name: "tea", title: "Tea", input: { q: 1 }, labels: { team: "a" }, threadId: "t1", by: "local", result: { tea: "green" },
      progress: 0.75, progressMessage: "reading", usage: { input_tokens: 12, cost_usd: 0.5, model: "small" }, state: { tasks: ["one", "two"] },
    });
    expect(view.items).toMatchObject([
      { kind: "message", role: "assistant", text: "Hello", status: "completed" },
      { kind: "tool", name: "search", argumentsText: '{"q":"tea"}', status: "succeeded", progress: 0.5, result: { hits: 3 } },
      { kind: "log", level: "warning", text: "found", logger: "web" },
      { kind: "custom", type: "x.note", data: { a: [1] } },
    ]);
    expect(store.recording?.at(view.lastOffset)).toEqual(view);
    expect(await viewer.runs.get(run.id)).toMatchObject({ run: { run_id: run.id, status: "succeeded" }, input: { q: 1 }, result: { tea: "green" } });
    expect(await viewer.runs.list({ status: "succeeded", labels: { team: "a" } })).toMatchObject({ runs: [{ run_id: run.id }] });
    expect(await viewer.runs.result(run.id)).toMatchObject({ status: "succeeded", result: { tea: "green" } });
  });

  test("cancelled from elsewhere: the signal fires, nothing grows, the outcome is cancelled", async () => {
    const [agent, viewer] = [open(shared), open(shared)];
    let id = "";
    const done = agent.run({ name: "tea" }, async (run) => {
      id = run.id;
      const message = run.message();
      await message.append("a");
      void run.flush().then(() => viewer.runs.cancel(id, "enough"));
      await new Promise((resolve) => { run.signal.addEventListener("abort", resolve); });
      expect(await codeOf(message.append("b"))).toBe("run_cancelled");
      await message.close();
      return "ignored";
    });
    expect(await codeOf(done)).toBe("run_cancelled");
    const view = await seen(watch(viewer, id), ({ status }) => status === "cancelled");
    expect(view).toMatchObject({ reason: "enough", cancelledBy: "local", result: null });
    expect(view.items).toMatchObject([{ text: "a", status: "cancelled" }]);
    expect(await viewer.runs.cancel(id)).toEqual({ run_id: id, status: "cancelled", stopped: [], draining: [] });
  });

  test("a question is answered once; what an approval says comes back", async () => {
    const [agent, viewer] = [open(shared), open(shared)];
    const run = await agent.openRun({ name: "tea" });
    const store = watch(viewer, run.id);
    const asked = run.ask({ prompt: "Which?", options: ["green", { value: "black", label: "Black" }] });
    const { openQuestions } = await seen(store, (view) => view.openQuestions.length === 1);
    const id = openQuestions[0]?.question_id ?? "";
    expect(timeless(await viewer.questions.get(id))).toEqual(timeless(openQuestions[0]));
    expect(await codeOf(viewer.questions.answer(id, "red"))).toBe("invalid_params");
    const both = await Promise.all([codeOf(viewer.questions.answer(id, "green")), codeOf(agent.questions.answer(id, "black"))]);
    expect(both.sort()).toEqual(["already_answered", "done"]);
    const row = await viewer.questions.get(id);
    expect(await asked).toEqual({ questionId: id, answer: row.answer, action: "answer", by: "local", isDefault: false });
    const [item] = (await seen(store, (view) => view.openQuestions.length === 0)).items;
    expect(timeless(item?.kind === "question" ? item.question : undefined)).toEqual(timeless(row));
    const approval = run.ask({ prompt: "Deploy?", value: { version: 1 }, timeoutS: 3600, default: "reject" });
    const open2 = await seen(store, (view) => view.openQuestions.length === 1);
    await viewer.questions.answer(open2.openQuestions[0]?.question_id ?? "", { version: 2 }, "edit");
    expect(await approval).toMatchObject({ action: "edit", answer: { version: 2 } });
    expect(await run.ask({ prompt: "Quick?", timeoutS: 0.05, default: "yes" })).toMatchObject({ answer: "yes", by: null, isDefault: true });
    expect(await codeOf(run.ask({ prompt: "Quick?", timeoutS: 0.05 }))).toBe("withdrawn");
    await run.fail(new RangeError("too hot"));
    expect(await viewer.runs.result(run.id)).toMatchObject({ status: "failed", error: { message: "too hot", type: "RangeError" } });
  });

  test("what is refused is left out, what is said around it is there", async () => {
    const live = open(shared);
    const problems: (string | null)[] = [];
    const run = await live.openRun({ name: "tea", onProblem: ({ pointer }) => problems.push(pointer) });
    void run.log("1");
    void run.patch([{ op: "remove", path: "/nothing" }]);
    void run.log("2");
    expect(await codeOf(run.flush())).toBe("invalid_patch");
    void run.usage({ input_tokens: -1 });
    void run.log("3");
    expect(await codeOf(run.flush())).toBe("invalid_params");
    expect(problems).toHaveLength(2);
    await run.finish();
    const { items } = await seen(watch(live, run.id), ({ status }) => status === "succeeded");
    expect(items.map((item) => (item.kind === "log" ? item.text : item.kind))).toEqual(["1", "2", "3"]);
  });

  test("kill -9 in mid-answer: the text is whole, each piece once, the question still open", async () => {
    const server = new RealServer();
    const url = await server.start();
    const [agent, viewer] = [open(url), open(url)];
    const run = await agent.openRun({ name: "tea", leaseS: 60 });
    const store = watch<Record<string, number>>(viewer, run.id);
    const message = run.message();
    let expected = "";
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 200; index++) {
        const piece = `${String(round)}.${String(index)} `;
        expected += piece;
        await message.append(piece);
        if (index % 20 === 0) void run.patch([{ op: "add", path: `/k${String(index)}`, value: round }]);
        if (index % 50 === 0) await run.flush();
      }
      await server.kill();
      await server.start();
    }
    const answer = run.ask({ prompt: "Go on?" });
    const asked = await seen(store, ({ openQuestions }) => openQuestions.length === 1);
    await server.kill();
    await server.start();
    await viewer.questions.answer(asked.openQuestions[0]?.question_id ?? "", "yes");
    expect(await answer).toMatchObject({ answer: "yes" });
    await message.close();
    await run.finish();
    const view = await seen(store, ({ status }) => status === "succeeded");
    expect(view.items.find(({ kind }) => kind === "message")).toMatchObject({ text: expected, status: "completed" });
    expect(view.state).toEqual(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`k${String(index * 20)}`, 2])));
    const whole = await take(viewer.subscribe(`run:${run.id}`, { after: "start" }), ({ kind }) => kind === "caught_up");
    expect(foldRun(emptyRun(run.id), whole)).toEqual(view);
  });
});
