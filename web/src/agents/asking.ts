/** What is being written, and what is on its way: kept while the page is open, whichever thread is looked at. */

import { type Live, newRunId, newThreadId } from "@antiphon/client";
import { create } from "zustand";

/** A question between the key and the thread. */
export interface Sent {
  readonly runId: string;
  readonly agent: string;
  readonly prompt: string;
  readonly model: string | null; // null = the agent's own
  readonly phase: "sending" | "accepted" | "refused";
  readonly problem: string | null; // why it was refused
}

interface Asking {
  readonly drafts: Readonly<Record<string, string>>; // by thread; a new one has its agent's place
  readonly sent: Readonly<Record<string, readonly Sent[]>>; // by thread
  readonly models: Readonly<Record<string, string>>; // what somebody picked, by agent
}

const useAsking = create<Asking>(() => ({ drafts: {}, sent: {}, models: {} }));
const NONE: readonly Sent[] = [];

/** For those who do not draw. */
export const askingState = useAsking.getState;

/** Where the draft of a thread is kept; null = of a new one. */
export const placeOf = (thread: string | null, agent: string): string => thread ?? `new ${agent}`;

export const useDraft = (place: string): string => useAsking((asking) => asking.drafts[place] ?? "");
export const useSent = (thread: string): readonly Sent[] => useAsking((asking) => asking.sent[thread] ?? NONE);
export const usePickedModel = (agent: string): string | null => useAsking((asking) => asking.models[agent] ?? null);

export function setDraft(place: string, text: string): void {
  useAsking.setState(({ drafts }) => ({ drafts: { ...drafts, [place]: text } }));
}

export function pickModel(agent: string, model: string): void {
  useAsking.setState(({ models }) => ({ models: { ...models, [agent]: model } }));
}

const change = (thread: string, how: (sent: readonly Sent[]) => readonly Sent[]): void =>
  useAsking.setState(({ sent }) => ({ sent: { ...sent, [thread]: how(sent[thread] ?? NONE) } }));

/** Those of which the thread does not tell yet. */
export function underWay(sent: readonly Sent[], known: readonly { readonly run_id: string }[]): readonly Sent[] {
  return sent.filter(({ runId }) => known.every(({ run_id }) => run_id !== runId));
}

export interface Question {
  readonly agent: string;
  readonly thread: string | null; // null = a new one
  readonly prompt: string;
  readonly model: string | null;
}

/** Sends a question; the thread's id at once. What the server says against it stands in the thread. */
export function ask(live: Live, { agent, thread, prompt, model }: Question): string {
  const threadId = thread ?? newThreadId();
  const question: Sent = { runId: newRunId(Date.now()), agent, prompt, model, phase: "sending", problem: null };
  setDraft(placeOf(thread, agent), "");
  change(threadId, (sent) => [...sent.filter(({ phase }) => phase !== "accepted"), question]);
  void send(live, threadId, question);
  return threadId;
}

/** The same question again, under the same id: if it arrived after all, it is asked once. */
export function askAgain(live: Live, threadId: string, question: Sent): void {
  const again: Sent = { ...question, phase: "sending", problem: null };
  change(threadId, (sent) => sent.map((one) => (one.runId === again.runId ? again : one)));
  void send(live, threadId, again);
}

async function send(live: Live, threadId: string, question: Sent): Promise<void> {
  const { agent, prompt, model, runId } = question;
  const end = (part: Partial<Sent>): void =>
    change(threadId, (sent) => sent.map((one) => (one.runId === runId ? { ...one, ...part } : one)));
  try {
    const input = model === null ? { prompt } : { prompt, model };
    await live.agents.ask(agent, input, { threadId, runId, timeoutMs: null });
    end({ phase: "accepted" });
  } catch (error) {
    end({ phase: "refused", problem: error instanceof Error ? error.message : String(error) });
  }
}

/** Takes a refused question back into the field, before what has been written there since. */
export function takeBack(threadId: string, question: Sent): void {
  const draft = useAsking.getState().drafts[threadId] ?? "";
  setDraft(threadId, draft === "" ? question.prompt : `${question.prompt}\n${draft}`);
  change(threadId, (sent) => sent.filter(({ runId }) => runId !== question.runId));
}

/** The thread is gone. */
export function forget(threadId: string): void {
  setDraft(threadId, "");
  change(threadId, () => NONE);
}
