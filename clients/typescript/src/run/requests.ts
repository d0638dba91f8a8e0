/** `live.runs` and `live.questions`: the requests about runs and questions as plain functions. */

import { AntiphonError } from "../errors.js";
import type { Live } from "../live.js";
import type { RequestOptions } from "../options.js";
import { sameJson } from "../patch.js";
import type { QuestionFilter } from "./filter.js";
import { newRunId } from "./ids.js";
import type { AnswerParams, NewRunParams } from "./methods.js";
import type { AnswerAction, CancelReceipt, QuestionRow, RunDetails, RunPage, RunResult, RunRow, RunStatus } from "./rows.js";

export interface NewRun {
  readonly name: string;
  readonly input?: unknown;
  /** Up to 64 of `A-Z a-z 0-9 _ -`; default: a new one. The same id again is the same run. */
  readonly runId?: string;
  readonly threadId?: string;
  readonly parentRunId?: string;
  readonly title?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** What happens when the connection of the starter ends for good. Default `continue`. */
  readonly onDisconnect?: "continue" | "cancel";
}

export interface RunQuery {
  readonly status?: RunStatus | readonly RunStatus[];
  readonly name?: string;
  readonly by?: string;
  readonly threadId?: string;
  readonly parentRunId?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** A run id: only runs before it. */
  readonly before?: string;
  /** 1 to 1000, default 100. */
  readonly limit?: number;
}

export interface Runs {
  /** Have a registered runnable run. Done once however often the connection breaks. Throws AntiphonError. */
  start(run: NewRun, options?: RequestOptions): Promise<RunRow>;
  /** Newest first, and the names that can be started. */
  list(query?: RunQuery, options?: RequestOptions): Promise<RunPage>;
  get(runId: string, options?: RequestOptions): Promise<RunDetails>;
  /** Cancel it and its children; also before it starts, and twice. */
  cancel(runId: string, reason?: string, options?: RequestOptions): Promise<CancelReceipt>;
  /** Waits until it ends, at most `timeoutS` (0 to 600, default 30); then `status` is `running`. */
  result(runId: string, timeoutS?: number, options?: RequestOptions): Promise<RunResult>;
}

export interface Questions {
  /** Those that must be answered first come first. */
  list(filter?: QuestionFilter, options?: RequestOptions): Promise<readonly QuestionRow[]>;
  get(questionId: string, options?: RequestOptions): Promise<QuestionRow>;
  /** Throws AntiphonError `already_answered` where somebody was faster; its message says who. */
  answer(questionId: string, answer?: unknown, action?: AnswerAction, options?: RequestOptions): Promise<QuestionRow>;
  withdraw(questionId: string, options?: RequestOptions): Promise<void>;
}

export function newRunParams(run: NewRun, now: number): NewRunParams & { readonly run_id: string } {
  const { name, input, runId, threadId, parentRunId, title, labels, onDisconnect } = run;
  return {
    name,
    run_id: runId ?? newRunId(now),
    ...given({ input, thread_id: threadId, parent_run_id: parentRunId, title, labels, on_disconnect: onDisconnect }),
  };
}

/** Without what is undefined. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

export function makeRuns(live: Live, now: () => number): Runs {
  return {
    start: async (run, options) => (await live.request("run.start", newRunParams(run, now()), options)).run,
    list: ({ status, name, by, threadId, parentRunId, labels, before, limit } = {}, options) => {
      const statuses = typeof status === "string" ? [status] : status;
      const ids = { thread_id: threadId, parent_run_id: parentRunId };
      return live.request("run.list", given({ status: statuses, name, by, ...ids, label: labels, before, limit }), options);
    },
    get: (runId, options) => live.request("run.get", { run_id: runId }, options),
    cancel: (runId, reason, options) => live.request("run.cancel", { run_id: runId, ...given({ reason }) }, options),
    result: (runId, timeoutS, options) =>
      live.request("run.result", { run_id: runId, ...given({ timeout_s: timeoutS }) }, options),
  };
}

export function makeQuestions(live: Live): Questions {
  return {
    list: async ({ status, runId, by } = {}, options) =>
      (await live.request("question.list", given({ status, run_id: runId, by }), options)).questions,
    get: async (questionId, options) => (await live.request("question.get", { question_id: questionId }, options)).question,
    answer: (questionId, answer, action, options) =>
      answerOnce(live, { question_id: questionId, ...given({ answer, action }) }, options),
    withdraw: async (questionId, options) => {
      await live.request("question.withdraw", { question_id: questionId }, options);
    },
  };
}

/** Where the connection ends before the reply, the question itself tells whether our answer was the one that counts. */
async function answerOnce(live: Live, params: AnswerParams, options?: RequestOptions): Promise<QuestionRow> {
  try {
    return (await live.request("question.answer", params, options)).question;
  } catch (error) {
    if (!(error instanceof AntiphonError) || error.code !== "connection_lost") throw error;
  }
  const { question } = await live.request("question.get", { question_id: params.question_id }, options);
  if (question.status === "open") return (await live.request("question.answer", params, options)).question;
  if (isOurs(question, params, live.server.get()?.user)) return question;
  const by = question.by ?? "nobody";
  throw new AntiphonError("already_answered", `the question is over: ${question.status} by ${by}`);
}

function isOurs(question: QuestionRow, params: AnswerParams, user: string | undefined): boolean {
  const action = params.action ?? "answer";
  return (
    question.status === "answered" &&
    question.by === (user ?? null) &&
    !question.is_default &&
    (question.action ?? "answer") === action &&
    (action === "approve" || sameJson(question.answer ?? null, params.answer ?? null))
  );
}
