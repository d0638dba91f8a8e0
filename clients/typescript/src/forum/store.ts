/** One forum, read: its newest entries as they come, and earlier ones on request. Changes at most once per frame. Knows no React. */

import { AntiphonError } from "../errors.js";
import { oncePerFrame } from "../frame.js";
import type { Live } from "../live.js";
import type { HistoryPage } from "../methods.js";
import type { Item, LiveEvent, Readable, Subscription } from "../types.js";
import type { ForumEntry } from "./entries.js";
import { foldForum, joinForum } from "./fold.js";

/** What is known of a forum. The same object until something changes. */
export interface ReadForum {
  /** Unbroken, oldest first, up to now. */
  readonly entries: readonly ForumEntry[];
  /** The first offset that was read. */
  readonly first: number;
  /** The oldest offset that is kept; what lies between is to be had with `loadOlder`. */
  readonly oldest: number;
  readonly phase: "loading" | "ready" | "failed";
  /** What goes on at the old end. */
  readonly older: "idle" | "loading" | "failed";
  /** What ended the reading, e.g. `forbidden`; null = it goes on. */
  readonly error: AntiphonError | null;
}

const NOTHING: ReadForum = { entries: [], first: 1, oldest: 1, phase: "loading", older: "idle", error: null };

/** Events per request. A host that types makes many of them. */
const PAGE_EVENTS = 1000;

export class ForumStore implements Readable<ReadForum> {
  readonly channel: string;
  readonly #live: Live;
  readonly #listeners = new Set<() => void>();
  readonly #showSoon = oncePerFrame(() => { this.#show(); });
  #shown = NOTHING;
  #now = NOTHING;
  #events: LiveEvent[] = []; // came, not yet folded
  #limit = Infinity;
  #loading: Promise<void> | null = null;
  #subscription: Subscription | null = null;
  #jobs: AbortController | null = null; // all requests of the present reading

  /** Reads nothing until somebody subscribes. */
  constructor(live: Live, name: string) {
    this.#live = live;
    this.channel = `forum:${name}`;
  }

  readonly get = (): ReadForum => this.#shown;

  /** `get`, by the name that React's documentation uses. */
  readonly getSnapshot = this.get;

  readonly subscribe = (listener: () => void): (() => void) => {
    const entry = (): void => { listener(); };
    this.#listeners.add(entry);
    if (this.#jobs === null) this.retry();
    return () => {
      this.#listeners.delete(entry);
      // mounted again at once (StrictMode): go on
      queueMicrotask(() => {
        if (this.#listeners.size === 0) this.#stop();
      });
    };
  };

  /** Begin anew, also after a failure. */
  retry(): void {
    this.#stop();
    const jobs = new AbortController();
    this.#jobs = jobs;
    this.#set(NOTHING);
    this.#page({}, jobs.signal).then(
      (newest) => { this.#begin(newest, jobs.signal); },
      (error: unknown) => { this.#fail(error, jobs.signal); },
    );
  }

  /** The page before what was read; resolves when it is there, or has failed. Does nothing where there is none. */
  loadOlder(): Promise<void> {
    this.#loading ??= this.#loadPage().finally(() => { this.#loading = null; });
    return this.#loading;
  }

  /** Read back until this offset is there, or nothing older. */
  async loadBackTo(offset: number): Promise<void> {
    for (let before = Infinity; this.#now.first > Math.max(offset, this.#now.oldest) && this.#now.first < before; ) {
      before = this.#now.first; // without progress it has failed
      await this.loadOlder();
    }
  }

  async #loadPage(): Promise<void> {
    const { phase, first, oldest } = this.#now;
    const signal = this.#jobs?.signal;
    if (signal === undefined || phase !== "ready" || first <= oldest) return;
    this.#set({ older: "loading" });
    try {
      this.#prepend(await this.#page({ before: first }, signal), first);
    } catch {
      if (!signal.aborted) this.#set({ older: "failed" });
    }
  }

  /** While new ones come, let go of the oldest beyond so many entries. Default: of none. */
  keepNewest(entries: number): void {
    this.#limit = entries;
  }

  #begin(newest: HistoryPage, signal: AbortSignal): void {
    if (signal.aborted) return;
    const entries = foldForum([], newest.events);
    const first = newest.events[0]?.offset ?? newest.head + 1;
    this.#set({ entries, first, oldest: newest.oldest, phase: "ready" });
    const subscription = this.#live.subscribe(this.channel, { after: { epoch: newest.epoch, offset: newest.head } });
    this.#subscription = subscription;
    subscription.on(
      (items) => { this.#take(items); },
      (error) => { this.#fail(error, signal); },
    );
  }

  #take(items: readonly Item[]): void {
    for (const item of items) {
      if (item.kind === "event") this.#events.push(item);
      if (item.kind === "gap") {
        this.retry(); // what was missed is in the log, or nowhere
        return;
      }
    }
    this.#showSoon();
  }

  #prepend({ events, oldest, head }: HistoryPage, before: number): void {
    const first = events[0]?.offset ?? Math.min(before, Math.max(oldest, 1));
    const entries = joinForum(foldForum([], events), this.#now.entries);
    this.#set({ entries, first: events.length === 0 ? oldest : first, oldest: Math.min(oldest, head + 1), older: "idle" });
  }

  #page(where: { readonly before?: number }, signal: AbortSignal): Promise<HistoryPage> {
    const params = { channel: this.channel, limit: PAGE_EVENTS, ...where };
    return this.#live.request("history", params, { signal, timeoutMs: null });
  }

  #fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted || !(error instanceof AntiphonError)) return;
    this.#stop();
    this.#set({ phase: "failed", error });
  }

  #stop(): void {
    this.#jobs?.abort();
    this.#jobs = null;
    this.#subscription?.close();
    this.#subscription = null;
    this.#events = [];
  }

  #set(change: Partial<ReadForum>): void {
    this.#now = { ...this.#now, ...change };
    this.#showSoon();
  }

  #show(): void {
    if (this.#events.length > 0) {
      const grown = foldForum(this.#now.entries, this.#events);
      this.#events = [];
      if (grown !== this.#now.entries) this.#now = { ...this.#now, ...trimmed(grown, this.#now.first, this.#limit) };
    }
    if (this.#shown === this.#now) return;
    this.#shown = this.#now;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Lets go of the oldest; never between the parts of one, as they could not be read again apart from what lies between. */
function trimmed(entries: readonly ForumEntry[], first: number, limit: number): Pick<ReadForum, "entries" | "first"> {
  if (entries.length <= limit + limit / 4) return { entries, first };
  let upto = 0;
  let cut = 0;
  entries.slice(0, entries.length - limit).forEach((entry, index) => {
    upto = Math.max(upto, entry.kind === "speech" && entry.status === "open" ? Infinity : entry.upto);
    if (upto < (entries[index + 1]?.offset ?? 0)) cut = index + 1;
  });
  return cut === 0 ? { entries, first } : { entries: entries.slice(cut), first: entries[cut]?.offset ?? first };
}

const shared = new WeakMap<Live, Map<string, WeakRef<ForumStore>>>();

/** The store of this forum that all who ask for it share while it is in use. */
export function sharedForum(live: Live, name: string): ForumStore {
  let stores = shared.get(live);
  if (stores === undefined) shared.set(live, (stores = new Map<string, WeakRef<ForumStore>>()));
  const known = stores.get(name)?.deref();
  if (known !== undefined) return known;
  const store = new ForumStore(live, name);
  stores.set(name, new WeakRef(store));
  return store;
}
