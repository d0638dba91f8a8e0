/** What `connect` can be told; everything has a default. */

// a method's parameters may be compared in both directions: each library names its own event types
type Handler<E> = { handle(event: E): void }["handle"] | null;

/** The part of the WebSocket interface that is used; browsers, Node >= 22 and the npm package `ws` satisfy it. */
export interface WebSocketLike {
  readonly readyState: number;
  onmessage: Handler<{ readonly data: unknown }>;
  onclose: Handler<{ readonly code: number; readonly reason: string }>;
  onerror: Handler<object>;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** Full jitter: the n-th wait is random between 0 and `min(capMs, baseMs * 2 ** n)`. Attempts never end. */
export interface BackoffOptions {
  /** Default 300. */
  readonly baseMs?: number;
  /** Default 15 000. */
  readonly capMs?: number;
  /** A connection that lived this long resets the count of attempts. Default 10 000. */
  readonly stableMs?: number;
}

export interface TimeoutOptions {
  /** From the attempt to the server's welcome. Default 10 000. */
  readonly openMs?: number;
  /** For the answer to a request. Default 30 000. */
  readonly requestMs?: number;
  /** Pause between pings. Default 15 000. */
  readonly pingEveryMs?: number;
  /** A server that stays silent this long after a ping is dead. Default 10 000. */
  readonly pingMs?: number;
}

/** The clock; tests pass one that they move. */
export interface Timers {
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly setTimeout: (task: () => void, delayMs: number) => unknown;
  readonly clearTimeout: (handle: unknown) => void;
  /** Run soon, after what is already waiting in the event loop. */
  readonly defer: (task: () => void) => void;
}

/** What the machine tells about its network; tests pass their own. */
export interface Surroundings {
  /** False only where it is known that there is no network. */
  readonly isOnline: () => boolean;
  /** `visible`: somebody looks at the page again. Returns the function that ends it. */
  readonly subscribe: (listener: (news: "online" | "offline" | "visible") => void) => () => void;
}

export interface ConnectOptions {
  /** Of the socket; `http(s)` is read as `ws(s)`. Default: `/live` of the page's own origin. */
  readonly url?: string | URL;
  /** Bearer token (programs). It is exchanged for a one-use ticket, as sockets cannot carry headers everywhere. */
  readonly token?: string;
  /** Gets a one-use ticket before each attempt (pages on other origins). */
  readonly ticket?: () => Promise<string>;
  /** Default: the global one. */
  readonly WebSocket?: WebSocketConstructor;
  /** Default: the global one. Used for tickets and to learn why a socket was refused. */
  readonly fetch?: typeof fetch;
  readonly backoff?: BackoffOptions;
  readonly timeouts?: TimeoutOptions;
  /** Items an unread iterator keeps before it stops receiving. Default 1000. */
  readonly bufferItems?: number;
  /** Between 0 and 1. Default `Math.random`. */
  readonly random?: () => number;
  readonly timers?: Timers;
  readonly surroundings?: Surroundings;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
  /**
   * Null = wait as long as it takes. Default: `timeouts.requestMs`; for `process.stop`, `.restart` and `tool.call` 120 000;
   * for `run.result` what it waits, and that.
   */
  readonly timeoutMs?: number | null;
}

export interface PublishOptions {
  /** 1 to 255 characters. Default: a new random one per call. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** Default null: it waits for the connection as long as it takes. */
  readonly timeoutMs?: number | null;
}
