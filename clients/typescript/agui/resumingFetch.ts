/** A `fetch` whose event streams survive the connection they came over. Knows AG-UI, and no AG-UI package. */

import { waitMs } from "../src/backoff.js";
import { BACKOFF, realSurroundings, realTimers } from "../src/defaults.js";
import { errorOf } from "../src/door.js";
import { AntiphonError, clientError } from "../src/errors.js";
import type { BackoffOptions, Surroundings, Timers } from "../src/options.js";
import { frameOf, FrameSplitter } from "./frames.js";
import { Splice } from "./splice.js";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The connection is away; the next attempt begins in `delayMs`. */
export interface Reconnecting {
  /** Counts from 1; begins again once something new was received. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly reason: string;
}

export interface ResumeOptions {
  /** Default: the global one. */
  readonly fetch?: Fetch;
  /** As of `connect`. Attempts never end once a stream has begun; something new resets their count. */
  readonly backoff?: Pick<BackoffOptions, "baseMs" | "capMs">;
  /** Attempts to reach the server for a stream that has not begun. Default 4. */
  readonly firstAttempts?: number;
  /** A server that says nothing for this long, not even that it is there, is dead. Default 45 000. */
  readonly silenceMs?: number;
  readonly onReconnecting?: (wait: Reconnecting) => void;
  /** Between 0 and 1. Default `Math.random`. */
  readonly random?: () => number;
  readonly timers?: Timers;
  readonly surroundings?: Surroundings;
}

/** What the server says now it may not say in a moment. */
function isPassing({ status }: Response): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/**
 * For `new HttpAgent({ url, fetch: resumingFetch() })`: where the connection breaks in the middle of an answer it goes on with
 * `GET url/runs/RUN` and `Last-Event-ID`, and the reader notices nothing. Only for servers that resume (docs/agui.md), as a request
 * whose answer was lost is sent again. Answers that are no event stream pass as they are.
 */
export function resumingFetch(options: ResumeOptions = {}): Fetch {
  return (url, init) => new Following(url, init, options).begin();
}

class Following {
  readonly #url: string;
  readonly #init: RequestInit;
  readonly #options: ResumeOptions;
  readonly #fetch: Fetch;
  readonly #timers: Timers;
  readonly #signal: AbortSignal;
  /** Aborts with the caller's signal, and when the reader leaves. */
  readonly #gone = new AbortController();
  readonly #splice = new Splice();
  #failures = 0;
  /** The server has forgotten our name for the run: one that began with an answer to what it had asked. */
  #usesServerId = false;

  constructor(url: string, init: RequestInit, options: ResumeOptions) {
    this.#url = url;
    this.#init = init;
    this.#options = options;
    this.#fetch = options.fetch ?? ((address, request) => fetch(address, request));
    this.#timers = options.timers ?? realTimers;
    this.#signal = init.signal == null ? this.#gone.signal : AbortSignal.any([init.signal, this.#gone.signal]);
  }

  async begin(): Promise<Response> {
    const first = await this.#first();
    if (first.status === 204) return streamOf(first, nothing(), () => undefined); // no run to follow
    if (!isStream(first)) return first;
    return streamOf(first, this.#told(first), () => { this.#gone.abort(); });
  }

  /** The same request again is the same run: its id is in it. */
  async #first(): Promise<Response> {
    const { firstAttempts = 4 } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#fetch(this.#url, { ...this.#init, signal: this.#signal });
        if (this.#init.method === "POST" || !isPassing(answer) || attempt >= firstAttempts) return answer;
        await this.#wait(`the server answered ${String(answer.status)}`);
      } catch (error) {
        if (this.#signal.aborted || attempt >= firstAttempts) throw error;
        await this.#wait(reasonOf(error));
      }
    }
  }

  /** Where there is no way on, the reader is told in the words of the protocol: the stock client leaves a broken body unhandled. */
  async *#told(first: Response): AsyncGenerator<string, void, undefined> {
    try {
      for await (const text of this.#pieces(first)) yield text;
    } catch (error) {
      if (!(error instanceof AntiphonError)) throw error; // what the caller aborted with
      yield frameOf({ type: "RUN_ERROR", code: error.code, message: error.message });
    }
  }

