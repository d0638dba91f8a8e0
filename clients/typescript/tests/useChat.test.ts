/** The stock `useChat` of the Vercel AI SDK against the real server; skipped where there is none. */

import "./support/dom.js";
import { useChat } from "@ai-sdk/react";
import {
  DefaultChatTransport,
  getToolName,
  isToolUIPart,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
} from "ai";
import type { DynamicToolUIPart, ToolUIPart, UIMessage } from "ai";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { beforeAll, describe, expect, test } from "vitest";
import { isEnded } from "../src/index.js";
import type { Live, RunRow, RunTable } from "../src/index.js";
import { finallyDo, missing, open, RealServer } from "./support/realServer.js";
import { until } from "./support/wait.js";

type Chat = ReturnType<typeof useChat>;
type Part = UIMessage["parts"][number];

let live = "";
let base = "";

function told(pieces: number): string {
  return Array.from({ length: pieces }, (_, place) => `${String(place)}·é🫖\n`).join("");
}

function partsOf({ messages }: Chat): Part[] {
  return messages.flatMap(({ role, parts }) => (role === "assistant" ? parts : []));
}

function textOf(chat: Chat): string {
  return partsOf(chat).map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Calls of tools, in the SDK's words. */
function callsOf(chat: Chat): (ToolUIPart | DynamicToolUIPart)[] {
  return partsOf(chat).filter((part) => isToolUIPart(part));
}

interface Opened {
  readonly name: string;
  readonly id: string;
  readonly resume?: boolean;
  readonly messages?: UIMessage[];
}

/** A page with one chat. */
class Page {
  /** How answers ended: "stop" is success, "abort" that the page dropped the request, null that the stream named no reason. */
  readonly ends: (string | null)[] = [];
  readonly close: () => void;
  readonly #waiting = new Set<() => void>();
  #chat: Chat | undefined;

  constructor({ name, id, resume = false, messages = [] }: Opened) {
    const transport = new DefaultChatTransport({ api: `${base}/${name}` });
    const Probe = (): null => {
      this.#chat = useChat({
        id,
        transport,
        resume,
        messages,
        onFinish: ({ isAbort, finishReason = null }) => this.ends.push(isAbort ? "abort" : finishReason),
        sendAutomaticallyWhen: (last) => lastAssistantMessageIsCompleteWithToolCalls(last) || lastAssistantMessageIsCompleteWithApprovalResponses(last),
      });
      for (const wake of this.#waiting) queueMicrotask(wake);
      return null;
    };
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false }); // what is drawn comes from the network
    const root = createRoot(document.createElement("div"));
    root.render(createElement(Probe));
    this.close = () => { root.unmount(); };
    finallyDo(this.close);
  }

  get chat(): Chat {
    if (this.#chat === undefined) throw new Error("nothing was drawn");
    return this.#chat;
  }

  /** Resolves once what is drawn fulfils the condition. */
  shows(fulfils: (chat: Chat) => boolean = () => true): Promise<Chat> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.#chat === undefined || !fulfils(this.#chat)) return;
        this.#waiting.delete(check);
        resolve(this.#chat);
      };
      this.#waiting.add(check);
      check();
    });
  }

  async ask(text: string): Promise<Chat> {
    const { sendMessage } = await this.shows();
    void sendMessage({ text });
    return this.shows(({ status }) => status === "submitted" || status === "streaming");
  }

  /** The answer has ended, and the next has not begun. */
  rest(): Promise<Chat> {
    return this.shows(({ status }) => status === "ready" || status === "error");
  }
}

/** The newest run of a chat, once it is as wanted. */
async function run(client: Live, id: string, wanted: (row: RunRow) => boolean = ({ status }) => isEnded(status)): Promise<RunRow> {
  const runs = client.channelState<RunTable>("runs");
  const find = (): RunRow | undefined => Object.values(runs.get()?.value ?? {}).find((row) => row.thread_id === id && wanted(row));
  await until(runs, () => find() !== undefined);
  const row = find();
  if (row === undefined) throw new Error("it was there");
  return row;
}

