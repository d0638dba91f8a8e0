import { AntiphonError, type Live, type RunRow, type TimelineItem } from "@antiphon/client";
import { describe, expect, test } from "vitest";

import { ask, askAgain, forget, placeOf, setDraft, takeBack, underWay, askingState } from "../src/agents/asking";
import {
  activeRun,
  answerWords,
  busyWords,
  examplesFor,
  isQuiet,
  promptOf,
  saidText,
  threadFacts,
  threadTime,
} from "../src/agents/words";

const row = (run_id: string, status: RunRow["status"]): RunRow => ({ run_id, status, questions: 0 }) as RunRow;
const entry = { at: null, offset: 1 } as const;
const message = (role: string, text: string, status: "open" | "completed" = "completed"): TimelineItem => ({
  ...entry,
  kind: "message",
  key: text,
  id: text,
  role,
  text,
  status,
});

describe("how an answer stands", () => {
  test.each([
    [{ status: "running", questions: 0 }, "Answering"],
    [{ status: "running", questions: 1 }, "Waiting for you"],
    [{ status: "waiting", questions: 1 }, "Waiting for you"],
    [{ status: "cancelling", questions: 0 }, "Stopping"],
    [{ status: "queued", questions: 0 }, "Queued"],
    [{ status: "failed", questions: 0 }, "Failed"],
  ] as const)("%j", (run, words) => {
    expect(answerWords(run).text).toBe(words);
  });
  test("Stop stops what answers, then what waits first", () => {
    const runs = [row("a", "succeeded"), row("b", "queued"), row("c", "queued")];
    expect(activeRun(runs)?.run_id).toBe("b");
    expect(activeRun([...runs, row("d", "waiting")])?.run_id).toBe("d");
    expect(activeRun([row("a", "lost")])).toBeUndefined();
  });
  test("it is quiet while nothing grows", () => {
    const quiet = (...items: TimelineItem[]): boolean => isQuiet({ status: "running", items });
    expect([quiet(), quiet(message("user", "tea?"))]).toEqual([true, true]);
    expect(quiet(message("assistant", "Te", "open"))).toBe(false);
    expect(isQuiet({ status: "cancelling", items: [] })).toBe(false);
  });
});

describe("words", () => {
  test("of a thread", () => {
    expect(threadFacts({ runs: 2, usage: { input_tokens: 900, output_tokens: 40, cost_usd: 0.2 } })).toBe(
      "2 questions · 940 tokens · $0.20",
    );
    expect(threadFacts({ runs: 1, usage: { input_tokens: 0, output_tokens: 0 } })).toBe("1 question");
    const now = Date.parse("2026-11-21T12:00:00Z");
    expect(threadTime({ updated_at: "2026-11-20T00:00:00Z", queued: ["a"] }, now)).toMatch(/^1 queued · 2026-11-/);
  });
  test("of an input", () => {
    expect([promptOf("tea?"), promptOf({ prompt: "tea?" })]).toEqual(["tea?", "tea?"]);
    expect([promptOf({ messages: [] }), promptOf(null), promptOf({ prompt: 3 })]).toEqual([null, null, null]);
  });
  test("of what a busy agent does with the next question", () => {
    expect([busyWords("queue")?.send, busyWords("interrupt")?.send, busyWords("reject")]).toEqual([
      "Queue",
      "Interrupt",
      null,
    ]);
  });
  test("only an agent without a model shows what its tools can do", () => {
    const tools = ["clock", "mine"].map((name) => ({
      name,
      description: "",
      parameters: {},
      needs_approval: false,
      source: "",
    }));
    expect(examplesFor({ is_offline: true, tools })).toEqual(["What time is it in Tokyo?"]);
    expect(examplesFor({ is_offline: false, tools })).toEqual([]);
  });
  test("that can be copied are the agent's", () => {
    const items = [
      message("user", "tea?"),
      message("reasoning", "hm"),
      message("assistant", "**Yes**"),
      message("assistant", "so"),
    ];
    expect(saidText(items)).toBe("**Yes**\n\nso");
  });
});

describe("asking", () => {
  /** A client whose answers are given here; what was asked of it. */
  function fakeLive(answers: (AntiphonError | null)[]): { live: Live; asked: unknown[] } {
    const asked: unknown[] = [];
    const answer = (...given: unknown[]): Promise<void> => {
      asked.push(given);
      const error = answers.shift() ?? null;
      return error === null ? Promise.resolve() : Promise.reject(error);
    };
    return { live: { agents: { ask: answer } } as unknown as Live, asked };
  }
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const sentIn = (thread: string) => askingState().sent[thread] ?? [];

  test("the draft goes, the question stands in the thread until the thread tells of it", async () => {
    const { live, asked } = fakeLive([]);
    setDraft(placeOf(null, "assistant"), "tea?");
    const thread = ask(live, { agent: "assistant", thread: null, prompt: "tea?", model: "small" });
    expect(askingState().drafts[placeOf(null, "assistant")]).toBe("");
    expect(sentIn(thread)).toMatchObject([{ prompt: "tea?", phase: "sending" }]);
    await settled();
    const [sent] = sentIn(thread);
    expect(sent).toMatchObject({ phase: "accepted" });
    expect(asked).toEqual([
      ["assistant", { prompt: "tea?", model: "small" }, { threadId: thread, runId: sent?.runId, timeoutMs: null }],
    ]);
    expect(underWay(sentIn(thread), [])).toHaveLength(1);
    expect(underWay(sentIn(thread), [{ run_id: sent?.runId ?? "" }])).toEqual([]);
  });

  test("what was refused can be sent again as the same question, or be written anew", async () => {
    const { live, asked } = fakeLive([
      new AntiphonError("thread_busy", "it answers"),
      new AntiphonError("internal", "no"),
    ]);
    ask(live, { agent: "assistant", thread: "t", prompt: "tea?", model: null });
    await settled();
    const [refused] = sentIn("t");
    expect(refused).toMatchObject({ phase: "refused", problem: "it answers" });
    if (refused === undefined) return;
    askAgain(live, "t", refused);
    await settled();
    expect(sentIn("t")).toMatchObject([{ runId: refused.runId, phase: "refused", problem: "no" }]);
    expect(asked[0]).toEqual(asked[1]);
    setDraft("t", "and coffee?");
    takeBack("t", refused);
    expect([askingState().drafts["t"], sentIn("t")]).toEqual(["tea?\nand coffee?", []]);
    forget("t");
    expect(askingState().drafts["t"]).toBe("");
  });
});
