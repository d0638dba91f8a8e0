/**
 * Reads one log: the newest lines as they come, and any older part on request.
 *
 * Two things are kept: `tail`, the newest lines whether shown or not, and `window`, what is shown. While following, the
 * window ends where the log ends. Paused, the window stands still and only `head` grows. Incoming lines are gathered and
 * enter the state once per frame. The reader knows no React; the view reads `state` and tells it what the person does.
 */

import { AntiphonError, type HistoryPage, type Item } from "@antiphon/client";
import { createStore, type StoreApi } from "zustand/vanilla";

import type { StreamFilter } from "./entry";
import { gapEntry, passes, toEntry } from "./entry";
import type { LogSource, PageRequest } from "./source";
import { Tail } from "./tail";
import type { LogWindow, Page } from "./window";
import { append, emptyAfter, fromPage, prepend } from "./window";

export const LIMITS = { page: 500, tail: 2000, following: 3000, window: 6000, filteredPages: 20 } as const;

/** Asks the view to bring an offset into sight. A new object each time. */
export interface Reveal {
  readonly offset: number;
  readonly align: "center" | "start";
}

export interface ReaderState {
  readonly phase: "loading" | "ready" | "failed";
  readonly error: Error | null;
  readonly window: LogWindow;
  readonly oldest: number;
  readonly head: number;
  readonly following: boolean;
  readonly filter: StreamFilter;
  readonly older: "idle" | "loading" | "failed";
  readonly newer: "idle" | "loading" | "failed";
  readonly target: number | null; // the line a permalink or a hit points to
  readonly reveal: Reveal | null;
}

const START: ReaderState = {
  phase: "loading",
  error: null,
  window: emptyAfter(0),
  oldest: 1,
  head: 0,
  following: true,
  filter: "all",
  older: "idle",
  newer: "idle",
  target: null,
  reveal: null,
};

export class LogReader {
  readonly state: StoreApi<ReaderState> = createStore(() => START);
  #source: LogSource;
  #schedule: (task: () => void) => void;
  #tail = new Tail(LIMITS.tail);
  #scheduled = false;
  #sight: number | null = null;
  #closed = false;
  #jobs = new AbortController(); // all requests about the present window; replaced when the window is
  #unsubscribe: (() => void) | undefined;

  /** `schedule` runs a task before the next paint. */
  constructor(source: LogSource, schedule: (task: () => void) => void) {
    this.#source = source;
    this.#schedule = schedule;
  }

  /** Load the end of the log, or the surroundings of `at`, and listen from there on. Also the way to try again. */
  async open(at: number | null = null): Promise<void> {
    const signal = this.#newJobs();
    this.#unsubscribe?.();
    this.#set({ ...START, filter: this.#get().filter, following: at === null });
    try {
      const newest = await this.#source.history({ limit: LIMITS.page }, signal);
      this.#listen(newest, signal);
      if (at === null) return;
      const sight: Partial<ReaderState> = { reveal: { offset: at, align: "center" }, target: at };
      if (at < (newest.events[0]?.offset ?? 0)) await this.#loadAround(at, signal, sight);
      else this.#set(sight);
    } catch (error) {
      if (!signal.aborted) this.#set({ phase: "failed", error: asError(error) });
    }
  }

  close(): void {
    this.#closed = true;
    this.#jobs.abort();
    this.#unsubscribe?.();
  }

