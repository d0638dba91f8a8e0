/** What is said about a run, in lists and above its page. */

import type { RunRow, RunStatus, RunUsage, RunView } from "@antiphon/client";

import { duration } from "../lib/format";
import type { Tone } from "../ui/Tone";

export interface StatusWords {
  readonly tone: Tone;
  readonly busy: boolean;
  readonly text: string;
}

const WORDS: Readonly<Record<RunStatus, StatusWords>> = {
  queued: { tone: "stop", busy: false, text: "Queued" },
  running: { tone: "run", busy: true, text: "Running" },
  waiting: { tone: "wait", busy: false, text: "Waiting" },
  cancelling: { tone: "stop", busy: true, text: "Cancelling" },
  succeeded: { tone: "ok", busy: false, text: "Succeeded" },
  failed: { tone: "bad", busy: false, text: "Failed" },
  cancelled: { tone: "stop", busy: false, text: "Cancelled" },
  lost: { tone: "bad", busy: false, text: "Lost" },
};

export function statusWords(status: RunStatus): StatusWords {
  return WORDS[status];
}

/** Milliseconds between start and end, or now; null = it has not started. */
export function lasted(run: { startedAt: string | null; endedAt: string | null }, now: number): number | null {
  if (run.startedAt === null) return null;
  const end = run.endedAt === null ? now : Date.parse(run.endedAt);
  return Math.max(0, end - Date.parse(run.startedAt));
}

/** How long a run of the list took so far, in words; "" before its start. While it goes on: whole seconds. */
export function lastedWords(row: Pick<RunRow, "started_at" | "ended_at">, now: number): string {
  const ms = lasted({ startedAt: row.started_at, endedAt: row.ended_at }, now);
  if (ms === null) return "";
  return duration(row.ended_at === null ? Math.floor(ms / 1000) * 1000 : ms).replace(/^0 ms$/, "0 s");
}

/** `940`, `18.2 k`, `1.4 M`. */
export function tokens(n: number): string {
  if (n < 1000) return String(n);
  const [value, unit] = n < 999_950 ? [n / 1000, "k"] : [n / 1_000_000, "M"];
  return `${value.toFixed(value < 100 ? 1 : 0).replace(/\.0$/, "")} ${unit}`;
}

/** `$0.14`; below a cent one more digit that says something; `$0` stays `$0`. */
export function dollars(usd: number): string {
  if (usd === 0) return "$0";
  if (usd >= 0.01) return `$${usd.toFixed(usd < 1000 ? 2 : 0)}`;
  return usd < 0.0001 ? "< $0.0001" : `$${usd.toFixed(usd < 0.001 ? 4 : 3)}`;
}

export function totalTokens({ total_tokens, input_tokens, output_tokens }: RunUsage): number | null {
  if (total_tokens !== undefined) return total_tokens;
  if (input_tokens === undefined && output_tokens === undefined) return null;
  return (input_tokens ?? 0) + (output_tokens ?? 0);
}

/** `18.2 k tokens · $0.14`; "" where nothing was told. */
export function usageWords(usage: RunUsage): string {
  const total = totalTokens(usage);
  const parts = [
    total === null ? "" : `${tokens(total)} tokens`,
    usage.cost_usd === undefined ? "" : dollars(usage.cost_usd),
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

export interface EndWords {
  readonly tone: Tone;
  readonly title: string; // `Cancelled by ada`
  readonly why: string | null;
}

type Ended = Pick<RunView, "status" | "reason" | "error" | "cancelledBy">;

/** Why it ended; null = it goes on. */
export function endWords({ status, reason, error, cancelledBy }: Ended): EndWords | null {
  switch (status) {
    case "succeeded":
      return { tone: "ok", title: "Succeeded", why: reason };
    case "failed":
      return {
        tone: "bad",
        title: error?.type ? `Failed with ${error.type}` : "Failed",
        why: error?.message ?? reason,
      };
    case "cancelled":
      return { tone: "stop", title: cancelledBy === null ? "Cancelled" : `Cancelled by ${cancelledBy}`, why: reason };
    case "lost":
      return { tone: "bad", title: "Lost", why: reason ?? "Its owner gave no sign of life." };
    default:
      return null;
  }
}
