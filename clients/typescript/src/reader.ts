/**
 * One local subscription: its cursor, a bounded buffer, one consumer.
 *
 * There are two positions. `epoch/offset` is what the reader has received; its feed works with that one. `cursor` is what
 * the consumer has been handed; that one is public, so that whoever stores it resumes exactly there.
 */

import type { AntiphonError } from "./errors.js";
import { clientError } from "./errors.js";
import type { Timers } from "./options.js";
import { guarded, reportUncaught } from "./store.js";
import type { After, CaughtUp, Cursor, Gap, Item, LiveEvent, Subscribed, Subscription } from "./types.js";

export interface ReaderOwner {
  /** The buffer has room again. */
  roomy(reader: Reader): void;
  closed(reader: Reader): void;
}

interface Listener {
  readonly items: (items: readonly Item[]) => void;
  readonly error: ((error: AntiphonError) => void) | undefined;
}

/** A batch for a listener is handed over at this size even if more is coming. */
const MAX_BATCH = 1024;

export class Reader implements Subscription {
  readonly channel: string;
  epoch: string | null = null;
  offset = 0;
  /** The log had nothing newer when this reader last pulled. */
  atHead = false;
  readonly #first: After;
  readonly #owner: ReaderOwner;
  readonly #bound: number;
  readonly #defer: Timers["defer"];
  #items: Item[] = [];
  #taken = 0; // items before this index were handed over
  #handed: { epoch: string; offset: number } | undefined;
  #announced = -1; // the connection whose `subscribed` was passed on
  #caughtUp = -1; // the connection whose `caught_up` was passed on
  #iterating = false;
  #waiting: { resolve: (result: IteratorResult<Item>) => void; reject: (error: AntiphonError) => void }[] = [];
  #listener: Listener | null = null;
  #flushing = false;
  #ended = false;
  #error: AntiphonError | null = null;

  constructor(channel: string, after: After, bound: number, defer: Timers["defer"], owner: ReaderOwner) {
    this.channel = channel;
    this.#first = after;
    this.#bound = bound;
    this.#defer = defer;
    this.#owner = owner;
  }

  get cursor(): Cursor | undefined {
    return this.#handed && { epoch: this.#handed.epoch, offset: this.#handed.offset };
  }

