/** Reading what events say. Their writers are other programs: what does not fit counts as not said. */

import { isObject } from "../decode.js";
import type { Fields } from "../decode.js";
import type { AnswerAction, QuestionKind, QuestionOption, QuestionRow, RunError, RunStatus, RunUsage } from "./rows.js";
import type { LogLevel } from "./view.js";

export function saidText(data: Fields, name: string): string | null {
  const value = data[name];
  return typeof value === "string" ? value : null;
}

export function saidNumber(data: Fields, name: string): number | null {
  const value = data[name];
  return typeof value === "number" ? value : null;
}

const STATUSES: ReadonlySet<unknown> = new Set<RunStatus>([
  "queued", "running", "waiting", "cancelling", "succeeded", "failed", "cancelled", "lost",
]);

export function saidStatus(data: Fields): RunStatus | null {
  return STATUSES.has(data["status"]) ? (data["status"] as RunStatus) : null;
}

const LEVELS: ReadonlySet<unknown> = new Set<LogLevel>(["debug", "info", "warning", "error", "critical"]);

export function saidLevel(data: Fields): LogLevel {
  return LEVELS.has(data["level"]) ? (data["level"] as LogLevel) : "info";
}

/** An error is `{message, type?}`; some tools give a plain text. */
export function saidError(data: Fields): RunError | null {
  const error = data["error"];
  if (typeof error === "string") return { message: error, type: null };
  if (!isObject(error)) return null;
  return { message: saidText(error, "message") ?? "", type: saidText(error, "type") };
}

/** Later totals replace earlier ones, word by word. */
export function addUsage(before: RunUsage, data: Fields): RunUsage {
  return { ...before, ...Object.fromEntries(Object.entries(data).filter(([, total]) => total !== null)) };
}

export function saidLabels(data: Fields): Readonly<Record<string, string>> {
  const labels = data["labels"];
  return isObject(labels) ? (labels as Readonly<Record<string, string>>) : {};
}

const KINDS: ReadonlySet<unknown> = new Set<QuestionKind>(["choice", "form", "approval", "text"]);

/** The row of a question as `question.asked` tells it. */
export function askedRow(data: Fields, run: { readonly runId: string; readonly name: string | null }, time: string): QuestionRow {
  return {
    question_id: saidText(data, "question_id") ?? "",
    run_id: run.runId,
    run_name: run.name ?? "",
    kind: KINDS.has(data["kind"]) ? (data["kind"] as QuestionKind) : "text",
    prompt: saidText(data, "prompt") ?? "",
    details: saidText(data, "details"),
    options: Array.isArray(data["options"]) ? (data["options"] as QuestionOption[]) : null,
    schema: data["schema"] ?? null,
    value: data["value"] ?? null,
    status: "open",
    deadline: saidText(data, "deadline"),
    has_default: typeof data["has_default"] === "boolean" ? data["has_default"] : Object.hasOwn(data, "default"),
    default: data["default"] ?? null,
    asked_at: time,
    ended_at: null,
    action: null,
    answer: null,
    by: null,
    is_default: false,
    reason: null,
  };
}

const ACTIONS: ReadonlySet<unknown> = new Set<AnswerAction>(["answer", "approve", "edit", "reject"]);

export function answeredRow(row: QuestionRow, data: Fields, time: string): QuestionRow {
  return {
    ...row,
    status: "answered",
    ended_at: time,
    action: ACTIONS.has(data["action"]) ? (data["action"] as AnswerAction) : "answer",
    answer: data["answer"] ?? null,
    by: saidText(data, "by"),
    is_default: data["is_default"] === true,
  };
}

export function withdrawnRow(row: QuestionRow, reason: string | null, time: string | null): QuestionRow {
  return { ...row, status: "withdrawn", ended_at: time, reason };
}
