/** AG-UI against the real server: the stock client unmodified, and ours; skipped where there is no server. */

import { EventType, HttpAgent } from "@ag-ui/client";
import type { AgentSubscriber, BaseEvent, Message, RunFinishedEvent } from "@ag-ui/client";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { AntiphonAgent, resumingFetch } from "../agui/index.js";
import type { Live } from "../src/index.js";
import { isEnded } from "../src/index.js";
import { cuttingProxy, dice } from "./support/cuttingProxy.js";
import { missing, open, RealServer } from "./support/realServer.js";
import { until } from "./support/wait.js";

let live = "";
let base = "";

const quick = { backoff: { baseMs: 1, capMs: 20 } };

function told(pieces: number): string {
  return Array.from({ length: pieces }, (_, place) => `${String(place)}·é🫖\n`).join("");
}

/** What somebody says to a run that does what it is told. */
function tell(what: object | string): Message[] {
  return [{ id: crypto.randomUUID(), role: "user", content: typeof what === "string" ? what : JSON.stringify(what) }];
}

interface Heard {
  readonly seen: BaseEvent[];
  readonly subscriber: AgentSubscriber;
  /** Resolves when such an event was told. */
  readonly heard: (type: string) => Promise<BaseEvent>;
  readonly outcome: () => RunFinishedEvent["outcome"];
}

