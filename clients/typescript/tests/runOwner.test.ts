import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AntiphonError, Live, OpenRun, OwnedRun } from "../src/index.js";
import { connect } from "../src/index.js";
import { MemoryNetwork } from "./support/memory.js";
import { MiniRun } from "./support/runs.js";

let network: MemoryNetwork;
let live: Live;
let server: MiniRun;

function begin(): void {
  network = new MemoryNetwork();
  server = new MiniRun(network.server);
  live = connect(network.options());
}

beforeEach(begin);

afterEach(() => {
  live.close();
});

async function opened(more: Partial<OpenRun> = {}): Promise<OwnedRun> {
  const run = live.openRun({ name: "tea", input: { q: 1 }, ...more });
  await network.quiet();
  return run;
}

/** The result, once the network is quiet. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  await network.quiet();
  return promise;
}

describe("a run of one's own", () => {
  test("says everything in order", async () => {
    const run = await opened({ title: "Tea", labels: { a: "b" } });
    expect(run.id).toMatch(/^run_[0-9a-z]{20}$/);
    expect(server.asked[0]).toMatchObject({ method: "run.open", params: { name: "tea", input: { q: 1 }, title: "Tea", labels: { a: "b" }, client: "typescript" } });
    const message = run.message();
    void message.append("Hel");
    void message.append("lo");
    const tool = run.tool("search", { q: [1] }, message);
    void tool.progress(0.5, "half");
    void tool.succeed({ hits: 3 });
    void run.log("found", "warning", "web");
    void run.progress(0.7);
    void run.usage({ input_tokens: 5 });
    void run.patch([{ op: "add", path: "/a", value: 1 }]);
    void run.emit("x.note", [1]);
    void message.close();
    void message.close("failed");
    await settled(run.flush());
    const [m, t] = [message.id, tool.id];
    expect(server.said).toEqual([
      ["message.open", { message_id: m, role: "assistant" }],
      ["message.append", { message_id: m, delta: "Hello" }],
      ["tool.start", { tool_call_id: t, name: "search", parent_message_id: m }],
      ["tool.args", { tool_call_id: t, delta: '{"q":[1]}' }],
      ["tool.progress", { tool_call_id: t, progress: 0.5, message: "half" }],
      ["tool.end", { tool_call_id: t, status: "succeeded", result: { hits: 3 }, duration_ms: 0 }],
      ["log", { level: "warning", text: "found", logger: "web" }],
      ["state.patch", { ops: [{ op: "add", path: "/a", value: 1 }] }],
      ["x.note", [1]],
      ["message.close", { message_id: m, status: "completed" }],
    ]);
    expect(server.batches).toHaveLength(1);
    expect(await settled(run.finish({ tea: "green" }))).toMatchObject({ status: "succeeded" });
    expect(server.asked.at(-1)).toMatchObject({ method: "run.finish", params: { status: "succeeded", result: { tea: "green" } } });
    expect(network.session.subscriptions.size).toBe(0);
    expect(() => run.message()).toThrow(expect.objectContaining({ code: "run_ended" }));
  });

  test("what is said meanwhile is the next batch, and what changes later was not said", async () => {
    const run = await opened();
    const value = { n: 1 };
    void run.patch([{ op: "add", path: "/v", value }]);
    value.n = 2;
    await new Promise((resolve) => setImmediate(resolve));
    for (let index = 0; index < 1200; index++) void run.log(String(index));
    await settled(run.flush());
    expect(server.batches.map(({ length }) => length)).toEqual([1, 500, 500, 200]);
    expect(server.said[0]).toEqual(["state.patch", { ops: [{ op: "add", path: "/v", value: { n: 1 } }] }]);
    expect(server.said.slice(1).map(([, data]) => (data as { text: string }).text)).toEqual(Array.from({ length: 1200 }, (_, index) => String(index)));
  });

  test("a text that is too long for one event comes in pieces, whole characters each", async () => {
    const run = await opened();
    const text = "x😀".repeat(50_000);
    void run.message().append(text);
    await settled(run.flush());
    expect(server.text()).toBe(text);
    for (const [, data] of server.said.slice(1)) expect(() => encodeURIComponent((data as { delta: string }).delta)).not.toThrow();
  });

  test("who says more than the network takes is asked to wait", async () => {
    const run = await opened();
    network.up = false;
    network.drop();
    let waiting: Promise<void> | null = null;
    for (let index = 0; waiting === null && index < 10_000; index++) {
      const room = run.log("x".repeat(1000));
      const full = Symbol("full");
      if ((await Promise.race([room, Promise.resolve(full)])) === full) waiting = room;
    }
    expect(waiting).not.toBeNull();
    network.up = true;
    await network.pass(15_000);
    await waiting;
    expect(server.said.length).toBeGreaterThan(800);
  });

  test("every event once and in order, wherever the connection breaks", async () => {
    const action = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }).map((events) => ({ events })) },
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }).map((frames) => ({ frames })) },
      { weight: 1, arbitrary: fc.constant({ drop: true }) },
      { weight: 1, arbitrary: fc.constant({ busy: true }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 60 }), async (actions) => {
        begin();
        const run = await opened();
        const message = run.message();
        let expected = "";
        let count = 0;
        for (const each of actions) {
          if ("events" in each) {
            for (let index = 0; index < each.events; index++) {
              const piece = `${String((count += 1))};`;
              expected += piece;
              void message.append(piece);
              if (index % 2 === 1) void run.log(piece);
            }
            await new Promise((resolve) => setImmediate(resolve));
          }
          if ("frames" in each) network.step(each.frames);
          if ("busy" in each) network.server.refuse.set("run.emit", { code: "busy", message: "later", retryable: true });
          if ("drop" in each) {
            network.drop();
            await network.pass(1000);
          }
        }
        const ended = run.finish();
        await network.pass(5000);
        await expect(ended).resolves.toMatchObject({ status: "succeeded" });
        expect(server.text()).toBe(expected);
        live.close();
      }),
      { numRuns: 40 },
    );
  });
});

describe("the lease", () => {
  const renewals = (): number => server.asked.filter(({ method }) => method === "run.renew").length;

  test("is renewed three times per term, and at once over a new connection", async () => {
    const run = await opened();
    await network.pass(15_000);
    expect(renewals()).toBe(3);
    network.drop();
    await network.pass(400);
    expect(renewals()).toBe(4);
    await settled(run.finish());
    await network.pass(60_000);
    expect(renewals()).toBe(4);
  });

  test("once lost, the signal fires and nothing is said any more", async () => {
    const run = await opened();
    server.leaseValid = false;
    await network.pass(5000);
    expect(run.signal.reason).toMatchObject({ code: "lease_lost" });
    expect(() => run.message()).toThrow(expect.objectContaining({ code: "lease_lost" }));
    void run.log("late");
    await settled(run.flush());
    expect(server.said).toEqual([]);
    await expect(settled(run.finish())).rejects.toMatchObject({ code: "lease_lost" });
  });
});

describe("a cancel", () => {
  test("fires the signal; what grows is refused, what closes is said", async () => {
    const run = await opened();
    const message = run.message();
    await settled(message.append("a"));
    server.cancel();
    await network.quiet();
    expect(run.signal.reason).toMatchObject({ code: "run_cancelled", message: "too slow" });
    await expect(message.append("b")).rejects.toMatchObject({ code: "run_cancelled" });
    void message.append("nobody awaits this");
    await expect(run.ask({ prompt: "?" })).rejects.toMatchObject({ code: "run_cancelled" });
    expect(() => run.tool("x")).toThrow(expect.objectContaining({ code: "run_cancelled" }));
    void run.log("cleaning up");
    void message.close();
    expect(await settled(run.finish("ignored"))).toMatchObject({ status: "cancelled" });
    expect(server.text()).toBe("a");
    expect(server.said.slice(2)).toEqual([
      ["log", { level: "info", text: "cleaning up" }],
      ["message.close", { message_id: message.id, status: "cancelled" }],
    ]);
  });

  test("that the owner learns from a refusal drops what grows, with its ends", async () => {
    const run = await opened();
    const before = run.message();
    await settled(before.append("a"));
    server.cancel(false);
    void before.append("b");
    const after = run.message();
    void after.append("c");
    void after.close();
    const tool = run.tool("t");
    void run.log("kept");
    void tool.fail(new TypeError("no"));
    void before.close();
    await settled(run.flush());
    expect(run.signal.reason).toMatchObject({ code: "run_cancelled" });
    expect(server.said.slice(2)).toEqual([["log", { level: "info", text: "kept" }], ["message.close", { message_id: before.id, status: "completed" }]]);
  });

  test("that only a renewal tells", async () => {
    const run = await opened();
    server.cancel(false);
    await network.pass(5000);
    expect(run.signal.aborted).toBe(true);
  });

  test("and the end of the grace: the outcome came without us", async () => {
    const run = await opened();
    server.cancel();
    server.status = "cancelled";
    server.leaseValid = false;
    server.say("run.cancelled", { reason: "too slow", by: "ann" });
    await network.quiet();
    expect(run.signal.reason).toMatchObject({ code: "run_cancelled" });
    expect(await settled(run.cancelled())).toMatchObject({ status: "cancelled" });
  });
});

test("a cancel at any moment, over any network: nothing grows after it, and the outcome is cancelled", async () => {
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }).map((pieces) => ({ pieces })) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 4 }).map((frames) => ({ frames })) },
    { weight: 1, arbitrary: fc.constant({ tool: true }) },
    { weight: 1, arbitrary: fc.constant({ ask: true }) },
    { weight: 1, arbitrary: fc.constant({ drop: true }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), fc.nat({ max: 25 }), fc.boolean(), async (actions, moment, told) => {
      begin();
      const run = await opened();
      let message = run.message();
      const act = async (each: (typeof actions)[number]): Promise<void> => {
        if ("pieces" in each) for (let piece = 0; piece < each.pieces; piece++) await message.append("x");
        if ("frames" in each) network.step(each.frames);
        if ("tool" in each) {
          void run.tool("search", {}).succeed();
          void message.close();
          message = run.message("reasoning");
        }
        if ("ask" in each) void run.ask({ prompt: "?" }).catch(() => undefined);
        if ("drop" in each) network.drop();
      };
      try {
        for (const [index, each] of actions.entries()) {
          if (index === moment) server.cancel(told);
          await act(each);
          if (index % 3 === 0) await network.pass(400);
        }
        if (moment >= actions.length) server.cancel(told);
      } catch (error) {
        expect(error).toBe(run.signal.reason); // the agent's code sees it wherever it is
      }
      const ended = run.finish("never");
      await network.pass(30_000);
      expect(await ended).toMatchObject({ status: "cancelled" });
      const types = network.server.log(server.channel).events.map(({ type }) => type);
      expect(types.at(-1)).toBe("run.cancelled");
      expect(types.filter((type) => type.startsWith("run.") && !/started|status/.test(type))).toEqual(["run.cancelled"]);
      live.close();
    }),
    { numRuns: 100 },
  );
});

describe("what the server refuses", () => {
  test.each([["/data"], [undefined]])("is left out and told; everything else is there (pointer %s)", async (pointer) => {
    server.poison.set("state.patch", pointer);
    const heard: string[] = [];
    const run = await opened({ onProblem: ({ code }) => heard.push(code) });
    void run.log("1");
    void run.patch([{ op: "remove", path: "/nothing" }]);
    void run.log("2");
    void run.message().append("3");
    await expect(settled(run.flush())).rejects.toMatchObject({ code: "invalid_params" });
    await settled(run.flush());
    expect(heard).toEqual(["invalid_params"]);
    expect(server.said.map(([type]) => type)).toEqual(["log", "log", "message.open", "message.append"]);
    expect(run.signal.aborted).toBe(false);
  });

  test("what is no JSON is refused at once", async () => {
    const run = await opened();
    expect(() => run.emit("x.big", { n: 1n })).toThrow(TypeError);
  });
});

describe("a question", () => {
  test("waits for its answer, behind what was said before", async () => {
    const run = await opened();
    void run.log("first");
    const asked = run.ask<string>({ prompt: "Which?", options: ["green", { value: "black", label: "Black" }], timeoutS: 60, default: "green" });
    await network.quiet();
    const { params } = server.asked.at(-1) ?? {};
    expect(params).toMatchObject({ prompt: "Which?", options: [{ value: "green" }, { value: "black", label: "Black" }], timeout_s: 60, default: "green" });
    expect(network.server.log(server.channel).events.map(({ type }) => type)).toEqual(["run.started", "log", "question.asked"]);
    network.drop();
    server.say("question.answered", { question_id: params?.["question_id"], answer: "black", action: "answer", by: "ann", is_default: false });
    await network.pass(1000);
    expect(await asked).toEqual({ questionId: params?.["question_id"], answer: "black", action: "answer", by: "ann", isDefault: false });
  });

  test("that is withdrawn, or whose run is cancelled, is no answer", async () => {
    const run = await opened();
    const first = run.ask({ prompt: "?", value: { a: 1 } });
    await network.quiet();
    expect(server.asked.at(-1)?.params).toMatchObject({ value: { a: 1 } });
    server.say("question.withdrawn", { question_id: server.asked.at(-1)?.params["question_id"], reason: "deadline passed" });
    await expect(settled(first)).rejects.toMatchObject({ code: "withdrawn", message: "deadline passed" });
    const second = run.ask({ prompt: "?", schema: { type: "object" } });
    await network.quiet();
    server.cancel();
    await expect(settled(second)).rejects.toMatchObject({ code: "run_cancelled" });
  });

  test("that the server refuses is thrown", async () => {
    const run = await opened();
    network.server.refuse.set("question.ask", { code: "invalid_params", message: "no", pointer: "/params/default" });
    await expect(settled(run.ask({ prompt: "?" }))).rejects.toMatchObject({ code: "invalid_params", pointer: "/params/default" });
  });

  test("whose answer fell into a gap is looked up", async () => {
    const run = await opened();
    const asked = run.ask({ prompt: "?" });
    await network.quiet();
    const question_id = server.asked.at(-1)?.params["question_id"];
    network.server.answers.set("run.get", () => ({ run: server.row, questions: [{ question_id, status: "answered", answer: 7, action: "answer", by: "ann", is_default: false }] }));
    network.drop();
    server.say("question.answered", { question_id, answer: 7 });
    server.say("log", { text: "later" });
    network.server.trim(server.channel, network.server.log(server.channel).head);
    await network.pass(1000);
    expect(await asked).toMatchObject({ answer: 7, by: "ann" });
  });
});

describe("live.run", () => {
  test("gives the result", async () => {
    const done = live.run({ name: "tea" }, async (run) => {
      await run.message().append("hi");
      return 42;
    });
    expect(await settled(done)).toBe(42);
    expect(server.asked.at(-1)?.params).toMatchObject({ status: "succeeded", result: 42 });
  });

  test("tells of a failure and throws it on", async () => {
    const done = live.run({ name: "tea" }, () => Promise.reject(new RangeError("too hot")));
    await expect(settled(done)).rejects.toThrow("too hot");
    expect(server.asked.at(-1)?.params).toMatchObject({ status: "failed", error: { message: "too hot", type: "RangeError" } });
  });

  test.each(["awaits", "ignores"])("throws run_cancelled after a cancel that the function %s", async (how) => {
    const done = live.run({ name: "tea" }, async (run) => {
      await network.quiet();
      server.cancel();
      await network.quiet();
      if (how === "awaits") await run.message().append("more");
      return "done";
    });
    await expect(settled(done)).rejects.toMatchObject({ code: "run_cancelled" } satisfies Partial<AntiphonError>);
    expect(server.status).toBe("cancelled");
  });

  test("throws run_cancelled where the cancel came just before the end", async () => {
    const done = live.run({ name: "tea" }, () => {
      server.cancel(false);
      return Promise.resolve("done");
    });
    await expect(settled(done)).rejects.toMatchObject({ code: "run_cancelled" });
  });
});
