/** A log in memory that answers as the server does. */

import type { Cursor, HistoryPage, Item, LiveEvent } from "@antiphon/client";

import type { LogSource, PageRequest } from "../src/logs/source";

export class FakeLog implements LogSource {
  readonly requests: PageRequest[] = [];
  readonly subscriptions: Cursor[] = [];
  oldest = 1;
  head: number;
  failNext = false;
  /** While true, answers wait until `release`. */
  held = false;
  #listener: ((items: readonly Item[]) => void) | null = null;
  #waiting: (() => void)[] = [];
  #stream: (offset: number) => string;

  constructor(lines: number, stream: (offset: number) => string = () => "stdout") {
    this.head = lines;
    this.#stream = stream;
  }

  async history({ before, after, limit }: PageRequest, signal: AbortSignal): Promise<HistoryPage> {
    this.requests.push({
      limit,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    });
    if (this.held) await new Promise<void>((done) => this.#waiting.push(done));
    signal.throwIfAborted();
    if (this.failNext) {
      this.failNext = false;
      throw new Error("no answer");
    }
    const end = Math.min(this.head, (before ?? this.head + 1) - 1);
    const from = after === undefined ? Math.max(this.oldest, end - limit + 1) : Math.max(this.oldest, after + 1);
    const to = after === undefined ? end : Math.min(this.head, from + limit - 1);
    const events: LiveEvent[] = [];
    for (let offset = from; offset <= to; offset++) events.push(this.event(offset));
    return { epoch: "e1", events, oldest: this.oldest, head: this.head };
  }

  subscribe(after: Cursor, onItems: (items: readonly Item[]) => void): () => void {
    this.subscriptions.push(after);
    this.#listener = onItems;
    return () => {
      if (this.#listener === onItems) this.#listener = null;
    };
  }

  event(offset: number): LiveEvent {
    const data = { text: `line ${offset}`, stream: this.#stream(offset) };
    return { kind: "event", channel: "log:x", offset, type: "line", data, time: "2026-11-21T08:00:00.000Z", by: null };
  }

  /** New lines arrive. */
  write(lines: number): void {
    const events: LiveEvent[] = [];
    for (let i = 0; i < lines; i++) events.push(this.event(++this.head));
    this.emit(events);
  }

  emit(items: readonly Item[]): void {
    this.#listener?.(items);
  }

  release(): void {
    this.held = false;
    for (const done of this.#waiting.splice(0)) done();
  }
}

/** A frame clock that the test moves. */
export class Frames {
  #tasks: (() => void)[] = [];
  readonly schedule = (task: () => void): void => void this.#tasks.push(task);

  get waiting(): number {
    return this.#tasks.length;
  }

  next(): void {
    for (const task of this.#tasks.splice(0)) task();
  }
}