describe.skipIf(missing)("useChat on the real server", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    live = await new RealServer({ lasts: true }).offerScripted().start();
    base = live.replace(/live$/, "vercel");
  }, 60_000);

  test("streams an answer with a tool", async () => {
    const page = new Page({ name: "story", id: "stream" });
    await page.ask(JSON.stringify({ pieces: 100 }));
    await page.shows((chat) => textOf(chat) !== "");
    const chat = await page.rest();
    expect(textOf(chat)).toBe(told(100));
    expect(callsOf(chat).map(getToolName)).toEqual(["clock"]);
    expect(callsOf(chat)).toMatchObject([{ state: "output-available", input: { zone: "UTC" }, output: "noon" }]);
    expect(page.ends).toEqual(["stop"]);
    expect(chat.error).toBeUndefined();
  });

  test("a page that is reloaded in the middle of an answer goes on with it", async () => {
    const client = open(live);
    const before = new Page({ name: "story", id: "reload" });
    await before.ask(JSON.stringify({ pieces: 200, gate: "reload" }));
    const half = await before.shows((chat) => textOf(chat) !== "");
    const mine = half.messages.filter(({ role }) => role === "user");
    void half.stop(); // a page that goes drops its request
    before.close();

    const page = new Page({ name: "story", id: "reload", resume: true, messages: mine });
    await page.shows((chat) => textOf(chat) !== "");
    await client.runs.start({ name: "open_gate", input: { gate: "reload" } });
    const chat = await page.shows((shown) => shown.status === "ready" && callsOf(shown).length > 0);
    expect(textOf(chat)).toBe(told(200));
    expect(chat.messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect((await run(client, "reload")).status).toBe("succeeded");
  });

  test("with nothing under way there is nothing to go on with", async () => {
    const page = new Page({ name: "story", id: "nothing", resume: true });
    expect((await page.rest()).messages).toEqual([]);
  });

  test("stop drops the request: it cancels where that was asked for, and leaves the run alone elsewhere", async () => {
    const client = open(live);
    const cancelling = new Page({ name: "story?onDisconnect=cancel", id: "stop" });
    await cancelling.ask(JSON.stringify({ pieces: 20, gate: "never" }));
    await (await cancelling.shows((chat) => textOf(chat) !== "")).stop();
    await cancelling.rest();
    expect(cancelling.ends).toEqual(["abort"]);
    expect((await run(client, "stop")).status).toBe("cancelled");

    const leaving = new Page({ name: "story", id: "leave" });
    await leaving.ask(JSON.stringify({ pieces: 20, gate: "leave" }));
    await (await leaving.shows((chat) => textOf(chat) !== "")).stop();
    await leaving.rest();
    await client.runs.start({ name: "open_gate", input: { gate: "leave" } });
    expect((await run(client, "leave")).status).toBe("succeeded");
  });

  test("a run that is stopped for all ends the answer everywhere, and not as a success", async () => {
    const client = open(live);
    const page = new Page({ name: "story", id: "everywhere" });
    await page.ask(JSON.stringify({ pieces: 20, gate: "never" }));
    const { messages } = await page.shows((chat) => textOf(chat) !== "");
    const other = new Page({ name: "story", id: "everywhere", resume: true, messages: messages.slice(0, 1) });
    await other.shows((chat) => textOf(chat) !== "");
    expect((await fetch(`${base}/story/everywhere/stop`, { method: "POST" })).status).toBe(200);
    await Promise.all([page.rest(), other.rest()]);
    expect([page.ends, other.ends]).toEqual([[null], [null]]); // `useChat` has no word for it
    expect((await run(client, "everywhere")).status).toBe("cancelled");
  });

  test("what a run asks is answered in the page, and the answer goes on in the same message", async () => {
    const client = open(live);
    const page = new Page({ name: "asks", id: "asks" });
    await page.ask("Which tea?");
    const asked = await page.shows((chat) => callsOf(chat).some(({ state }) => state === "input-available") && chat.status === "ready");
    const [question] = callsOf(asked);
    void asked.addToolOutput({ tool: question === undefined ? "" : getToolName(question), toolCallId: question?.toolCallId ?? "", output: "green" });
    const approving = await page.shows((chat) => callsOf(chat).some(({ state }) => state === "approval-requested") && chat.status === "ready");
    const approval = callsOf(approving).find(({ state }) => state === "approval-requested")?.approval;
    void approving.addToolApprovalResponse({ id: approval?.id ?? "", approved: true });
    const done = await page.shows((chat) => textOf(chat) !== "" && chat.status === "ready");
    expect(JSON.parse(textOf(done))).toEqual(["green", "approve", { tea: "green", cups: 1 }]);
    expect(done.messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect((await run(client, "asks")).status).toBe("succeeded");
  });
});
