/**
 * What the owner of a run says, on its way to the server: in order, in batches, each event once.
 *
 * One batch is under way at a time; what is said meanwhile is the next one, so batches grow with the load by themselves.
 * Every event has its idempotency key from the start: a batch may be sent again whole after any failure. Once the run is
 * cancelled the server refuses what grows and takes what closes; so does the outbox.
 */

import { isObject } from "../decode.js";
import { AntiphonError } from "../errors.js";
import type { RunEvent } from "./rows.js";

export interface OutboxPort {
  /** Resolves once all of them are stored. */
  send(events: readonly RunEvent[]): Promise<unknown>;
  /** Runs `task` after what already waits in the event loop. */
  defer(task: () => void): void;
  /** Resolves after a back-off. */
  pause(): Promise<void>;
  /** The longest batch, in characters. */
  limitChars(): number;
  /** The server says that the run was cancelled. */
  cancelled(error: AntiphonError): void;
  /** Nothing can be said any more. */
  over(error: AntiphonError): void;
  /** An event was refused and left out. */
  problem(error: AntiphonError): void;
}

interface Queued {
  readonly type: string;
  /** The message or tool that it is about. */
  readonly subject: unknown;
  data: unknown;
  readonly idempotency_key: string;
  size: number;
}

const MAX_EVENTS = 500;
/** A longer delta is sent in pieces; shorter ones of one message are joined up to this length. */
const MAX_DELTA_CHARS = 32_768;
/** Beyond either of these, who says more is asked to wait. */
const HIGH_CHARS = 1_048_576;
const HIGH_EVENTS = 5000;
/** Room for the envelope of an event. */
const ENVELOPE_CHARS = 150;

const GROWING = new Set(["message.open", "message.append", "tool.start", "tool.args"]);
/** Not `run_cancelled`: then what is open can still be closed. */
const FATAL = new Set(["lease_lost", "run_ended", "not_found", "closed", "unauthenticated", "forbidden", "usage"]);

/** Whether after this error the run is out of our hands. */
export function isFatal(error: AntiphonError): boolean {
  return FATAL.has(error.code);
}

export class Outbox {
  readonly #port: OutboxPort;
  readonly #prefix: string;
  #queue: Queued[] = [];
  #chars = 0;
  #said = 0;
  #busy = false;
  #cancelled = false;
  #over: AntiphonError | null = null;
  /** Messages and tools whose beginning was dropped: their end must be, too. */
  readonly #unbegun = new Set<unknown>();
  #roomy: (() => void)[] = [];
  #idle: (() => void)[] = [];

  /** `prefix` makes the keys of this outbox its own. */
  constructor(prefix: string, port: OutboxPort) {
    this.#prefix = prefix;
    this.#port = port;
  }