  /** Where the server should begin for this reader. */
  get after(): After {
    return this.epoch === null ? this.#first : { epoch: this.epoch, offset: this.offset };
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Half of the buffer is free: time to fetch more. */
  get hasRoom(): boolean {
    return this.#listener !== null || this.#items.length - this.#taken <= this.#bound / 2;
  }

  // ---- for the feed ----

  /** The answer to a `subscribe` that was made for this reader. */
  accept(reply: Subscribed, connection: number): void {
    const asked = this.after;
    if (typeof asked === "string") {
      this.#moveTo(reply.epoch, reply.after);
      this.#announce(reply, connection);
      return;
    }
    const gap = reply.recovered ? null : lostBetween(asked, reply);
    if (gap === null) {
      this.#moveTo(asked.epoch, asked.offset);
      if (this.#announced !== connection) this.#announce({ ...reply, after: asked.offset, recovered: true }, connection);
    } else {
      this.#moveTo(reply.epoch, reply.after);
      this.#announce(reply, connection);
      this.#push(gap);
    }
  }

  /** Takes the event unless the reader has it already. False: the buffer is full now, send no more. */
  event(event: LiveEvent): boolean {
    if (event.offset <= this.offset) return true;
    this.offset = event.offset;
    this.#push(event);
    return this.#listener !== null || this.#items.length - this.#taken < this.#bound;
  }

  gap(gap: Gap): void {
    if (gap.to <= this.offset) return;
    const from = Math.max(gap.from, this.offset + 1);
    this.#moveTo(gap.epoch, gap.to);
    this.#push({ ...gap, from });
  }

  caughtUp(connection: number): void {
    if (this.#caughtUp === connection) return;
    this.#caughtUp = connection;
    const item: CaughtUp = { kind: "caught_up", channel: this.channel, offset: this.offset };
    this.#push(item);
  }

  /** The server ended this subscription for good. What is buffered is still handed over. */
  fail(error: AntiphonError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    if (this.#listener === null) {
      this.#wake();
      return;
    }
    this.#flush();
    this.#tellError(this.#listener);
  }

  // ---- for the consumer ----

  on(items: (items: readonly Item[]) => void, error?: (error: AntiphonError) => void): () => void {
    if (this.#iterating || this.#listener !== null) throw secondConsumer(this.channel);
    const listener: Listener = { items, error };
    this.#listener = listener;
    if (this.#items.length > 0 || this.#error !== null) this.#scheduleFlush();
    this.#owner.roomy(this);
    return () => {
      if (this.#listener === listener) this.#listener = null;
    };
  }

  [Symbol.asyncIterator](): AsyncIterator<Item, undefined> {
    if (this.#iterating || this.#listener !== null) throw secondConsumer(this.channel);
    this.#iterating = true;
    return {
      next: () => this.#next(),
      return: () => {
        this.close();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#items = [];
    this.#taken = 0;
    this.#wake();
    this.#owner.closed(this);
  }

  #next(): Promise<IteratorResult<Item, undefined>> {
    const item = this.#items[this.#taken];
    if (item !== undefined) {
      this.#take(1);
      this.#owner.roomy(this);
      return Promise.resolve({ done: false, value: item });
    }
    if (this.#ended) return this.#finish();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (result: IteratorResult<Item>) => void, reject });
    });
  }

  #finish(): Promise<IteratorResult<Item, undefined>> {
    const error = this.#error;
    this.#error = null; // thrown once; afterwards the iterator is at its end
    return error === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
  }

  #push(item: Item): void {
    if (this.#ended) return;
    this.#items.push(item);
    if (this.#listener !== null) {
      if (this.#items.length >= MAX_BATCH) this.#flush();
      else this.#scheduleFlush();
    } else {
      this.#wake();
    }
  }

  /** Serves the iterations that wait, as far as the buffer goes. */
  #wake(): void {
    while (this.#waiting.length > 0) {
      const item = this.#items[this.#taken];
      if (item === undefined && !this.#ended) return;
      const waiting = this.#waiting.shift();
      if (item !== undefined) {
        this.#take(1);
        waiting?.resolve({ done: false, value: item });
      } else if (this.#error !== null) {
        waiting?.reject(this.#error);
        this.#error = null;
      } else {
        waiting?.resolve({ done: true, value: undefined });
      }
    }
  }

  #scheduleFlush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#defer(() => {
      this.#flushing = false;
      this.#flush();
      if (this.#error !== null && this.#listener !== null) this.#tellError(this.#listener);
    });
  }

  #flush(): void {
    const listener = this.#listener;
    if (listener === null || this.#items.length === this.#taken) return;
    const batch = this.#taken === 0 ? this.#items : this.#items.slice(this.#taken);
    this.#take(this.#items.length - this.#taken);
    guarded(() => { listener.items(batch); });
  }

  #tellError(listener: Listener): void {
    const error = this.#error;
    this.#error = null;
    if (error === null) return;
    if (listener.error === undefined) reportUncaught(error);
    else guarded(() => listener.error?.(error));
  }

  /** Moves the public cursor over the next items and forgets them. */
  #take(count: number): void {
    for (let index = this.#taken; index < this.#taken + count; index++) {
      const item = this.#items[index];
      if (item !== undefined) this.#hand(item);
    }
    this.#taken += count;
    if (this.#taken === this.#items.length) {
      this.#items = [];
      this.#taken = 0;
    } else if (this.#taken >= this.#bound) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
  }

  #hand(item: Item): void {
    if (item.kind === "event") {
      if (this.#handed !== undefined) this.#handed.offset = item.offset;
    } else if (item.kind === "subscribed") {
      // with `recovered: false` the gap that follows moves the cursor
      if (item.recovered) this.#handed = { epoch: item.epoch, offset: item.after };
    } else if (item.kind === "gap") {
      this.#handed = { epoch: item.epoch, offset: item.to };
    }
  }

  #announce(item: Subscribed, connection: number): void {
    this.#announced = connection;
    this.#push(item);
  }

  #moveTo(epoch: string, offset: number): void {
    this.epoch = epoch;
    this.offset = offset;
  }
}

/** What a refused cursor means for one reader; null = it has missed nothing. */
function lostBetween(before: Cursor, reply: Subscribed): Gap | null {
  const { channel, epoch, after, head, state, messages } = reply;
  const base = {
    kind: "gap" as const,
    channel,
    epoch,
    to: after,
    ...(state === undefined ? {} : { state }),
    ...(messages === undefined ? {} : { messages }),
  };
  if (before.epoch !== epoch) return { ...base, from: 1, reason: "new_epoch" };
  if (before.offset > head) return { ...base, from: after + 1, reason: "beyond_head" };
  return before.offset < after ? { ...base, from: before.offset + 1, reason: "retention" } : null;
}

function secondConsumer(channel: string): AntiphonError {
  return clientError("usage", `this subscription of ${channel} has its consumer already: subscribe again for another one`);
}
