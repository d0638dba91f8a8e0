/** The left margin: what stands before each line. */

import type { ProcessRow } from "@antiphon/client";

import type { TimeMode } from "../app/preferences";
import { clockTime, elapsed } from "../lib/format";
import type { Entry } from "./entry";

export interface Life {
  readonly offset: number;
  readonly startMs: number;
}

/** Starts that the window has seen, ascending. */
export function livesIn(entries: readonly Entry[]): Life[] {
  return entries.flatMap((entry) =>
    entry.kind === "started" ? [{ offset: entry.offset, startMs: entry.timeMs }] : [],
  );
}

/** When the life began in which this entry was written; null = not known from what is loaded. */
export function lifeStart(entry: Entry, lives: readonly Life[], row: ProcessRow | undefined): number | null {
  const seen = lives.findLast((life) => life.offset <= entry.offset);
  if (seen !== undefined) return seen.startMs;
  const present = row?.started_at === undefined || row.started_at === null ? Number.NaN : Date.parse(row.started_at);
  return lives.length === 0 && entry.timeMs >= present ? present : null;
}

export function timeLabel(entry: Entry, mode: TimeMode, startMs: number | null, withMs: boolean): string {
  if (mode === "off" || Number.isNaN(entry.timeMs)) return "·";
  if (mode === "start" && startMs !== null) return elapsed(entry.timeMs - startMs);
  return clockTime(entry.timeMs, withMs);
}

/** Width of the margin in characters. */
export function marginWidth(mode: TimeMode, withMs: boolean): number {
  return mode === "off" ? 2 : withMs || mode === "start" ? 12 : 8;
}
