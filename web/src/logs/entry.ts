/** What one row of a log shows. Wire events are decoded here, once. */

import type { Gap, LiveEvent } from "@antiphon/client";

export type Stream = "stdout" | "stderr" | "file";

interface Placed {
  readonly offset: number;
  readonly timeMs: number; // Unix milliseconds; NaN where there is none
}

export type Entry =
  | (Placed & { readonly kind: "line"; readonly text: string; readonly stream: Stream })
  | (Placed & { readonly kind: "started"; readonly pid: number | null })
  | (Placed & { readonly kind: "exited"; readonly exitCode: number | null; readonly signal: string | null })
  | (Placed & { readonly kind: "gap"; readonly from: number; readonly reason: string })
  | (Placed & { readonly kind: "other"; readonly type: string; readonly text: string }); // any other event of the channel

export type StreamFilter = "all" | "stdout" | "stderr";

/** Marks of lives and gaps are never filtered: they explain the lines around them. */
export function passes(entry: Entry, filter: StreamFilter): boolean {
  return filter === "all" || entry.kind !== "line" || entry.stream === filter;
}

export function toEntry(event: LiveEvent): Entry {
  const placed = { offset: event.offset, timeMs: Date.parse(event.time) };
  const data = isRecord(event.data) ? event.data : {};
  switch (event.type) {
    case "line":
      return { ...placed, kind: "line", text: asText(data["text"]), stream: asStream(data["stream"]) };
    case "process.started":
      return { ...placed, kind: "started", pid: asNumber(data["pid"]) };
    case "process.exited":
      return { ...placed, kind: "exited", exitCode: asNumber(data["exit_code"]), signal: asSignal(data["signal"]) };
    default:
      return { ...placed, kind: "other", type: event.type, text: JSON.stringify(event.data) };
  }
}

export function gapEntry(gap: Gap): Entry {
  return { kind: "gap", offset: gap.to, timeMs: Number.NaN, from: gap.from, reason: gap.reason };
}

/** What "copy" puts on the clipboard for this row, escapes still inside. */
export function entryText(entry: Entry): string {
  switch (entry.kind) {
    case "line":
      return entry.text;
    case "other":
      return `${entry.type} ${entry.text}`;
    case "started":
      return `[started${entry.pid === null ? "" : `, pid ${entry.pid}`}]`;
    case "exited":
      return `[${exitWords(entry.exitCode, entry.signal)}]`;
    case "gap":
      return `[${entry.from} to ${entry.offset} are gone: ${entry.reason}]`;
  }
}

export function exitWords(exitCode: number | null, signal: string | null): string {
  if (signal !== null) return `ended by ${signal}`;
  return exitCode === null ? "ended" : `exited with ${exitCode}`;
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  6: "SIGABRT",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  15: "SIGTERM",
};

/** `15` or `"SIGTERM"` -> `"SIGTERM"`; null = no signal. */
export function asSignal(value: unknown): string | null {
  if (typeof value === "number") return SIGNALS[value] ?? `signal ${value}`;
  return typeof value === "string" && value !== "" ? value : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function asNumber(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function asStream(value: unknown): Stream {
  return value === "stderr" || value === "file" ? value : "stdout";
}
