/** The settings in force, with their defaults, and the real clock and surroundings. */

import { clientError } from "./errors.js";
import type { ConnectOptions, Surroundings, Timers, WebSocketConstructor } from "./options.js";

export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
  readonly stableMs: number;
}

export interface Timeouts {
  readonly openMs: number;
  readonly requestMs: number;
  readonly pingEveryMs: number;
  readonly pingMs: number;
}

export interface Settings {
  readonly url: URL;
  readonly token: string | undefined;
  readonly ticket: (() => Promise<string>) | undefined;
  readonly WebSocket: WebSocketConstructor;
  readonly fetch: typeof fetch | undefined;
  readonly backoff: Backoff;
  readonly timeouts: Timeouts;
  readonly bufferItems: number;
  readonly random: () => number;
  readonly timers: Timers;
  readonly surroundings: Surroundings;
}

export const BACKOFF: Backoff = { baseMs: 300, capMs: 15_000, stableMs: 10_000 };
const TIMEOUTS: Timeouts = { openMs: 10_000, requestMs: 30_000, pingEveryMs: 15_000, pingMs: 10_000 };

/** Throws AntiphonError `usage` for what can never work. */
export function settingsOf(options: ConnectOptions): Settings {
  const socket = options.WebSocket ?? (globalThis as { WebSocket?: unknown }).WebSocket;
  if (socket === undefined) throw clientError("usage", "there is no global WebSocket here: pass one as connect({ WebSocket })");
  return {
    url: socketUrl(options.url),
    token: options.token,
    ticket: options.ticket,
    WebSocket: socket as WebSocketConstructor,
    fetch: options.fetch ?? globalFetch(),
    backoff: { ...BACKOFF, ...options.backoff },
    timeouts: { ...TIMEOUTS, ...options.timeouts },
    bufferItems: Math.max(1, options.bufferItems ?? 1000),
    random: options.random ?? Math.random,
    timers: options.timers ?? realTimers,
    surroundings: options.surroundings ?? realSurroundings,
  };
}

function socketUrl(given: string | URL | undefined): URL {
  const page = (globalThis as { location?: { href?: string } }).location?.href;
  if (given === undefined && page === undefined) throw clientError("usage", "connect needs a url outside a browser");
  const url = new URL(given ?? "/live", page);
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") throw clientError("usage", `${url.href} is no address of a socket`);
  url.hash = "";
  return url;
}

function globalFetch(): typeof fetch | undefined {
  const found = (globalThis as { fetch?: typeof fetch }).fetch;
  return found?.bind(globalThis);
}

/** Runs tasks after what already waits in the event loop, unthrottled in hidden tabs (unlike timers of 0 ms). */
function makeDefer(): (task: () => void) => void {
  const { setImmediate } = globalThis as { setImmediate?: (task: () => void) => void };
  if (setImmediate !== undefined) return setImmediate;
  if (typeof MessageChannel === "undefined") return (task) => setTimeout(task, 0);
  const waiting: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => waiting.shift()?.();
  return (task) => {
    waiting.push(task);
    port2.postMessage(null);
  };
}

export const realTimers: Timers = {
  now: () => Date.now(),
  setTimeout: (task, delayMs) => setTimeout(task, delayMs),
  clearTimeout: (handle) => {
    clearTimeout(handle as ReturnType<typeof setTimeout>);
  },
  defer: makeDefer(),
};

export const realSurroundings: Surroundings = {
  isOnline: () => (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine !== false,
  subscribe: (listener) => {
    if (typeof globalThis.addEventListener !== "function" || typeof document === "undefined") return () => undefined;
    const aborted = new AbortController();
    const until = { signal: aborted.signal };
    const seen = (): void => {
      if (document.visibilityState === "visible") listener("visible");
    };
    globalThis.addEventListener("online", () => { listener("online"); }, until);
    globalThis.addEventListener("offline", () => { listener("offline"); }, until);
    globalThis.addEventListener("pageshow", seen, until);
    document.addEventListener("visibilitychange", seen, until);
    return () => { aborted.abort(); };
  },
};
