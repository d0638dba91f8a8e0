/** The newest events of one channel as a value for components. Knows no React. */

import type { After, AntiphonError, Cursor, Gap, Item, Live, LiveEvent, Subscription } from "../src/index.js";
import { oncePerFrame } from "../src/frame.js";

export interface ChannelView {
  /** Ascending, at most `limit`; a new array whenever it changes. */
  readonly events: readonly LiveEvent[];
  /** Events dropped from the front because of `limit`. */
  readonly dropped: number;
  readonly caughtUp: boolean;
  /** The last gap; null = none. A gap that begins a new life of the store also empties `events`. */
  readonly gap: Gap | null;
  /** What ended the subscription; null = it is open. */
  readonly error: AntiphonError | null;
}

const EMPTY: ChannelView = { events: [], dropped: 0, caughtUp: false, gap: null, error: null };

export class ChannelViewStore {
  readonly #live: Live;
  readonly #channel: string;
  readonly #limit: number;
  readonly #first: After;
  #shown: ChannelView = EMPTY; // what components see, changed once per frame
  #items: Item[] = []; // came since
  #subscription: Subscription | null = null;
  #cursor: Cursor | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #showSoon = oncePerFrame(() => { this.#show(); });

  constructor(live: Live, channel: string, after: After, limit: number) {
    this.#live = live;
    this.#channel = channel;
    this.#first = after;
    this.#limit = Math.max(1, limit);
  }

  readonly get = (): ChannelView => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#subscription === null && this.#shown.error === null) this.#start();
    return () => {
      this.#listeners.delete(listener);
      // mounted again at once (StrictMode): go on; otherwise let go, and resume from the cursor if it ever comes back
      queueMicrotask(() => {
        if (this.#listeners.size === 0) this.#stop();
      });
    };
  };

  #start(): void {
    const subscription = this.#live.subscribe(this.#channel, { after: this.#cursor ?? this.#first });
    this.#subscription = subscription;
    subscription.on(
      (items) => { this.#take(items); },
      (error) => {
        this.#shown = { ...this.#shown, error };
        this.#showSoon();
      },
    );
  }

  #stop(): void {
    this.#cursor = this.#subscription?.cursor ?? this.#cursor;
    this.#subscription?.close();
    this.#subscription = null;
  }

  #take(items: readonly Item[]): void {
    this.#items.push(...items);
    if (this.#items.length > 2 * this.#limit + 1000) this.#fold(); // no frame comes for long: stay small
    this.#showSoon();
  }

  #show(): void {
    this.#fold();
    for (const listener of [...this.#listeners]) listener();
  }

  #fold(): void {
    const items = this.#items;
    this.#items = [];
    this.#shown = foldView(this.#shown, items, this.#limit);
  }
}

/** The view after `items`; the same object where nothing changed. */
export function foldView(before: ChannelView, items: readonly Item[], limit: number): ChannelView {
  if (items.length === 0) return before;
  let { caughtUp, gap, dropped } = before;
  let events: LiveEvent[] | null = null; // a copy, once something is added
  for (const item of items) {
    if (item.kind === "event") {
      events ??= before.events.slice();
      events.push(item);
    } else if (item.kind === "gap") {
      gap = item;
      if (item.reason === "new_epoch" || item.reason === "beyond_head") {
        events = [];
        dropped = 0;
      }
    } else {
      caughtUp = item.kind === "caught_up";
    }
  }
  const all = events ?? before.events;
  const excess = Math.max(0, all.length - limit);
  return { ...before, events: excess > 0 ? all.slice(excess) : all, dropped: dropped + excess, caughtUp, gap };
}
