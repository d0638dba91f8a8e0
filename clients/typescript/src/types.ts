/** The words of the public face: cursors, what a subscription yields, the state of the connection. */

import type { AntiphonError } from "./errors.js";

/** The last event somebody has; offset 0 stands before the first. */
export interface Cursor {
  readonly epoch: string;
  readonly offset: number;
}

/** A value that changes: read it, or be told. The shape `useSyncExternalStore` wants. */
export interface Readable<T> {
  /** The value now; the same object until it changes. */
  readonly get: () => T;
  /** Calls `listener` after each change. Returns the function that ends it. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** One entry of a channel. */
export interface LiveEvent {
  readonly kind: "event";
  readonly channel: string;
  readonly offset: number;
  readonly type: string;
  readonly data: unknown;
  /** RFC 3339, UTC, milliseconds. Set once at append; never used for order. */
  readonly time: string;
  /** The user who caused it; null = the server itself. */
  readonly by: string | null;
}

/** A JSON value that belongs to a channel; `version` is the offset of its last change, 0 = never changed. */
export interface ChannelState<T = unknown> {
  readonly version: number;
  readonly value: T;
}

/** A message that is still growing: its text so far. */
export interface OpenMessage {
  readonly messageId: string;
  readonly role: string;
  readonly text: string;
}

/** Events that will not come. `state` and `messages`, where present, replace what you had, as of `to`. */
export interface Gap {
  readonly kind: "gap";
  readonly channel: string;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  /**
   * `retention`: trimmed before you read them. `new_epoch`: the store began a new life, everything you had is void.
   * `beyond_head`: your cursor was ahead of the log. Other words may come from newer servers.
   */
  readonly reason: string;
  readonly state?: ChannelState;
  readonly messages?: readonly OpenMessage[];
}

/** The missed events have been delivered; what follows is live. Comes once per connection. */
export interface CaughtUp {
  readonly kind: "caught_up";
  readonly channel: string;
  readonly offset: number;
}

/** The server accepted the subscription. Comes first, and again after each reconnection. */
export interface Subscribed {
  readonly kind: "subscribed";
  readonly channel: string;
  readonly epoch: string;
  /** Delivery begins with offset `after + 1`. */
  readonly after: number;
  /** Newest offset at that moment; 0 = none yet. */
  readonly head: number;
  /** Oldest offset kept; `head + 1` = none. */
  readonly oldest: number;
  /** False only when a given cursor could not be continued; a `Gap` follows then. */
  readonly recovered: boolean;
  readonly state?: ChannelState;
  readonly messages?: readonly OpenMessage[];
}

/** What a subscription yields. */
export type Item = LiveEvent | Gap | CaughtUp | Subscribed;

export type ConnectionState =
  | { readonly phase: "connecting" }
  /** `latencyMs`: round trip of the last ping; null = not measured yet. */
  | { readonly phase: "live"; readonly latencyMs: number | null }
  /** `behind`: events still to come until every live subscription has caught up. */
  | { readonly phase: "catching_up"; readonly behind: number }
  /** `retryAt`: when the next attempt starts, Unix milliseconds; `attempt` counts from 1. */
  | { readonly phase: "reconnecting"; readonly retryAt: number; readonly attempt: number; readonly reason: string }
  /** The browser says that there is no network. */
  | { readonly phase: "offline" }
  /** The server will not have us; trying again is pointless until something is done (then: `reconnect()`). */
  | { readonly phase: "refused"; readonly error: AntiphonError }
  | { readonly phase: "closed" };

/** Where to begin: a cursor, `"start"` = the oldest kept event, `"now"` = only what comes. */
export type After = Cursor | "start" | "now";

export interface SubscribeOptions {
  /** Default `"now"`. */
  readonly after?: After;
  /** Aborting closes the subscription. */
  readonly signal?: AbortSignal;
}

/**
 * One reader of one channel. It has a single consumer: either `for await`, or `on`.
 *
 * An iterator that is not read keeps at most a bounded number of items; beyond that the subscription stops receiving and
 * later pulls what it missed from the log, page by page, exactly from its cursor. Nothing is lost, nothing grows.
 */
export interface Subscription extends AsyncIterable<Item> {
  readonly channel: string;
  /** The last event that was handed to the consumer; undefined until the server accepted the subscription. */
  readonly cursor: Cursor | undefined;
  /**
   * Hand items over in batches, at most one call per turn of the event loop.
   * `onError` hears the error that ended the subscription; without it that error is reported as uncaught.
   * Returns the function that detaches the listener; the subscription stays open.
   */
  on(listener: (items: readonly Item[]) => void, onError?: (error: AntiphonError) => void): () => void;
  /** The one iterator. Leaving its loop closes the subscription; it throws the AntiphonError that ended it. */
  [Symbol.asyncIterator](): AsyncIterator<Item, undefined>;
  /** End it. May be called twice. A waiting iterator ends. */
  close(): void;
}