function listen(): Heard {
  const seen: BaseEvent[] = [];
  const waiting: (() => void)[] = [];
  const find = (type: string): BaseEvent | undefined => seen.find((event) => (event.type as string) === type);
  return {
    seen,
    subscriber: {
      onEvent: ({ event }) => {
        seen.push(event);
        for (const wake of waiting.splice(0)) wake();
      },
    },
    heard: async (type) => {
      for (;;) {
        const event = find(type);
        if (event !== undefined) return event;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    outcome: () => (seen.findLast((event) => event.type === EventType.RUN_FINISHED) as RunFinishedEvent | undefined)?.outcome,
  };
}

function assistant(messages: readonly Message[]): string {
  return messages.flatMap(({ role, content }) => (role === "assistant" && typeof content === "string" ? [content] : [])).join("");
}

async function openGate(client: Live, gate: string): Promise<void> {
  await client.runs.start({ name: "open_gate", input: { gate } });
}

/** Resolves with the outcome of our run. */
async function ended(client: Live, runId: string): Promise<string> {
  const runs = client.channelState<Record<string, { status: "running" }>>("runs");
  await until(runs, (table) => isEnded(table?.value[runId]?.status ?? null));
  return runs.get()?.value[runId]?.status ?? "";
}

describe.skipIf(missing)("AG-UI on the real server", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    live = await new RealServer({ lasts: true }).offerScripted().start();
    base = live.replace(/live$/, "agui");
  }, 60_000);

  beforeEach(() => {
    vi.spyOn(console, "error").mockReturnValue(); // the stock client tells there what it also throws
  });

  describe("the stock client", () => {
    test("reads a run whole: text, tool, result", async () => {
      const agent = new HttpAgent({ url: `${base}/story`, initialMessages: tell({ pieces: 50 }) });
      const { subscriber, outcome } = listen();
      const { newMessages, ...done } = await agent.runAgent({}, subscriber);
      expect(outcome()?.type ?? "success").toBe("success");
      expect(done).toEqual({ result: "told" });
      expect(assistant(newMessages)).toBe(told(50));
      expect(newMessages).toMatchObject([{ role: "assistant" }, { role: "assistant", toolCalls: [{ function: { name: "clock", arguments: '{"zone":"UTC"}' } }] }, { role: "tool", content: "noon" }]);
    });

    test("answers what a run asks through resume[], and reads the rest of the same run", async () => {
      const agent = new HttpAgent({ url: `${base}/asks`, initialMessages: tell("Which tea?") });
      const asked = listen();
      await agent.runAgent({ runId: "asks-1" }, asked.subscriber);
      expect(asked.outcome()?.type).toBe("interrupt");
      expect(agent.pendingInterrupts).toMatchObject([{ message: "Which tea?", responseSchema: { enum: ["green", "black"] } }]);
      const answer = (payload: unknown): { interruptId: string; status: "resolved"; payload: unknown }[] =>
        agent.pendingInterrupts.map(({ id }) => ({ interruptId: id, status: "resolved", payload }));
      await agent.runAgent({ resume: answer("black") });
      expect(agent.pendingInterrupts).toMatchObject([{ message: "Order it?" }]);
      const last = listen();
      const done = await agent.runAgent({ resume: answer({ approved: true, editedArgs: { tea: "black", cups: 2 } }) }, last.subscriber);
      expect(last.outcome()?.type ?? "success").toBe("success");
      expect(done).toMatchObject({ result: "black" });
      expect(JSON.parse(assistant(agent.messages))).toEqual(["black", "edit", { tea: "black", cups: 2 }]);
      expect((await open(live).runs.get("asks-1")).run).toMatchObject({ status: "succeeded", name: "asks" });
    });

    test("an answer that does not fit is refused, and the question stays open", async () => {
      const agent = new HttpAgent({ url: `${base}/asks`, initialMessages: tell("Which tea?") });
      await agent.runAgent();
      const [asked] = agent.pendingInterrupts;
      const refused = agent.runAgent({ resume: [{ interruptId: asked?.id ?? "", status: "resolved", payload: "red" }] });
      await expect(refused).rejects.toMatchObject({ status: 422, payload: { code: "invalid_params", pointer: "/resume/0/payload" } });
      expect(await open(live).questions.get(asked?.id ?? "")).toMatchObject({ status: "open" });
    });

    test("a dropped request cancels where that was asked for, and never reads as success", async () => {
      const client = open(live);
      const agent = new HttpAgent({ url: `${base}/story?onDisconnect=cancel`, initialMessages: tell({ pieces: 40, gate: "never" }) });
      const { subscriber, heard, seen } = listen();
      const running = agent.runAgent({ runId: "dropped-1" }, subscriber);
      await heard("TEXT_MESSAGE_CONTENT");
      agent.abortRun();
      await running;
      expect(await ended(client, "dropped-1")).toBe("cancelled");
      expect(seen.map(({ type }) => type)).not.toContain("RUN_FINISHED");
    });

    test("who follows a run that is cancelled is told so", async () => {
      const client = open(live);
      const agent = new HttpAgent({ url: `${base}/story`, initialMessages: tell({ pieces: 40, gate: "never" }) });
      const { subscriber, heard, outcome } = listen();
      const running = agent.runAgent({ runId: "cancelled-1" }, subscriber);
      await heard("TEXT_MESSAGE_CONTENT");
      await client.runs.cancel("cancelled-1", "enough");
      expect((await running).result).toBeUndefined();
      expect(outcome()).toEqual({ type: "cancelled" });
    });
  });

  describe("our client", () => {
    test("goes on in the middle of a message, wherever the network breaks: the text is the same, byte for byte", async () => {
      const client = open(live);
      for (const seed of [1, 2, 3]) {
        const throws = dice(seed);
        const { url, cuts } = await cuttingProxy(base, () => 300 + throws(4000));
        const gate = `cut-${String(seed)}`;
        const agent = new AntiphonAgent({ url: `${url}/story`, initialMessages: tell({ pieces: 1500, gate }), resume: quick });
        const { subscriber, heard, seen } = listen();
        const running = agent.runAgent({ runId: `cut-${String(seed)}` }, subscriber);
        await heard("TEXT_MESSAGE_CONTENT");
        await openGate(client, gate);
        expect((await running).result).toBe("told");
        expect(assistant(agent.messages)).toBe(told(1500));
        expect(cuts()).toBeGreaterThan(5);
        const whole = listen();
        const other = new HttpAgent({ url: `${base}/story`, threadId: agent.threadId });
        other.setMessages(agent.messages.slice(0, 1));
        await other.runAgent({ runId: `cut-${String(seed)}` }, whole.subscriber); // the same id is the same run, told from its beginning
        expect(seen).toEqual(whole.seen);
      }
    });

    test("connects to a run under way, in the middle of a message, over cuts; leaving it does nothing to it", async () => {
      const client = open(live);
      const asking = new HttpAgent({ url: `${base}/story`, threadId: "tea", initialMessages: tell({ pieces: 400, gate: "join" }) });
      const first = listen();
      const whole = asking.runAgent({ runId: "join-1" }, first.subscriber);
      await first.heard("TEXT_MESSAGE_CONTENT");

      const leaving = new AntiphonAgent({ url: `${base}/story`, threadId: "tea" });
      const left = listen();
      const looking = leaving.connectAgent({}, left.subscriber);
      await left.heard("TEXT_MESSAGE_START");
      await leaving.detachActiveRun();
      await looking;
      expect(leaving.runId).toBe("join-1");

      const throws = dice(4);
      const { url, cuts } = await cuttingProxy(base, () => 400 + throws(6000));
      const agent = new AntiphonAgent({ url: `${url}/story`, resume: quick });
      const { subscriber, heard, outcome } = listen();
      const following = agent.connectAgent({ runId: "join-1" }, subscriber);
      await heard("TEXT_MESSAGE_START");
      await openGate(client, "join");
      expect((await following).result).toBe("told");
      expect(outcome()?.type ?? "success").toBe("success");
      await whole;
      expect(agent.messages).toEqual(asking.messages);
      expect(assistant(agent.messages)).toBe(told(400));
      expect(cuts()).toBeGreaterThan(1);
    });

    test("stop cancels the run for all who follow it", async () => {
      const asking = new HttpAgent({ url: `${base}/story`, initialMessages: tell({ pieces: 40, gate: "never" }) });
      const other = listen();
      const whole = asking.runAgent({ runId: "stop-1" }, other.subscriber);
      await other.heard("TEXT_MESSAGE_CONTENT");
      const agent = new AntiphonAgent({ url: `${base}/story`, resume: quick });
      const { subscriber, heard, outcome } = listen();
      const following = agent.connectAgent({ runId: "stop-1" }, subscriber);
      await heard("TEXT_MESSAGE_START");
      await agent.stop();
      await agent.stop();
      expect((await following).result).toBeUndefined();
      await whole;
      expect([outcome(), other.outcome()]).toEqual([{ type: "cancelled" }, { type: "cancelled" }]);
      await expect(new AntiphonAgent({ url: `${base}/asks` }).connectAgent({ runId: "stop-1" })).rejects.toMatchObject({ status: 404 });
    });

    test("a stock agent with our fetch reads over cuts, too; one that asks for cancelling is told that it was cancelled", async () => {
      const throws = dice(5);
      const { url, cuts } = await cuttingProxy(base, () => 500 + throws(3000));
      const agent = new HttpAgent({ url: `${url}/story`, fetch: resumingFetch(quick), initialMessages: tell({ pieces: 200 }) });
      await agent.runAgent();
      expect(assistant(agent.messages)).toBe(told(200));
      expect(cuts()).toBeGreaterThan(0);

      const once = [1500, Infinity];
      const broken = await cuttingProxy(base, () => once.shift() ?? Infinity);
      const cancelling = new AntiphonAgent({ url: `${broken.url}/story?onDisconnect=cancel`, resume: quick, initialMessages: tell({ pieces: 400, gate: "never" }) });
      const { subscriber, outcome } = listen();
      expect((await cancelling.runAgent({}, subscriber)).result).toBeUndefined();
      expect(outcome()).toEqual({ type: "cancelled" });
    });

    test("kill -9 of the server: the run of another process is read on, byte for byte; one of the server's own is lost, and says so", async () => {
      const server = new RealServer().offerScripted();
      const url = await server.start();
      const run = await open(url).openRun({ name: "tea", leaseS: 60 });
      const message = run.message();
      const say = async (from: number): Promise<void> => {
        for (const place of [0, 1, 2]) {
          await message.append(`${String(from + place)}·é🫖\n`);
          await run.flush();
        }
      };
      await say(0);
      const viewer = new AntiphonAgent({ url: url.replace(/live$/, "agui/tea"), resume: quick });
      const { subscriber, heard, outcome } = listen();
      const following = viewer.connectAgent({ runId: run.id }, subscriber);
      const local = new AntiphonAgent({ url: url.replace(/live$/, "agui/story"), resume: quick, initialMessages: tell({ pieces: 20, gate: "never" }) });
      const other = listen();
      const lost = local.runAgent({}, other.subscriber);
      await Promise.all([heard("TEXT_MESSAGE_START"), other.heard("TEXT_MESSAGE_CONTENT")]);
      await say(3);
      await server.kill();
      const speaking = say(6);
      await server.start();
      await speaking;
      await message.close();
      await run.finish("told");
      expect((await following).result).toBe("told");
      expect(outcome()?.type ?? "success").toBe("success");
      expect(assistant(viewer.messages)).toBe(told(9));
      await lost;
      expect(other.seen.at(-1)).toMatchObject({ type: "RUN_ERROR", code: "lost" });
    });

    test("a thread without a run has nothing to follow", async () => {
      const agent = new AntiphonAgent({ url: `${base}/story`, threadId: "nothing here" });
      expect(await agent.connectAgent()).toEqual({ result: undefined, newMessages: [] });
    });
  });
});
