/** Agents on the real server: our own requests and stores, and the stock AG-UI client; skipped where there is none. */

import { EventType, HttpAgent } from "@ag-ui/client";
import type { BaseEvent, Message, RunFinishedEvent } from "@ag-ui/client";
import { beforeAll, describe, expect, test } from "vitest";
import { AntiphonAgent } from "../agui/index.js";
import { newThreadId, ThreadStore } from "../src/index.js";
import type { AntiphonError, Live, RunStore, RunView, WatchedThread } from "../src/index.js";
import { missing, open, RealServer } from "./support/realServer.js";
import { until } from "./support/wait.js";

const settings = `
[agent.assistant]
[agent.careful]
needs_approval = ["calculator"]
[agent.slow]
import = "scripted_agents:slow"
if_busy = "reject"
[agent.dropped]
import = "scripted_agents:slow"
on_disconnect = "cancel"
`;

let live = "";
let base = "";

function user(content: string): Message {
  return { id: crypto.randomUUID(), role: "user", content };
}

async function seen(store: RunStore, fulfils: (view: RunView) => boolean): Promise<RunView> {
  return (await until(store, ({ view }) => fulfils(view))).view;
}

function textOf(view: RunView, role = "assistant"): string {
  return view.items.map((item) => (item.kind === "message" && item.role === role ? item.text : "")).join("");
}

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => "done", (error: unknown) => (error as AntiphonError).code);
}

async function openGate(client: Live, gate: string): Promise<void> {
  await client.runs.start({ name: "open_gate", input: { gate } });
}

/** Listens to a stock agent; `speaks` resolves with its first words. */
function listen(agent: HttpAgent): { seen: BaseEvent[]; speaks: Promise<void>; outcome: () => RunFinishedEvent["outcome"] } {
  const events: BaseEvent[] = [];
  const speaks = new Promise<void>((resolve) => {
    agent.subscribe({
      onEvent: ({ event }) => {
        events.push(event);
        if (event.type === EventType.TEXT_MESSAGE_CONTENT) resolve();
      },
    });
  });
  const outcome = (): RunFinishedEvent["outcome"] => (events.findLast(({ type }) => type === EventType.RUN_FINISHED) as RunFinishedEvent | undefined)?.outcome;
  return { seen: events, speaks, outcome };
}

