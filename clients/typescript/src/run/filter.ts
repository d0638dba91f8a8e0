/** Rows out of the tables of runs and questions, for lists. */

import type { QuestionRow, QuestionStatus, QuestionTable, RunRow, RunStatus, RunTable } from "./rows.js";

/** What is left out does not restrict. */
export interface RunFilter {
  readonly status?: RunStatus | readonly RunStatus[];
  readonly name?: string;
  /** Who started it. */
  readonly by?: string;
  readonly threadId?: string;
  readonly parentRunId?: string;
  /** All of these. */
  readonly labels?: Readonly<Record<string, string>>;
  /** At most so many, the newest. */
  readonly limit?: number;
}

export interface QuestionFilter {
  readonly status?: QuestionStatus;
  readonly runId?: string;
  /** Who answered. */
  readonly by?: string;
}

/** The rows that pass, newest first. */
export function filterRuns(table: RunTable, filter: RunFilter = {}): RunRow[] {
  const found = Object.values(table).filter((row) => runPasses(row, filter));
  found.sort((left, right) => order(right.created_at, left.created_at) || order(right.run_id, left.run_id));
  return filter.limit === undefined ? found : found.slice(0, filter.limit);
}

function runPasses(row: RunRow, { status, name, by, threadId, parentRunId, labels }: RunFilter): boolean {
  return (
    (status === undefined || (typeof status === "string" ? row.status === status : status.includes(row.status))) &&
    (name === undefined || row.name === name) &&
    (by === undefined || row.by === by) &&
    (threadId === undefined || row.thread_id === threadId) &&
    (parentRunId === undefined || row.parent_run_id === parentRunId) &&
    (labels === undefined || Object.entries(labels).every(([key, value]) => row.labels[key] === value))
  );
}

/** The rows that pass: those that must be answered first come first, those without a deadline last. */
export function filterQuestions(table: QuestionTable, filter: QuestionFilter = {}): QuestionRow[] {
  const { status, runId, by } = filter;
  const found = Object.values(table).filter(
    (row) =>
      (status === undefined || row.status === status) &&
      (runId === undefined || row.run_id === runId) &&
      (by === undefined || row.by === by),
  );
  return found.sort((left, right) => order(left.deadline ?? "~", right.deadline ?? "~") || order(left.asked_at, right.asked_at));
}

/** RFC 3339 in UTC sorts as text; "~" comes after every digit. */
function order(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
