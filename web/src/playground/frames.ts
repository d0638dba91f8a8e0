/** What crossed the socket: every frame both ways, bounded, with the latency of each reply. */

import { utf8Length } from "../lib/format";

export type Direction = "sent" | "received" | "note"; // note = what happened to the connection

export interface Frame {
  readonly key: number;
  readonly direction: Direction;
  readonly timeMs: number; // Unix milliseconds
  readonly text: string;
  readonly bytes: number;
  readonly latencyMs: number | null; // received: since the request with the same id was sent
  readonly summary: string; // method or outcome, for the collapsed line
}

export const MAX_FRAMES = 1000;
export const MAX_BYTES = 16 * 1024 * 1024;

interface Parsed {
  readonly id: string | number | null;
  readonly summary: string;
}

/** What can be said of a frame without showing it whole. */
export function readFrame(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { id: null, summary: "text" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { id: null, summary: "JSON" };
  const message = value as Readonly<Record<string, unknown>>;
  return { id: idOf(message["id"]) ?? idOf(message["request_id"]), summary: summarize(message) };
}

/** Requests and their replies carry the same: `id` in JSON-RPC, `request_id` in the agent engine's protocol. */
function idOf(value: unknown): string | number | null {
  return typeof value === "number" || typeof value === "string" ? value : null;
}

function summarize(message: Readonly<Record<string, unknown>>): string {
  const { method, type, error, event } = message;
  if (typeof method === "string") return method;
  if (typeof error === "object" && error !== null) {
    const data = (error as Readonly<Record<string, unknown>>)["data"];
    const code = typeof data === "object" && data !== null ? (data as Readonly<Record<string, unknown>>)["code"] : null;
    return typeof code === "string" ? `error ${code}` : "error";
  }
  if ("result" in message) return "result";
  if (typeof type === "string") return type;
  return typeof event === "string" ? event : "JSON";
}

/** The frames so far and the requests that wait for a reply. */
export class FrameLog {
  #frames: readonly Frame[] = [];
  #waiting = new Map<string | number, number>();
  #bytes = 0;
  #next = 1;

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  add(direction: Direction, text: string, timeMs: number): void {
    this.addAll([{ direction, text, timeMs }]);
  }

  addAll(items: readonly { readonly direction: Direction; readonly text: string; readonly timeMs: number }[]): void {
    const fresh = items.map((item) => this.#toFrame(item.direction, item.text, item.timeMs));
    const all = [...this.#frames, ...fresh];
    for (const frame of fresh) this.#bytes += frame.bytes;
    let dropped = Math.max(0, all.length - MAX_FRAMES);
    for (const frame of all.slice(0, dropped)) this.#bytes -= frame.bytes;
    while (this.#bytes > MAX_BYTES && dropped < all.length - 1) this.#bytes -= all[dropped++]?.bytes ?? 0;
    this.#frames = dropped === 0 ? all : all.slice(dropped);
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }

  #toFrame(direction: Direction, text: string, timeMs: number): Frame {
    const { id, summary } = direction === "note" ? { id: null, summary: text } : readFrame(text);
    let latencyMs: number | null = null;
    if (id !== null && direction === "sent") this.#waiting.set(id, timeMs);
    else if (id !== null && direction === "received") {
      const sentAt = this.#waiting.get(id);
      if (sentAt !== undefined) latencyMs = timeMs - sentAt;
      this.#waiting.delete(id);
    }
    if (this.#waiting.size > MAX_FRAMES) this.#waiting.clear();
    return {
      key: this.#next++,
      direction,
      timeMs,
      text,
      bytes: direction === "note" ? 0 : utf8Length(text),
      latencyMs,
      summary,
    };
  }
}

/** Indented JSON; anything else as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Why this is not JSON, in words; null = it is. */
export function jsonProblem(text: string): string | null {
  if (text.trim() === "") return "Nothing to send.";
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function filterFrames(frames: readonly Frame[], filter: string): readonly Frame[] {
  const needle = filter.toLowerCase();
  return needle === "" ? frames : frames.filter((frame) => frame.text.toLowerCase().includes(needle));
}
