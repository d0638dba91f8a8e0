/** How single values of a state look. */

import { toneClass, type Tone } from "../ui/Tone";

const LONGEST = 300;

/** Texts that say how something stands have that state's colour. */
const STATES: Readonly<Record<string, Tone>> = {
  done: "ok",
  ok: "ok",
  ready: "ok",
  read: "ok",
  completed: "ok",
  succeeded: "ok",
  running: "run",
  working: "run",
  in_progress: "run",
  waiting: "wait",
  pending: "wait",
  queued: "wait",
  failed: "bad",
  error: "bad",
  cancelled: "stop",
  skipped: "stop",
};

export function leafTone(value: unknown): string {
  if (typeof value === "string" && Object.hasOwn(STATES, value)) return toneClass(STATES[value] ?? "stop");
  return value === null || value === "" ? "text-faint" : "";
}

export function leafWords(value: unknown): string {
  if (value === "") return '""';
  const text = typeof value === "string" ? value : ((JSON.stringify(value) as string | undefined) ?? "");
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

export function sizeOf(value: object): number {
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}
