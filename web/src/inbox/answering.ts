/** Answers on their way: what is being sent, what the server said against it, and which were ours. */

import { type AnswerAction, AntiphonError, type Live } from "@antiphon/client";
import { create } from "zustand";

export interface Problem {
  readonly message: string;
  readonly at: string | null; // JSON Pointer in the answer; null = the answer as a whole
}

export interface Answering {
  readonly pending: AnswerAction | null;
  readonly problem: Problem | null;
  readonly mine: boolean; // the answer that counts was given here
  readonly late: boolean; // somebody was faster
}

const QUIET: Answering = { pending: null, problem: null, mine: false, late: false };

const useAnswers = create<Readonly<Record<string, Answering>>>(() => ({}));

const set = (id: string, change: Partial<Answering>): void =>
  useAnswers.setState((all) => ({ [id]: { ...(all[id] ?? QUIET), ...change } }));

export function useAnswering(id: string): Answering {
  return useAnswers((all) => all[id] ?? QUIET);
}

export async function giveAnswer(live: Live, id: string, action: AnswerAction, answer?: unknown): Promise<void> {
  set(id, { pending: action, problem: null });
  try {
    await live.questions.answer(id, answer, action);
    set(id, { pending: null, mine: true });
  } catch (error) {
    const late = error instanceof AntiphonError && error.code === "already_answered";
    set(id, { pending: null, late, problem: late ? null : problemOf(error) });
  }
}

export function dismissProblem(id: string): void {
  set(id, { problem: null });
}

const ANSWER = "/params/answer";

function problemOf(error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error);
  const pointer = error instanceof AntiphonError ? error.pointer : null;
  return { message, at: pointer?.startsWith(ANSWER) === true ? pointer.slice(ANSWER.length) : null };
}