  /** The page before the window. With a filter: further pages until enough lines pass. */
  async loadOlder(): Promise<void> {
    const { older, phase } = this.#get();
    if (older === "loading" || phase !== "ready") return;
    await this.#load("older", async (signal) => {
      let gained = 0; // not the window's growth: a full window stays as long as it is
      for (let pages = 0; pages < LIMITS.filteredPages; pages++) {
        const { window, oldest, filter } = this.#get();
        if (window.first <= oldest || gained >= LIMITS.page / 2) return;
        const page = await this.#page({ before: window.first, limit: pageSize(filter) }, signal);
        gained += many(page, filter);
        this.#set({ window: prepend(this.#get().window, page, filter, LIMITS.window) });
      }
    });
  }

  /** The page after the window: from the tail if it reaches that far, else from the log. */
  async loadNewer(): Promise<void> {
    const { newer, phase, following } = this.#get();
    if (newer === "loading" || phase !== "ready" || following) return;
    await this.#load("newer", async (signal) => {
      let gained = 0;
      for (let pages = 0; pages < LIMITS.filteredPages; pages++) {
        const { window, filter, head } = this.#get();
        if (window.last >= head || gained >= LIMITS.page / 2) return;
        const page =
          this.#tail.after(window.last, LIMITS.page) ??
          (await this.#page({ after: window.last, limit: pageSize(filter) }, signal));
        gained += many(page, filter);
        const held = this.#get().window;
        // What retention has removed in between is passed over: the window stays one unbroken range.
        this.#set({
          window: append(held, { ...page, first: Math.min(page.first, held.last + 1) }, filter, LIMITS.window),
        });
        if (page.last < page.first) return;
      }
    });
  }

  /** Show the end, and stay there. */
  follow(): void {
    this.#flush();
    const { window, filter, following, phase } = this.#get();
    if (following || phase !== "ready") return;
    this.#newJobs();
    const joined = append(window, this.#tail.page, filter, LIMITS.following);
    const next = this.#tail.isEmpty ? window : joined;
    this.#set({ window: next, following: true, older: "idle", newer: "idle", reveal: null });
  }

  pause(): void {
    if (this.#get().following) this.#set({ following: false });
  }

  /** Show this offset; `mark` also highlights it. */
  async seek(offset: number, mark: boolean): Promise<void> {
    const signal = this.#newJobs();
    const { window, filter } = this.#get();
    const shown = offset >= window.first && offset <= window.last && filter === "all";
    this.#set({ following: false, older: "idle", newer: "idle", ...(mark ? { filter: "all" } : {}) });
    try {
      const sight: Partial<ReaderState> = mark
        ? { reveal: { offset, align: "center" }, target: offset }
        : { reveal: { offset, align: "start" } };
      if (shown) this.#set(sight);
      else await this.#loadAround(offset, signal, sight);
    } catch (error) {
      if (!signal.aborted) this.#set({ phase: "failed", error: asError(error) });
    }
  }

  /** Take the highlight away. */
  forgetTarget(): void {
    this.#set({ target: null });
  }

  /** The view tells which line is the first in sight. */
  see(offset: number): void {
    this.#sight = offset;
  }

  /** Show one stream only. The place stays; what is kept there is loaded anew. */
  async filterBy(filter: StreamFilter): Promise<void> {
    const { filter: old, following, window, phase } = this.#get();
    if (old === filter) return;
    this.#set({ filter });
    if (phase !== "ready") return;
    const signal = this.#newJobs();
    this.#set({ older: "idle", newer: "idle" });
    if (following) {
      this.#flush();
      this.#set({ window: fromPage(this.#tail.page, filter) });
    } else {
      const place = Math.min(Math.max(this.#sight ?? window.first, window.first), window.last);
      try {
        await this.#loadAround(place, signal, { reveal: { offset: place, align: "start" } });
      } catch (error) {
        if (!signal.aborted) this.#set({ phase: "failed", error: asError(error) });
      }
    }
  }

  #listen(newest: HistoryPage, signal: AbortSignal): void {
    if (signal.aborted) throw new AntiphonError("aborted", "Another part of the log was asked for.");
    const page = toPage(newest, newest.head);
    this.#tail.reset(page);
    const window = fromPage(page, this.#get().filter);
    this.#set({ phase: "ready", error: null, window, oldest: newest.oldest, head: newest.head });
    this.#unsubscribe = this.#source.subscribe(
      { epoch: newest.epoch, offset: newest.head },
      (items) => this.#receive(items),
      (error) => this.#set({ phase: "failed", error }),
    );
  }

  #receive(items: readonly Item[]): void {
    if (this.#closed) return;
    for (const item of items) {
      if (item.kind === "event") this.#tail.hold(toEntry(item), item.offset);
      else if (item.kind === "gap" && item.reason === "retention") this.#tail.hold(gapEntry(item), item.from);
      else if (item.kind === "gap") return void this.open();
      else if (item.kind === "subscribed")
        this.#set({ oldest: item.oldest, head: Math.max(item.head, this.#get().head) });
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#flush();
    });
  }

  #flush(): void {
    const fresh = this.#tail.take();
    if (fresh === null) return;
    const { following, window, filter, head } = this.#get();
    this.#set({
      head: Math.max(head, fresh.last),
      ...(following ? { window: append(window, fresh, filter, LIMITS.following) } : {}),
    });
  }

  /** Replace the window by the surroundings of `offset`; `change` enters the state with it. */
  async #loadAround(offset: number, signal: AbortSignal, change: Partial<ReaderState> = {}): Promise<void> {
    const { filter } = this.#get();
    const half = pageSize(filter) / 2;
    const [before, after] = await Promise.all([
      this.#page({ before: offset, limit: half }, signal),
      this.#page({ after: offset - 1, limit: half }, signal),
    ]);
    const joined: Page = {
      entries: [...before.entries, ...after.entries],
      first: Math.min(before.first, after.first),
      last: Math.max(before.last, after.last),
    };
    this.#set({ window: fromPage(joined, filter), ...change });
  }

  async #page(request: PageRequest, signal: AbortSignal): Promise<Page> {
    const answer = await this.#source.history(request, signal);
    signal.throwIfAborted();
    this.#set({ oldest: answer.oldest, head: Math.max(answer.head, this.#get().head) });
    return toPage(answer, request.after ?? (request.before ?? answer.head + 1) - 1);
  }

  async #load(end: "older" | "newer", job: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#jobs;
    this.#set({ [end]: "loading" });
    try {
      await job(signal);
      if (!signal.aborted) this.#set({ [end]: "idle" });
    } catch {
      if (!signal.aborted) this.#set({ [end]: "failed" });
    }
  }

  #newJobs(): AbortSignal {
    this.#jobs.abort();
    this.#jobs = new AbortController();
    return this.#jobs.signal;
  }

  #get(): ReaderState {
    return this.state.getState();
  }

  #set(change: Partial<ReaderState>): void {
    if (!this.#closed) this.state.setState(change);
  }
}

/** With a filter most lines may be dropped, so bigger pages are asked for. */
function pageSize(filter: StreamFilter): number {
  return filter === "all" ? LIMITS.page : 2 * LIMITS.page;
}

function many({ entries }: Page, filter: StreamFilter): number {
  return filter === "all" ? entries.length : entries.filter((entry) => passes(entry, filter)).length;
}

/** `edge` = where an empty page stands. */
function toPage(answer: HistoryPage, edge: number): Page {
  const entries = answer.events.map(toEntry);
  const first = entries[0]?.offset;
  return first === undefined ? emptyAfter(edge) : { entries, first, last: entries.at(-1)?.offset ?? first };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
