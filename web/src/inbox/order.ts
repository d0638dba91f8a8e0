/** Which questions stand where. */

import type { QuestionRow, QuestionTable } from "@antiphon/client";

export interface InboxList {
  readonly shown: readonly QuestionRow[]; // open, and those that ended while somebody looked: most urgent first
  readonly earlier: readonly QuestionRow[]; // ended before: newest first
}

const EARLIER = 20;

/** `seen`: ids that were open while this page showed them; they keep their place when they end. */
export function inboxOrder(table: QuestionTable, seen: ReadonlySet<string>): InboxList {
  const rows = Object.values(table);
  const shown = rows.filter((row) => row.status === "open" || seen.has(row.question_id)).sort(byUrgency);
  const earlier = rows.filter((row) => row.status !== "open" && !seen.has(row.question_id)).sort(byEnd);
  return { shown, earlier: earlier.slice(0, EARLIER) };
}

/** Nearest deadline first, none last; then who has waited longest. */
export function byUrgency(a: QuestionRow, b: QuestionRow): number {
  return (
    compare(a.deadline ?? "~", b.deadline ?? "~") ||
    compare(a.asked_at, b.asked_at) ||
    compare(a.question_id, b.question_id)
  );
}

const byEnd = (a: QuestionRow, b: QuestionRow): number => compare(b.ended_at ?? "", a.ended_at ?? "");
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The one after (or before) the chosen one; the first where none is chosen. */
export function step(rows: readonly QuestionRow[], chosen: string | null, by: 1 | -1): QuestionRow | undefined {
  const at = rows.findIndex((row) => row.question_id === chosen);
  if (at < 0) return rows[0];
  return rows[Math.min(rows.length - 1, Math.max(0, at + by))];
}
