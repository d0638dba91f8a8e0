/** What is said about agents and their threads. */

import { type AgentRow, isEnded, type RunRow, type RunView, type ThreadRow } from "@antiphon/client";

import { count, dateTime, plural } from "../lib/format";
import { statusWords, type StatusWords, totalTokens, usageWords } from "../runs/words";

export const agentTitle = (agent: Pick<AgentRow, "name" | "title">): string => agent.title ?? agent.name;

/** How an answer stands, in the words of a conversation. */
export function answerWords({ status, questions }: Pick<RunRow, "status" | "questions">): StatusWords {
  if (status === "waiting" || (status === "running" && questions > 0))
    return { tone: "wait", busy: false, text: "Waiting for you" };
  if (status === "running") return { tone: "run", busy: true, text: "Answering" };
  if (status === "cancelling") return { tone: "stop", busy: true, text: "Stopping" };
  return statusWords(status);
}

/** The run that Stop stops: the one that answers, else the first that waits its turn. */
export function activeRun(runs: readonly RunRow[]): RunRow | undefined {
  const open = runs.filter((run) => !isEnded(run.status));
  return open.find((run) => run.status !== "queued") ?? open[0];
}

/** `3 questions · 18.2 k tokens · $0.14`. */
export function threadFacts({ runs, usage }: Pick<ThreadRow, "runs" | "usage">): string {
  const spent = totalTokens(usage) === 0 ? "" : usageWords(usage);
  return [runs === 0 ? "" : plural(runs, "question"), spent].filter((part) => part !== "").join(" · ");
}

/** What waits, and when it was used last. */
export function threadTime({ updated_at, queued }: Pick<ThreadRow, "updated_at" | "queued">, now: number): string {
  const waiting = queued.length === 0 ? "" : `${count(queued.length)} queued · `;
  return waiting + dateTime(Date.parse(updated_at), now);
}

/** What the person asked, from the run's input; null = it tells none. */
export function promptOf(input: unknown): string | null {
  if (typeof input === "string") return input;
  if (typeof input !== "object" || input === null || !("prompt" in input)) return null;
  return typeof input.prompt === "string" ? input.prompt : null;
}

/** Nothing grows just now although the answer goes on: its model thinks, or is being asked. */
export function isQuiet({ status, items }: Pick<RunView, "status" | "items">): boolean {
  if (status !== "running") return false;
  return items.every((item) => {
    if (item.kind === "message") return item.status !== "open";
    return item.kind === "tool"
      ? item.status !== "running"
      : item.kind !== "question" || item.question.status !== "open";
  });
}

/** Everything that the agent said, as it wrote it. */
export function saidText(items: RunView["items"]): string {
  return items
    .flatMap((item) => (item.kind === "message" && item.role === "assistant" && item.text !== "" ? [item.text] : []))
    .join("\n\n");
}

/** What Send does while an answer goes on; null = nothing may be sent then. */
export function busyWords(ifBusy: AgentRow["if_busy"]): { readonly send: string; readonly hint: string } | null {
  if (ifBusy === "queue") return { send: "Queue", hint: "waits its turn" };
  return ifBusy === "interrupt" ? { send: "Interrupt", hint: "ends this answer" } : null;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  calculator: "What is 17 * 23?",
  clock: "What time is it in Tokyo?",
  search_documents: "What do the documents say about cancelling?",
};

/** Questions that an agent without a model can answer with the tools it has. */
export function examplesFor(agent: Pick<AgentRow, "is_offline" | "tools">): readonly string[] {
  if (!agent.is_offline) return [];
  return agent.tools.flatMap(({ name }) => EXAMPLES[name] ?? []);
}