  /** Takes an event whose data will not be changed any more. Resolves once there is room for another. */
  push(type: string, data: unknown): Promise<void> {
    if (this.#over !== null) return Promise.resolve();
    this.#enqueue(type, data, JSON.stringify(data).length + ENVELOPE_CHARS);
    return this.#room();
  }

  /** The same for text that grows, as `delta` of the message or tool named by `data`. */
  grow(type: "message.append" | "tool.args", data: Record<string, unknown>, delta: string): Promise<void> {
    if (this.#over !== null || delta === "") return Promise.resolve();
    for (const piece of pieces(delta)) {
      if (!this.#join(type, data, piece)) this.#enqueue(type, { ...data, delta: piece }, piece.length + ENVELOPE_CHARS);
    }
    return this.#room();
  }

  /** Resolves once everything said so far is stored, or given up. */
  async flush(): Promise<void> {
    while (this.#busy) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** From now on nothing grows. */
  cancel(): void {
    this.#cancelled = true;
    this.#queue = this.#closing(this.#queue);
    this.#count();
  }

  /** Gives up what was not sent. */
  end(error: AntiphonError): void {
    this.#over ??= error;
    this.#queue = [];
    this.#count();
  }

  #enqueue(type: string, data: unknown, size: number): void {
    this.#said += 1;
    const event = { type, subject: subjectOf(data), data, idempotency_key: `${this.#prefix}-${String(this.#said)}`, size };
    if (this.#cancelled && this.#closing([event]).length === 0) return;
    this.#queue.push(event);
    this.#chars += size;
    if (this.#busy) return;
    this.#busy = true;
    this.#port.defer(() => void this.#drain());
  }

  /** Lengthens the last event that waits, if it is of the same text. */
  #join(type: string, data: Record<string, unknown>, piece: string): boolean {
    const last = this.#queue.at(-1);
    if (last?.type !== type || last.size + piece.length > MAX_DELTA_CHARS) return false;
    if (last.subject !== subjectOf(data) || !isObject(last.data)) return false;
    last.data = { ...last.data, delta: `${String(last.data["delta"])}${piece}` };
    last.size += piece.length;
    this.#chars += piece.length;
    return true;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#deliver(this.#batch());
      this.#count();
    }
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #batch(): Queued[] {
    const limit = this.#port.limitChars();
    let size = 0;
    let end = 0;
    for (const event of this.#queue) {
      size += event.size;
      if (end > 0 && (size > limit || end === MAX_EVENTS)) break;
      end += 1;
    }
    return this.#queue.splice(0, end);
  }

  /** Until all of the batch is stored or refused for good. */
  async #deliver(batch: readonly Queued[]): Promise<void> {
    let rest = batch;
    while (rest.length > 0 && this.#over === null) {
      try {
        await this.#port.send(rest.map(({ type, data, idempotency_key }) => ({ type, data, idempotency_key })));
        return;
      } catch (error) {
        rest = await this.#refused(rest, asAntiphonError(error));
      }
    }
  }

  /** What of a refused batch is to be sent again. */
  async #refused(batch: readonly Queued[], error: AntiphonError): Promise<readonly Queued[]> {
    if (error.retryable) {
      await this.#port.pause();
      return this.#cancelled ? this.#closing(batch) : batch;
    }
    if (error.code === "run_cancelled") {
      this.cancel();
      this.#port.cancelled(error);
    }
    const closing = this.#cancelled ? this.#closing(batch) : batch;
    if (closing.length < batch.length) return closing;
    if (!isFatal(error) && error.code !== "run_cancelled") return this.#withoutCulprit(batch, error);
    this.end(error); // what closes is refused, too: it has ended
    this.#port.over(error);
    return [];
  }

  /** Leaves out the event that is to blame. Where none is named, each is sent by itself; stored ones count once. */
  async #withoutCulprit(batch: readonly Queued[], error: AntiphonError): Promise<readonly Queued[]> {
    const named = /^\/params\/events\/(\d+)(\/|$)/.exec(error.pointer ?? "")?.[1];
    if (batch.length === 1) {
      this.#port.problem(error);
      return [];
    }
    if (named !== undefined && Number(named) < batch.length) {
      this.#port.problem(error);
      return batch.filter((_, index) => index !== Number(named));
    }
    for (const event of batch) await this.#deliver([event]);
    return [];
  }

  #closing(events: readonly Queued[]): Queued[] {
    return events.filter(({ type, subject }) => {
      if (type === "message.open" || type === "tool.start") this.#unbegun.add(subject);
      if (type === "message.close" || type === "tool.end" || type === "tool.progress") return !this.#unbegun.has(subject);
      return !GROWING.has(type);
    });
  }

  #room(): Promise<void> {
    if (!this.#full) return Promise.resolve();
    return new Promise((resolve) => this.#roomy.push(resolve));
  }

  get #full(): boolean {
    return this.#chars > HIGH_CHARS || this.#queue.length > HIGH_EVENTS;
  }

  #count(): void {
    this.#chars = this.#queue.reduce((sum, { size }) => sum + size, 0);
    if (this.#full) return;
    for (const resolve of this.#roomy.splice(0)) resolve();
  }
}

function subjectOf(data: unknown): unknown {
  return isObject(data) ? (data["message_id"] ?? data["tool_call_id"]) : undefined;
}

/** Cut where no character is cut in half. */
function* pieces(delta: string): Generator<string> {
  for (let from = 0; from < delta.length; ) {
    let to = Math.min(from + MAX_DELTA_CHARS - ENVELOPE_CHARS, delta.length);
    const last = delta.charCodeAt(to - 1);
    if (to < delta.length && last >= 0xd800 && last <= 0xdbff) to -= 1;
    yield delta.slice(from, to);
    from = to;
  }
}

function asAntiphonError(error: unknown): AntiphonError {
  return error instanceof AntiphonError ? error : new AntiphonError("internal", String(error), { cause: error });
}
