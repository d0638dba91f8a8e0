/** One AG-UI run behind a `fetch`: numbered frames, answers that break where the test says, no sockets. */

import type { Fetch } from "../../agui/index.js";

type Event = Readonly<Record<string, unknown>>;

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly lastId: string | null;
  readonly body: unknown;
}

export class MiniRun {
  readonly asked: Asked[] = [];
  /** For each answer in turn: it breaks after so many bytes. Without an entry it is sent whole. */
  readonly cuts: number[] = [];
  /** A cut answer ends as if all were said. */
  cleanCuts = false;
  /** What comes instead of the next answers, in turn. */
  readonly instead: ((signal: AbortSignal | null | undefined) => Response)[] = [];
  lineEnd = "\n";
  readonly #frames: readonly string[];

  constructor(readonly events: readonly Event[]) {
    this.#frames = events.map((event, index) => frame(event, String(index + 1)));
  }

  readonly fetch: Fetch = (url, init) => {
    const headers = new Headers(init.headers);
    const lastId = headers.get("last-event-id");
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : null;
    this.asked.push({ method: init.method ?? "GET", url, lastId, body });
    const other = this.instead.shift();
    try {
      return Promise.resolve(other === undefined ? this.#answer(lastId) : other(init.signal));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  };

  #answer(lastId: string | null): Response {
    const text = this.#frames.slice(Number(lastId ?? 0)).join("");
    const bytes = new TextEncoder().encode(text.replaceAll("\n", this.lineEnd));
    const cut = this.cuts.shift() ?? Infinity;
    return stream(bytes.slice(0, cut), cut < bytes.length && !this.cleanCuts ? "break" : "end");
  }
}

export function frame(event: Event, id: string | null = null): string {
  return `${id === null ? "" : `id: ${id}\n`}data: ${JSON.stringify(event)}\n\n`;
}

/** An event stream in small pieces that breaks, ends, or waits for ever. */
export function stream(said: Uint8Array | string, then: "break" | "end" | "wait"): Response {
  const bytes = typeof said === "string" ? new TextEncoder().encode(said) : said;
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (sent < bytes.length) controller.enqueue(bytes.slice(sent, (sent += 7)));
      else if (then === "end") controller.close();
      else if (then === "break") controller.error(new TypeError("the network broke"));
      else return new Promise(() => undefined);
      return undefined;
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}
