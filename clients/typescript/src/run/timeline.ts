/** The items of a run while a batch is folded in: each that changes is copied once per batch, all others are shared. */

import type { TimelineItem } from "./view.js";

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What an item is found by; items that never change again have no handle. */
export type Handle = `${"message" | "tool" | "question" | "child"} ${string}`;

export class Timeline {
  #items: TimelineItem[];
  /** Whether the array was made in this batch. */
  #own = false;
  /** Items made in this batch: these may be changed in place. */
  readonly #fresh = new Set<TimelineItem>();
  readonly #places = new Map<string, number>();

  constructor(items: readonly TimelineItem[]) {
    this.#items = items as TimelineItem[];
    items.forEach((item, index) => {
      const handle = handleOf(item);
      if (handle !== null) this.#places.set(handle, index);
    });
  }

  get items(): readonly TimelineItem[] {
    return this.#items;
  }

  /** What was handed out so far is never touched again. */
  begin(): void {
    this.#own = false;
    this.#fresh.clear();
  }

  add(item: TimelineItem): void {
    const array = this.#open();
    const handle = handleOf(item);
    if (handle !== null) this.#places.set(handle, array.length);
    array.push(item);
    this.#fresh.add(item);
  }

  has(handle: Handle): boolean {
    return this.#places.has(handle);
  }

  /** The item, to be changed in place; undefined = there is none. */
  edit<K extends TimelineItem["kind"]>(kind: K, id: string): Mutable<Extract<TimelineItem, { kind: K }>> | undefined {
    const place = this.#places.get(`${kind} ${id}`);
    return place === undefined ? undefined : (this.#editAt(place) as Mutable<Extract<TimelineItem, { kind: K }>>);
  }

  /** Changes every item that `wanted` picks. */
  editAll(wanted: (item: TimelineItem) => boolean, change: (item: Mutable<TimelineItem>) => void): void {
    this.#items.forEach((item, place) => {
      if (wanted(item)) change(this.#editAt(place));
    });
  }

  #editAt(place: number): TimelineItem {
    const item = this.#items[place];
    if (item === undefined) throw new RangeError(`no item ${String(place)}`);
    if (this.#fresh.has(item)) return item;
    const copy = { ...item };
    this.#open()[place] = copy;
    this.#fresh.add(copy);
    return copy;
  }

  #open(): TimelineItem[] {
    if (!this.#own) {
      this.#items = this.#items.slice();
      this.#own = true;
    }
    return this.#items;
  }
}

function handleOf(item: TimelineItem): Handle | null {
  switch (item.kind) {
    case "message":
    case "tool":
    case "question":
      return `${item.kind} ${item.id}`;
    case "child":
      return `child ${item.runId}`;
    default:
      return null;
  }
}
