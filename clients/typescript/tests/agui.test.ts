/** The stock AG-UI client over connections that break. */

import { HttpAgent } from "@ag-ui/client";
import type { AgentSubscriber, BaseEvent, Message } from "@ag-ui/client";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AntiphonAgent, resumingFetch } from "../agui/index.js";
import type { Reconnecting, ResumeOptions } from "../agui/index.js";
import { Clock } from "./support/clock.js";
import { frame, MiniRun, stream } from "./support/miniRun.js";

const url = "http://mini/agui/assistant";

function answer(...deltas: string[]): Record<string, unknown>[] {
  return [
    { type: "RUN_STARTED", threadId: "t", runId: "r" },
    { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant" },
    ...deltas.map((delta) => ({ type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta })),
    { type: "TEXT_MESSAGE_END", messageId: "m" },
    { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "clock", parentMessageId: "m" },
    { type: "TOOL_CALL_ARGS", toolCallId: "c", delta: '{"zone":' },
    { type: "TOOL_CALL_ARGS", toolCallId: "c", delta: '"UTC"}' },
    { type: "TOOL_CALL_END", toolCallId: "c" },
    { type: "TOOL_CALL_RESULT", messageId: "c-result", toolCallId: "c", content: "noon", role: "tool" },
    { type: "RUN_FINISHED", threadId: "t", runId: "r", outcome: { type: "success" }, result: 42 },
  ];
}

function textOf(messages: readonly Message[]): unknown {
  return messages.find(({ id }) => id === "m")?.content;
}

/** Every event in its order, as a subscriber is told. */
function listening(): { seen: BaseEvent[]; subscriber: AgentSubscriber } {
  const seen: BaseEvent[] = [];
  return { seen, subscriber: { onEvent: ({ event }) => { seen.push(event); } } };
}

let waits: Reconnecting[];
let quick: ResumeOptions;

beforeEach(() => {
  waits = [];
  quick = { backoff: { baseMs: 0, capMs: 0 }, onReconnecting: (wait) => waits.push(wait) };
});

afterEach(() => {
  vi.restoreAllMocks();
});

function stock(run: MiniRun, more: ResumeOptions = {}): HttpAgent {
  return new HttpAgent({ url, threadId: "t", fetch: resumingFetch({ ...quick, fetch: run.fetch, ...more }) });
}

function ours(run: MiniRun, more: ResumeOptions = {}): AntiphonAgent {
  return new AntiphonAgent({ url, threadId: "t", fetch: run.fetch, resume: { ...quick, ...more } });
}

describe("a stream that breaks", () => {
  test("wherever it breaks, the messages are those of an unbroken one, each event once", async () => {
    const deltas = fc.array(fc.string({ minLength: 1, unit: "binary" }), { minLength: 1, maxLength: 8 });
    const cuts = fc.array(fc.nat(400), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(deltas, cuts, fc.boolean(), fc.constantFrom("\n", "\r\n"), async (texts, places, cleanCuts, lineEnd) => {
        const run = new MiniRun(answer(...texts));
        run.cuts.push(...places);
        Object.assign(run, { cleanCuts, lineEnd });
        const agent = stock(run);
        const { seen, subscriber } = listening();
        expect(await agent.runAgent({ runId: "r" }, subscriber)).toMatchObject({ result: 42 });
        expect(seen).toEqual(run.events);
        expect(textOf(agent.messages)).toBe(texts.join(""));
        expect(agent.messages).toHaveLength(2);
        expect(run.asked.slice(1).every(({ method, url: asked }) => method === "GET" && asked === `${url}/runs/r`)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test("it goes on after the last frame that was whole, and says what it does", async () => {
    const run = new MiniRun(answer("a", "b"));
    run.cuts.push(frame(run.events[0] ?? {}, "1").length + 5);
    run.instead.push(() => stream(frame(run.events[0] ?? {}, "1"), "break"), () => { throw new TypeError("fetch failed"); }, () => new Response("busy", { status: 503 }));
    await stock(run).runAgent({ runId: "r" });
    expect(run.asked.map(({ lastId }) => lastId)).toEqual([null, "1", "1", "1", "1"]);
    expect(waits.map(({ attempt, reason }) => `${String(attempt)} ${reason}`)).toEqual([
      "1 the network broke", "2 fetch failed", "3 the server answered 503", "4 the network broke",
    ]);
  });

  test("something new resets the count of attempts", async () => {
    const run = new MiniRun(answer("a", "b"));
    run.cuts.push(90, 90, 90);
    await stock(run).runAgent({ runId: "r" });
    expect(waits.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
  });

  test("waits are as those of the socket, and somebody who comes back ends them", async () => {
    const clock = new Clock();
    const told: ((news: "online" | "offline" | "visible") => void)[] = [];
    const surroundings = { isOnline: () => true, subscribe: (listener: (typeof told)[number]) => (told.push(listener), () => told.splice(told.indexOf(listener), 1)) };
    const run = new MiniRun(answer("a"));
    run.cuts.push(60, 0, 0);
    const done = stock(run, { timers: clock, random: () => 0.5, backoff: {}, surroundings }).runAgent({ runId: "r" });
    await clock.advance(0);
    expect(waits.map(({ delayMs }) => delayMs)).toEqual([150]);
    await clock.advance(150);
    expect(waits.map(({ delayMs }) => delayMs)).toEqual([150, 300]);
    told[0]?.("offline");
    await clock.advance(0);
    expect(run.asked).toHaveLength(2);
    told[0]?.("visible");
    await clock.advance(0);
    await clock.advance(600);
    await done;
    expect(run.asked).toHaveLength(4);
    expect([told.length, clock.waiting]).toEqual([0, 0]);
  });

  test("a server that falls silent is left", async () => {
    const clock = new Clock();
    const run = new MiniRun(answer("a"));
    const [first] = run.events;
    run.instead.push(() => stream(`${frame(first ?? {}, "1")}: still here\n\n`, "wait"));
    const done = stock(run, { timers: clock, silenceMs: 1000, random: () => 0 }).runAgent({ runId: "r" });
    await clock.advance(999);
    expect(run.asked).toHaveLength(1);
    await clock.advance(1);
    await done;
    expect(run.asked.map(({ lastId }) => lastId)).toEqual([null, "1"]);
  });

  test("what the server says about itself is no outcome of the run", async () => {
    const run = new MiniRun(answer("a", "b"));
    const begin = run.events.slice(0, 3).map((event, index) => frame(event, String(index + 1))).join("");
    const goodbye = frame({ type: "RUN_ERROR", code: "antiphon.goodbye", message: "the server is going" });
    run.instead.push(() => stream(begin + goodbye, "end"));
    const agent = stock(run);
    const { seen, subscriber } = listening();
    await agent.runAgent({ runId: "r" }, subscriber);
    expect(seen).toEqual(run.events);
    expect(run.asked.map(({ lastId }) => lastId)).toEqual([null, "3"]);
  });

  test("where the server cannot go on it begins anew, and the reader sees one run whose text is right", async () => {
    const run = new MiniRun(answer("He", "llo", " you"));
    const begin = run.events.slice(0, 3).map((event, index) => frame(event, String(index + 1))).join("");
    const gap = frame({ type: "RUN_ERROR", code: "antiphon.gap", message: "events are gone" });
    run.instead.push(
      () => stream(begin, "break"),
      () => stream(gap, "end"),
      () => stream(joining, "end"),
    );
    const joining = [
      { type: "RUN_STARTED", threadId: "t", runId: "r" },
      { type: "MESSAGES_SNAPSHOT", messages: [{ id: "m", role: "assistant", content: "Hello" }] },
      { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant" },
      ...run.events.slice(4),
    ].map((event, index) => frame(event, `j${String(index)}`)).join("");
    const agent = stock(run);
    const { seen, subscriber } = listening();
    expect(await agent.runAgent({ runId: "r" }, subscriber)).toMatchObject({ result: 42 });
    expect(textOf(agent.messages)).toBe("Hello you");
    expect(run.asked.map(({ lastId }) => lastId)).toEqual([null, "3", null]);
    expect(seen.slice(2, 6).map(({ type }) => type)).toEqual(["TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "MESSAGES_SNAPSHOT", "TEXT_MESSAGE_START"]);
  });

  test("a server that has forgotten the client's name for the run is asked for it by its own", async () => {
    const [started = {}, ...rest] = answer("a");
    const run = new MiniRun([{ ...started, metadata: { antiphon: { run_id: "run_1" } } }, ...rest]);
    run.instead.push(() => stream(frame(run.events[0] ?? {}, "1"), "break"), () => new Response("unknown", { status: 404 }));
    const agent = stock(run);
    await agent.runAgent({ runId: "r" });
    expect(run.asked.map(({ url: asked, lastId }) => [asked, lastId])).toEqual([[url, null], [`${url}/runs/r`, "1"], [`${url}/runs/run_1`, "1"]]);
    expect(textOf(agent.messages)).toBe("a");
  });

  test("a run that cannot be followed any more is an error of the protocol, never a success", async () => {
    const refusals = [
      { answer: () => new Response(JSON.stringify({ code: "forbidden", message: "not yours" }), { status: 403 }), code: "forbidden" },
      { answer: () => new Response("gone", { status: 404 }), code: "not_found" },
      { answer: () => new Response(null, { status: 204 }), code: "protocol_error" },
      { answer: () => stream("data: {\n\n", "end"), code: "protocol_error" },
      { answer: () => stream("data: 1\n\n", "end"), code: "protocol_error" },
      { answer: () => new Response(new Uint8Array(11 * 2 ** 20).fill(97), { headers: { "content-type": "text/event-stream" } }), code: "protocol_error" },
    ];
    for (const { answer: refusal, code } of refusals) {
      const run = new MiniRun(answer("a"));
      run.instead.push(() => stream(frame(run.events[0] ?? {}, "1"), "break"), refusal);
      const { seen, subscriber } = listening();
      expect(await stock(run).runAgent({ runId: "r" }, subscriber)).toMatchObject({ result: undefined });
      expect(seen.map(({ type }) => type)).toEqual(["RUN_STARTED", "RUN_ERROR"]);
      expect(seen.at(-1)).toMatchObject({ code });
    }
  });
});

describe("before anything was received", () => {
  test("a request whose answer was lost is sent again, some times", async () => {
    const lost = (): never => { throw new TypeError("fetch failed"); };
    const run = new MiniRun(answer("a"));
    run.instead.push(lost, lost);
    const agent = stock(run);
    await agent.runAgent({ runId: "r" });
    expect(run.asked.map(({ method }) => method)).toEqual(["POST", "POST", "POST"]);
    expect(new Set(run.asked.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    vi.spyOn(console, "error").mockReturnValue();
    run.instead.push(lost, lost);
    await expect(stock(run, { firstAttempts: 2 }).runAgent()).rejects.toThrow("fetch failed");
  });

  test("what is refused passes as it is", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    const run = new MiniRun(answer("a"));
    run.instead.push(() => new Response("no", { status: 403 }));
    await expect(stock(run).runAgent()).rejects.toMatchObject({ status: 403 });
    run.instead.push(() => new Response("later", { status: 503 }));
    await expect(stock(run).runAgent()).rejects.toMatchObject({ status: 503 });
    expect(run.asked).toHaveLength(2);
  });

  test("cut before the first frame, it is asked for from the beginning", async () => {
    const run = new MiniRun(answer("a"));
    run.cuts.push(0);
    const agent = stock(run);
    await agent.runAgent({ runId: "r" });
    expect(run.asked.map(({ method, lastId }) => [method, lastId])).toEqual([["POST", null], ["GET", null]]);
    expect(textOf(agent.messages)).toBe("a");
  });
});

describe("AntiphonAgent", () => {
  test("connectAgent attaches to a run, over cuts", async () => {
    const run = new MiniRun(answer("a", "b"));
    run.cuts.push(200, 50);
    const agent = ours(run);
    expect(await agent.connectAgent({ runId: "r" })).toMatchObject({ result: 42 });
    expect([textOf(agent.messages), agent.runId]).toEqual(["ab", "r"]);
    expect(run.asked).toMatchObject([
      { method: "GET", url: `${url}/runs/r`, lastId: null, body: null },
      { method: "GET", url: `${url}/runs/r`, lastId: "2" },
      { method: "GET", url: `${url}/runs/r` },
    ]);
  });

  test("without a run it is the newest of the thread; no run is no trouble", async () => {
    const run = new MiniRun(answer("a"));
    run.instead.push(() => new Response(null, { status: 204 }), () => new Response("wait", { status: 503 }));
    const agent = new AntiphonAgent({ url: `${url}/?onDisconnect=continue`, threadId: "t/1", fetch: run.fetch, resume: quick });
    expect(await agent.connectAgent()).toEqual({ result: undefined, newMessages: [] });
    expect(agent.runId).toBeUndefined();
    await agent.connectAgent();
    expect(agent.runId).toBe("r");
    expect(run.asked.at(-1)).toMatchObject({ url: `${url}/threads/t%2F1?onDisconnect=continue` });
    expect(agent.messages).toHaveLength(2);
  });

  test("stop cancels, and says so where it is refused", async () => {
    const run = new MiniRun(answer("a"));
    const agent = ours(run);
    await expect(agent.stop()).rejects.toMatchObject({ code: "usage" });
    await agent.runAgent({ runId: "r" });
    run.instead.push(() => new Response("{}", { status: 202 }), () => new Response(JSON.stringify({ code: "not_found", message: "gone" }), { status: 404 }));
    await agent.stop("enough");
    expect(run.asked.at(-1)).toEqual({ method: "POST", url: `${url}/runs/r/stop`, lastId: null, body: { reason: "enough" } });
    await expect(agent.stop()).rejects.toMatchObject({ code: "not_found" });
  });

  test("abortRun ends the reading, also while it waits for the network, and is no success", async () => {
    for (const attach of [false, true]) {
      const run = new MiniRun(answer("a"));
      run.cuts.push(120);
      const agent = ours(run, { backoff: { baseMs: 1e9, capMs: 1e9 }, onReconnecting: () => { agent.abortRun(); } });
      const { seen, subscriber } = listening();
      await (attach ? agent.connectAgent({ runId: "r" }, subscriber) : agent.runAgent({ runId: "r" }, subscriber));
      expect(seen.at(-1)).toMatchObject({ type: "RUN_ERROR", code: "abort" });
      expect(run.asked).toHaveLength(1);
    }
  });

  test("detachActiveRun leaves the run that was attached to", async () => {
    const run = new MiniRun(answer("a"));
    const begun = frame(run.events[0] ?? {}, "1");
    const signals: (AbortSignal | null | undefined)[] = [];
    run.instead.push((signal) => (signals.push(signal), stream(begun, "wait")));
    const agent = ours(run);
    await new Promise<void>((resolve) => {
      void agent.connectAgent({ runId: "r" }, { onRunStartedEvent: () => { resolve(); } });
    });
    await agent.detachActiveRun();
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
    expect(agent.isRunning).toBe(false);
  });

  test("a clone follows runs of its own", async () => {
    const run = new MiniRun(answer("a"));
    const agent = ours(run);
    await agent.runAgent({ runId: "r" });
    const other = agent.clone();
    expect([other.runId, other instanceof AntiphonAgent]).toEqual(["r", true]);
    agent.runId = "mine";
    await other.connectAgent();
    expect([agent.runId, other.runId]).toEqual(["mine", "r"]);
  });
});
