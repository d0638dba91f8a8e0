/** What is said about a question: its deadline, its default, and how it ended. */

import type { QuestionRow } from "@antiphon/client";

import { duration } from "../lib/format";
import type { Tone } from "../ui/Tone";

const LONGEST = 60;
const URGENT_MS = 60_000;

/** An answer in a few words: the option's label, a short text, or shortened JSON. */
export function valueWords(question: Pick<QuestionRow, "options">, value: unknown): string {
  const wanted = JSON.stringify(value);
  const option = question.options?.find((one) => JSON.stringify(one.value) === wanted);
  const text = option?.label ?? (value === undefined ? "nothing" : typeof value === "string" ? value : wanted);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** The stated default; for an approval it is an action, or an action with its answer. */
export function defaultWords(question: QuestionRow): string {
  const { default: stated, kind } = question;
  if (kind !== "approval" || typeof stated !== "object" || stated === null || !("action" in stated))
    return valueWords(question, stated);
  const { action, answer } = stated as { readonly action: unknown; readonly answer?: unknown };
  const words = typeof action === "string" ? action : "";
  return isEmpty(answer) ? words : `${words}: ${valueWords(question, answer)}`;
}

/** The time that is left: `0:42`, `14:08`, `3 h 05 m`. */
export function countdown(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  if (s >= 3600) return duration(s * 1000);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

export interface DeadlineWords {
  readonly before: string; // `Default`
  readonly value: string | null; // `reject`, stressed
  readonly after: string; // `in 14:08`
  readonly urgent: boolean;
}

/** What happens if nobody answers, and when. */
export function deadlineWords(question: QuestionRow, now: number): DeadlineWords {
  if (question.deadline === null) return { before: "No deadline", value: null, after: "", urgent: false };
  const left = Date.parse(question.deadline) - now;
  const after = left > 0 ? `in ${countdown(left)}` : "now";
  const urgent = left < URGENT_MS;
  if (!question.has_default) return { before: "Withdrawn", value: null, after, urgent };
  return { before: "Default", value: defaultWords(question), after, urgent };
}

export interface OutcomeWords {
  readonly tone: Tone;
  readonly text: string;
}

/** How it ended. `mine`: the answer was given on this page. */
export function outcomeWords(question: QuestionRow, mine: boolean): OutcomeWords {
  const { action, answer, by, is_default, reason, status } = question;
  if (status === "withdrawn")
    return { tone: "stop", text: reason === null || reason === "" ? "Withdrawn" : `Withdrawn: ${reason}` };
  if (is_default) return { tone: "wait", text: `Nobody answered: the default ${defaultWords(question)} applies` };
  const who = mine ? "you" : (by ?? "somebody");
  if (action === "approve") return { tone: "ok", text: `Approved by ${who}` };
  if (action === "edit")
    return { tone: "ok", text: `Approved with changes by ${who}: ${valueWords(question, answer)}` };
  if (action === "reject")
    return { tone: "bad", text: `Rejected by ${who}${isEmpty(answer) ? "" : `: ${valueWords(question, answer)}`}` };
  return { tone: "ok", text: `Answered by ${who}: ${valueWords(question, answer)}` };
}

const isEmpty = (answer: unknown): boolean => answer === null || answer === undefined || answer === "";