describe.skipIf(missing)("agents on the real server", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    live = await new RealServer({ lasts: true }).offerScripted(settings).start();
    base = live.replace(/live$/, "agui");
  }, 60_000);

  test("a conversation: asked, listed, watched, renamed, forked, deleted", async () => {
    const client = open(live);
    const agents = await client.agents.list();
    expect(agents.map(({ name }) => name).sort()).toEqual(["assistant", "careful", "dropped", "slow"]);
    expect(agents.find(({ name }) => name === "assistant")).toMatchObject({ is_offline: true, if_busy: "queue", on_disconnect: "continue" });
    const threadId = newThreadId();
    const thread = new ThreadStore(client, threadId);
    const leave = thread.subscribe(() => undefined);
    const shows = (fulfils: (watched: WatchedThread) => boolean): Promise<WatchedThread> => until(thread, fulfils);
    expect(await shows(({ known }) => known)).toMatchObject({ thread: undefined, runs: [], error: null });

    const first = await client.agents.ask("assistant", "What is 6*7?", { threadId });
    const view = await seen(first, ({ status }) => status === "succeeded");
    expect(view.items.find(({ kind }) => kind === "tool")).toMatchObject({ name: "calculator", status: "succeeded", result: 42 });
    expect(textOf(view, "user")).toBe("What is 6*7?");
    expect(textOf(view)).toContain("42");
    const second = await client.agents.ask("assistant", { prompt: "What is 6*8?" }, { threadId });
    await seen(second, ({ status }) => status === "succeeded");
    const both = await shows(({ runs }) => runs.length === 2 && runs.every(({ status }) => status === "succeeded"));
    expect(both.runs.map(({ run_id }) => run_id)).toEqual([first.runId, second.runId]);
    expect(both.thread).toMatchObject({ thread_id: threadId, agent: "assistant", title: "What is 6*7?", by: "local" });

    expect((await client.threads.list({ agent: "assistant" })).map(({ thread_id }) => thread_id)).toContain(threadId);
    expect((await client.threads.get(threadId)).runs.map(({ run_id }) => run_id)).toEqual([first.runId, second.runId]);
    expect(await client.threads.rename(threadId, "Sums")).toMatchObject({ title: "Sums" });
    await shows((watched) => watched.thread?.title === "Sums");
    const fork = await client.threads.fork(threadId, first.runId);
    expect(fork).toMatchObject({ forked_from: { thread_id: threadId, run_id: first.runId } });
    await client.threads.delete(threadId);
    await shows((watched) => watched.thread === undefined && watched.runs.length === 0);
    expect(await codeOf(client.threads.get(threadId))).toBe("not_found");
    const forked = await client.threads.get(fork.thread_id);
    expect(forked.runs.map(({ run_id }) => run_id)).toEqual([first.runId]); // inherited
    leave();
  });

  test("who asks a thread that is answering is told so, and can cancel the answer", async () => {
    const client = open(live);
    const threadId = newThreadId();
    const store = await client.agents.ask("slow", "busy", { threadId });
    await seen(store, (view) => textOf(view) !== "");
    expect(await codeOf(client.agents.ask("slow", "again", { threadId }))).toBe("thread_busy");
    await client.runs.cancel(store.runId);
    expect(textOf(await seen(store, ({ status }) => status === "cancelled"))).toBe("Let me ");
    expect(await codeOf(client.agents.ask("nobody", "?"))).toBe("not_found");
    expect(await codeOf(client.agents.ask("slow", { model: "large" }))).toBe("invalid_params");
  });

  test("tools are listed and called by themselves", async () => {
    const client = open(live);
    expect((await client.tools.list()).map(({ name }) => name)).toEqual(expect.arrayContaining(["calculator", "clock"]));
    expect(await client.tools.call("calculator", { expression: "6*7" })).toBe(42);
    expect(await codeOf(client.tools.call("calculator", { expression: "1/0" }))).toBe("tool_failed");
    expect(await codeOf(client.tools.call("calculator", { sum: "1" }))).toBe("invalid_params");
  });

  test("the stock AG-UI client has a conversation with tools", async () => {
    const agent = new HttpAgent({ url: `${base}/assistant` });
    const { outcome } = listen(agent);
    for (const [question, found] of [["What is 6*7?", "42"], ["What is 6*8?", "48"]] as const) {
      agent.addMessage(user(question));
      const { newMessages } = await agent.runAgent();
      expect(outcome()?.type ?? "success").toBe("success");
      expect(newMessages.map(({ role }) => role)).toEqual(["assistant", "tool", "assistant"]);
      expect(newMessages[0]).toMatchObject({ toolCalls: [{ function: { name: "calculator" } }] });
      expect(newMessages[1]).toMatchObject({ content: found });
      expect(newMessages[2]?.content).toContain(found);
    }
    expect(agent.messages).toHaveLength(8);
  });

  test("a call that must be approved is an interrupt, answered through resume[]", async () => {
    for (const approved of [true, false]) {
      const agent = new HttpAgent({ url: `${base}/careful`, initialMessages: [user("What is 6*7?")] });
      const { outcome } = listen(agent);
      await agent.runAgent();
      expect(outcome()?.type).toBe("interrupt");
      expect(agent.pendingInterrupts).toMatchObject([{ reason: "tool_call", message: "Call calculator?" }]);
      const resume = agent.pendingInterrupts.map(({ id }) => ({ interruptId: id, status: "resolved" as const, payload: { approved } }));
      await agent.runAgent({ resume });
      expect(outcome()?.type ?? "success").toBe("success");
      const results = agent.messages.flatMap((message) => (message.role === "tool" ? [message.content] : []));
      expect(results.includes("42")).toBe(approved);
      expect(agent.messages.filter(({ role }) => role === "user")).toHaveLength(1);
    }
  });

  test("an agent that is set to it is cancelled by a dropped request, and that never reads as success", async () => {
    const client = open(live);
    const agent = new HttpAgent({ url: `${base}/dropped`, initialMessages: [user("never")] });
    const { seen: events, speaks } = listen(agent);
    const running = agent.runAgent({ runId: "dropped-1" });
    await speaks;
    agent.abortRun();
    const { result } = (await running) as { result: unknown };
    expect(result).toBeUndefined();
    expect(events.some(({ type }) => type === EventType.RUN_FINISHED)).toBe(false);
    expect(await client.runs.result("dropped-1", 10)).toMatchObject({ status: "cancelled" });
  });

  test("a page that knows only its thread connects to the answer that is under way", async () => {
    const client = open(live);
    const before = new HttpAgent({ url: `${base}/slow`, threadId: "page", initialMessages: [user("page")] });
    const { speaks } = listen(before);
    const running = before.runAgent();
    await speaks;
    before.abortRun();
    await running;
    const agent = new AntiphonAgent({ url: `${base}/slow`, threadId: "page" });
    const following = listen(agent);
    const joined = new Promise<void>((resolve) => agent.subscribe({ onTextMessageStartEvent: () => { resolve(); } }));
    const connected = agent.connectAgent();
    await joined;
    expect(agent.messages.map(({ role, content }) => [role, content])).toEqual([["user", "page"], ["assistant", "Let me "]]);
    await openGate(client, "page");
    await connected;
    expect(following.outcome()?.type ?? "success").toBe("success");
    expect(agent.messages.map(({ role, content }) => [role, content])).toEqual([["user", "page"], ["assistant", "Let me think."]]);
  });
});
