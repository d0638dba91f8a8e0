/** All that a run said so far, to be looked at as it was after any of its events. Plain code: no connection, no clock. */

import type { Gap, Item, LiveEvent, Subscribed } from "../types.js";
import { foldRun } from "./fold.js";
import { emptyRun } from "./view.js";
import type { RunView } from "./view.js";

/** What moves a view. */
export type RecordedItem = LiveEvent | Gap | Subscribed;

/** Events between two views that are kept as starting points; doubled whenever there are too many of those. */
const FIRST_STRIDE = 1000;
const MAX_MARKS = 32;

interface Mark {
  /** Items before this index are in `view`. */
  readonly index: number;
  readonly view: RunView;
}

export class RunRecording {
  readonly #items: RecordedItem[] = [];
  readonly #first: RunView;
  #marks: Mark[];
  #stride = FIRST_STRIDE;
  #last: Mark;

  /** `before`: the view that the first item continues; by default that of a run of which nothing is known. */
  constructor(runId: string, before: RunView = emptyRun(runId)) {
    this.#first = before;
    this.#last = { index: 0, view: before };
    this.#marks = [this.#last];
  }

  /** Events and what stands where some are missing, in order. The same array, which grows. */
  get items(): readonly RecordedItem[] {
    return this.#items;
  }

  push(items: readonly Item[]): void {
    for (const item of items) {
      if (item.kind === "gap" && (item.reason === "new_epoch" || item.reason === "beyond_head")) this.#forget();
      // a subscription that could not be continued is followed by a gap, which says everything
      if (item.kind !== "caught_up" && (item.kind !== "subscribed" || item.recovered)) this.#items.push(item);
    }
  }

  /** The run as it was after the event with this offset. Throws AntiphonError `invalid_patch`. */
  at(offset: number): RunView {
    const index = this.#after(offset);
    if (this.#last.index === index) return this.#last.view;
    let mark = this.#markBefore(index);
    while (index - mark.index > this.#stride) mark = this.#mark(mark, mark.index + this.#stride);
    const view = foldRun(mark.view, this.#items.slice(mark.index, index));
    this.#last = { index, view };
    return view;
  }

  /** How many items are to be folded for this offset: what began an item later is not. */
  #after(offset: number): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const item = this.#items[middle];
      if (item !== undefined && reached(item) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #markBefore(index: number): Mark {
    const kept = this.#marks.findLast((mark) => mark.index <= index);
    const best = kept ?? { index: 0, view: this.#first };
    return this.#last.index <= index && this.#last.index > best.index ? this.#last : best;
  }

  #mark(from: Mark, index: number): Mark {
    const mark = { index, view: foldRun(from.view, this.#items.slice(from.index, index)) };
    this.#marks.push(mark);
    this.#marks.sort((left, right) => left.index - right.index);
    if (this.#marks.length > MAX_MARKS) {
      this.#stride *= 2;
      this.#marks = this.#marks.filter((_, place) => place % 2 === 0);
    }
    return mark;
  }

  /** The store began a new life: what was is void. */
  #forget(): void {
    this.#items.length = 0;
    this.#last = { index: 0, view: this.#first };
    this.#marks = [this.#last];
  }
}

/** The offset at which an item is in force. */
function reached(item: RecordedItem): number {
  switch (item.kind) {
    case "event":
      return item.offset;
    case "gap":
      return item.to;
    case "subscribed":
      return item.after;
  }
}
