/** The newest lines of a log, whether shown or not, and those that arrived since the last frame. Bounded at any rate. */

import type { Entry } from "./entry";
import type { Page } from "./window";
import { append, emptyAfter, indexOf } from "./window";

export class Tail {
  #page: Page = emptyAfter(0);
  #pending: Entry[] = [];
  #pendingFirst = 0;
  #max: number;

  constructor(maxEntries: number) {
    this.#max = maxEntries;
  }

  /** One unbroken range up to the last line that was taken. */
  get page(): Page {
    return this.#page;
  }

  get isEmpty(): boolean {
    return this.#page.last < this.#page.first;
  }

  /** Begin anew. */
  reset(page: Page): void {
    this.#page = page;
    this.#pending = [];
  }

  /** An entry arrived; it covers the offsets from `first` to its own. */
  hold(entry: Entry, first: number): void {
    if (this.#pending.length === 0) this.#pendingFirst = first;
    this.#pending.push(entry);
    // While the page is hidden no frame comes and nobody takes: keep only what can be kept anyway.
    if (this.#pending.length <= 2 * this.#max) return;
    this.#pending = this.#pending.slice(-this.#max);
    this.#pendingFirst = this.#pending[0]?.offset ?? first;
  }

  /** What arrived since the last call, now part of the tail; null = nothing. */
  take(): Page | null {
    const last = this.#pending.at(-1)?.offset;
    if (last === undefined) return null;
    const fresh: Page = { entries: this.#pending, first: this.#pendingFirst, last };
    this.#pending = [];
    this.#page = append(this.#page, fresh, "all", this.#max);
    return fresh;
  }

  /** The entries right after an offset, at most `limit`; null if the tail does not reach back that far. */
  after(offset: number, limit: number): Page | null {
    const { entries, first, last } = this.#page;
    if (first > offset + 1 || last <= offset) return null;
    const from = indexOf(entries, offset + 1);
    const rest = entries.slice(from, from + limit);
    return { entries: rest, first: offset + 1, last: rest.at(-1)?.offset ?? last };
  }
}