  async *#pieces(first: Response): AsyncGenerator<string, void, undefined> {
    for (let answer = first; ; answer = await this.#next()) {
      let reason = "the stream ended without an outcome";
      try {
        for await (const text of this.#piece(answer)) yield text;
      } catch (error) {
        if (this.#signal.aborted || error instanceof AntiphonError) throw error;
        reason = reasonOf(error);
      }
      if (this.#splice.finished) return;
      await this.#wait(reason);
    }
  }

  async *#piece(answer: Response): AsyncGenerator<string, void, undefined> {
    const frames = new FrameSplitter();
    const reader = answer.body?.getReader();
    if (reader === undefined) return;
    try {
      for (;;) {
        const bytes = await this.#read(reader);
        if (bytes === undefined) return;
        let texts = "";
        for (const frame of frames.push(bytes)) {
          const before = this.#splice.lastId;
          const text = this.#splice.take(frame);
          if (this.#splice.lastId !== before) this.#failures = 0;
          if (text === null) {
            if (texts !== "") yield texts;
            return;
          }
          texts += text;
        }
        if (texts !== "") yield texts;
      }
    } finally {
      reader.cancel().catch(() => undefined); // already broken, or of no interest any more
    }
  }

  /** Undefined = the end. Throws where the server falls silent. */
  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
    let timer: unknown;
    const silence = new Promise<never>((_, reject) => {
      const { silenceMs = 45_000 } = this.#options;
      timer = this.#timers.setTimeout(() => { reject(new Error(`nothing came for ${String(silenceMs)} ms`)); }, silenceMs);
    });
    try {
      return (await Promise.race([reader.read(), silence])).value;
    } finally {
      this.#timers.clearTimeout(timer);
    }
  }

  /** Asks until it is given the next piece. Throws AntiphonError where there will be none. */
  async #next(): Promise<Response> {
    for (;;) {
      let reason: string;
      try {
        const answer = await this.#fetch(this.#runUrl(), this.#again());
        if (isStream(answer)) return answer;
        if (answer.ok) throw clientError("protocol_error", "the server does not go on with the run");
        if (!isPassing(answer) && !this.#knowsAnotherName(answer)) throw await errorOf(answer);
        await answer.body?.cancel();
        if (answer.status === 404) continue;
        reason = `the server answered ${String(answer.status)}`;
      } catch (error) {
        if (this.#signal.aborted || error instanceof AntiphonError) throw error;
        reason = reasonOf(error);
      }
      await this.#wait(reason);
    }
  }

  #knowsAnotherName({ status }: Response): boolean {
    const { runId, serverRunId } = this.#splice;
    if (status !== 404 || this.#usesServerId || this.#init.method !== "POST" || serverRunId === null || serverRunId === runId) return false;
    this.#usesServerId = true;
    return true;
  }

  /** A request that began a run is followed at the run's address; any other is repeated. */
  #runUrl(): string {
    const { runId: said, serverRunId } = this.#splice;
    const runId = this.#usesServerId ? serverRunId : (said ?? runIdOf(this.#init.body));
    if (this.#init.method !== "POST" || runId === null) return this.#url;
    const [path = "", query] = this.#url.split("?");
    return `${path.replace(/\/$/, "")}/runs/${encodeURIComponent(runId)}${query === undefined ? "" : `?${query}`}`;
  }

  #again(): RequestInit {
    const headers = new Headers(this.#init.headers);
    headers.delete("content-type");
    headers.set("accept", "text/event-stream");
    if (this.#splice.lastId !== null) headers.set("last-event-id", this.#splice.lastId);
    return { ...this.#init, method: "GET", body: null, headers: Object.fromEntries(headers), signal: this.#signal };
  }

  /** Until the next attempt; a page that is online or looked at again tries at once. Throws what the caller aborted with. */
  async #wait(reason: string): Promise<void> {
    const { backoff, random = Math.random, surroundings = realSurroundings, onReconnecting } = this.#options;
    const delayMs = waitMs(this.#failures, { ...BACKOFF, ...backoff }, random);
    this.#failures += 1;
    onReconnecting?.({ attempt: this.#failures, delayMs, reason });
    const leave = new AbortController();
    const until = AbortSignal.any([leave.signal, this.#signal]);
    if (!until.aborted) {
      await new Promise<void>((resolve) => {
        const timer = this.#timers.setTimeout(resolve, delayMs);
        const unwatch = surroundings.subscribe((news) => {
          if (news !== "offline") resolve();
        });
        until.addEventListener("abort", () => { resolve(); }, { once: true });
        leave.signal.addEventListener("abort", () => {
          this.#timers.clearTimeout(timer);
          unwatch();
        });
      });
    }
    leave.abort();
    this.#signal.throwIfAborted();
  }
}

function isStream(answer: Response): boolean {
  return answer.ok && (answer.headers.get("content-type") ?? "").startsWith("text/event-stream");
}

function runIdOf(body: BodyInit | null | undefined): string | null {
  if (typeof body !== "string") return null;
  try {
    const { runId } = JSON.parse(body) as { runId?: unknown };
    return typeof runId === "string" ? runId : null;
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function* nothing(): AsyncGenerator<string, void, undefined> {
  // an empty stream
}

/** The answer with another body: read on demand, and `left` once the reader has gone. */
function streamOf(first: Response, texts: AsyncGenerator<string, void, undefined>, left: () => void): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { value, done } = await texts.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: left,
  });
  const headers = new Headers(first.headers);
  headers.set("content-type", "text/event-stream");
  headers.delete("content-length");
  headers.delete("content-encoding");
  return new Response(body, { status: 200, headers });
}
