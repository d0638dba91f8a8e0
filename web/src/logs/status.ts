/** What a process row says, in words. */

import type { ProcessRow, ProcessStatus } from "@antiphon/client";

import { bytes, duration, percent, plural } from "../lib/format";
import type { Tone } from "../ui/Tone";
import { asSignal, exitWords } from "./entry";

export interface StatusWords {
  readonly tone: Tone;
  readonly busy: boolean; // on its way to another status
  readonly text: string;
}

export function statusWords(row: ProcessRow): StatusWords {
  switch (row.status) {
    case "running":
      return { tone: "run", busy: false, text: "running" };
    case "starting":
      return { tone: "run", busy: true, text: "starting" };
    case "unhealthy":
      return { tone: "wait", busy: false, text: "unhealthy" };
    case "stopping":
      return { tone: "stop", busy: true, text: "stopping" };
    case "stopped":
      return { tone: "stop", busy: false, text: "stopped" };
    case "failed":
      return { tone: "bad", busy: false, text: "failed" };
    case "exited": {
      const well = row.exit_code === 0;
      return { tone: well ? "ok" : "bad", busy: false, text: exitWords(row.exit_code, asSignal(row.signal)) };
    }
  }
}

const ALIVE: readonly ProcessStatus[] = ["starting", "running", "unhealthy", "stopping"];

export function isAlive(row: ProcessRow): boolean {
  return ALIVE.includes(row.status);
}

/** Whether somebody reads its standard input, if it has one. */
export function isListening(row: ProcessRow): boolean {
  return row.status === "running" || row.status === "unhealthy";
}

/** The facts after the status: uptime, load, memory, restarts. Only what is known. */
export function factsOf(row: ProcessRow, now: number): string[] {
  const facts: string[] = [];
  const since = row.started_at === null ? Number.NaN : Date.parse(row.started_at);
  const until = row.ended_at === null ? Number.NaN : Date.parse(row.ended_at);
  if (isAlive(row)) {
    if (!Number.isNaN(since)) facts.push(duration(Math.max(0, Math.floor((now - since) / 1000) * 1000)));
    if (row.cpu_percent !== null) facts.push(percent(row.cpu_percent));
    if (row.memory_bytes !== null) facts.push(bytes(row.memory_bytes));
  } else if (!Number.isNaN(until)) facts.push(`${duration(Math.max(1000, now - until))} ago`);
  if (row.restarts > 0) facts.push(plural(row.restarts, "restart"));
  return facts;
}
