/** The requests about runs and questions, as on the wire. */

import { asObject, list, number, text } from "../decode.js";
import type { Fields } from "../decode.js";
import type { Cursor } from "../types.js";
import type {
  AnswerAction,
  CancelReceipt,
  QuestionKind,
  QuestionOption,
  QuestionRow,
  QuestionStatus,
  RunDetails,
  RunError,
  RunEvent,
  RunPage,
  RunResult,
  RunRow,
  RunStatus,
} from "./rows.js";

export interface NewRunParams {
  readonly name: string;
  readonly input?: unknown;
  readonly run_id?: string;
  readonly thread_id?: string;
  readonly parent_run_id?: string;
  readonly title?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly on_disconnect?: "continue" | "cancel";
}

export interface OpenRunParams extends NewRunParams {
  /** Our secret, 16 to 128 characters. */
  readonly lease?: string;
  /** 2 to 3600, default 15. */
  readonly lease_s?: number;
  readonly client?: string;
  readonly pid?: number;
}

export interface RunListParams {
  readonly status?: readonly RunStatus[];
  readonly name?: string;
  readonly by?: string;
  readonly thread_id?: string;
  readonly parent_run_id?: string;
  readonly label?: Readonly<Record<string, string>>;
  /** A run id: only runs before it. */
  readonly before?: string;
  /** 1 to 1000, default 100. */
  readonly limit?: number;
}

export interface AskParams {
  readonly run_id: string;
  readonly lease?: string;
  readonly question_id?: string;
  readonly prompt: string;
  readonly kind?: QuestionKind;
  readonly details?: string;
  readonly options?: readonly QuestionOption[];
  readonly schema?: unknown;
  readonly value?: unknown;
  readonly timeout_s?: number;
  readonly default?: unknown;
}

export interface AnswerParams {
  readonly question_id: string;
  readonly answer?: unknown;
  readonly action?: AnswerAction;
}

interface Lease {
  readonly run_id: string;
  readonly lease: string;
}

export interface RunMethods {
  readonly "run.start": {
    readonly params: NewRunParams;
    readonly result: { readonly run_id: string; readonly channel: string; readonly run: RunRow };
  };
  readonly "run.open": {
    readonly params: OpenRunParams;
    readonly result: {
      readonly run_id: string;
      readonly channel: string;
      readonly epoch: string;
      readonly lease: string;
      readonly lease_s: number;
      readonly run: RunRow;
    };
  };
  readonly "run.emit": {
    readonly params: { readonly run_id: string; readonly events: readonly RunEvent[]; readonly lease?: string };
    readonly result: Cursor;
  };
  readonly "run.renew": { readonly params: Lease; readonly result: { readonly lease_s: number; readonly status: RunStatus } };
  readonly "run.finish": {
    readonly params: Lease & {
      readonly status: "succeeded" | "failed" | "cancelled";
      readonly result?: unknown;
      readonly error?: RunError;
      readonly reason?: string;
    };
    readonly result: { readonly run: RunRow };
  };
  readonly "run.cancel": { readonly params: { readonly run_id: string; readonly reason?: string }; readonly result: CancelReceipt };
  readonly "run.get": { readonly params: { readonly run_id: string }; readonly result: RunDetails };
  readonly "run.list": { readonly params: RunListParams; readonly result: RunPage };
  readonly "run.result": { readonly params: { readonly run_id: string; readonly timeout_s?: number }; readonly result: RunResult };
  readonly "run.token": {
    readonly params: Lease & { readonly ttl_s?: number };
    readonly result: { readonly token: string | null; readonly expires_at: string | null };
  };
  readonly "question.ask": {
    readonly params: AskParams;
    readonly result: { readonly question_id: string; readonly deadline: string | null };
  };
  readonly "question.answer": { readonly params: AnswerParams; readonly result: { readonly question: QuestionRow } };
  readonly "question.withdraw": {
    readonly params: { readonly question_id: string; readonly lease?: string };
    readonly result: Readonly<Record<string, unknown>>;
  };
  readonly "question.list": {
    readonly params: { readonly status?: QuestionStatus; readonly run_id?: string; readonly by?: string };
    readonly result: { readonly questions: readonly QuestionRow[] };
  };
  readonly "question.get": {
    readonly params: { readonly question_id: string };
    readonly result: { readonly question: QuestionRow };
  };
}

const READING: ReadonlySet<string> = new Set(["run.get", "run.list", "run.result", "question.list", "question.get"]);

/** Asked twice these give the same answer, as their subject is named. */
const NAMED: ReadonlySet<string> = new Set(["run.renew", "run.finish", "run.cancel"]);

/** Whether a request may be repeated where the connection ended before the answer. */
export function mayRepeatRun(method: string, params: object): boolean {
  if (READING.has(method) || NAMED.has(method)) return true;
  if (method === "run.start") return "run_id" in params;
  if (method === "run.open") return "run_id" in params && "lease" in params;
  if (method === "question.ask") return "question_id" in params;
  if (method !== "run.emit" || !("events" in params)) return false;
  return (params.events as readonly RunEvent[]).every((event) => event.idempotency_key !== undefined);
}

/** `run.result` waits at the server. */
export function runPatience(method: string, params: object, usualMs: number): number {
  if (method !== "run.result") return usualMs;
  const seconds = "timeout_s" in params && typeof params.timeout_s === "number" ? params.timeout_s : 30;
  return usualMs + seconds * 1000;
}

/** Checks what this client relies on; rows for display are only checked to be of their outer form. */
export function checkRunResult(method: string, fields: Fields): void {
  switch (method) {
    case "run.open":
      text(fields, "lease");
      number(fields, "lease_s");
      text(fields, "channel");
      asObject(fields["run"], "run");
      return;
    case "run.start":
    case "run.finish":
    case "run.get":
      asObject(fields["run"], "run");
      return;
    case "run.renew":
    case "run.result":
      text(fields, "status");
      return;
    case "run.cancel":
      list(fields, "stopped");
      list(fields, "draining");
      return;
    case "run.list":
      list(fields, "runs");
      return;
    case "question.ask":
      text(fields, "question_id");
      return;
    case "question.answer":
      asObject(fields["question"], "question");
      return;
    case "question.list":
      list(fields, "questions");
      return;
    default:
      return;
  }
}
