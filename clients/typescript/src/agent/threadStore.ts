/** One conversation, watched: its row and the rows of its runs as a value that changes at most once per frame. Knows no React. */

import { AntiphonError } from "../errors.js";
import { oncePerFrame } from "../frame.js";
import type { Live } from "../live.js";
import { filterRuns } from "../run/filter.js";
import { isEnded } from "../run/rows.js";
import type { RunRow, RunTable } from "../run/rows.js";
import type { ChannelState, Item, Readable, Subscription } from "../types.js";
import type { ThreadRow, ThreadTable } from "./rows.js";

/** What is known of a thread. The same object until something changes. */
export interface WatchedThread {
  /** Undefined until the first question was asked in it, and when it was deleted. */
  readonly thread: ThreadRow | undefined;
  /** Oldest first, as they are now; what a run says is read with a `RunStore`. */
  readonly runs: readonly RunRow[];
  /** False until the server has told. */
  readonly known: boolean;
  /** What ended the reading, e.g. `forbidden`; null = it goes on. */
  readonly error: AntiphonError | null;
}

const NOTHING: WatchedThread = { thread: undefined, runs: [], known: false, error: null };

/**
 * Which runs belong to the thread is asked of the server, whenever the thread's channel says that there is another one; how
 * they are comes from the table of runs, as it changes.
 */
export class ThreadStore implements Readable<WatchedThread> {
  readonly threadId: string;
  readonly #live: Live;
  readonly #threads: Readable<ChannelState<ThreadTable> | undefined>;
  readonly #runs: Readable<ChannelState<RunTable> | undefined>;
  readonly #listeners = new Set<() => void>();
  readonly #showSoon = oncePerFrame(() => { this.#show(); });
  #shown: WatchedThread = NOTHING;
  /** What the server told: rows as they were then. */
  #told: { readonly thread: ThreadRow | undefined; readonly runs: readonly RunRow[] } | null = null;
  #error: AntiphonError | null = null;
  /** The table had the thread. */
  #listed = false;
  #subscription: Subscription | null = null;
  #leave: (() => void)[] = [];
  #asking: AbortController | null = null;

  /** Asks nothing until somebody subscribes. */
  constructor(live: Live, threadId: string) {
    this.#live = live;
    this.threadId = threadId;
    this.#threads = live.channelState<ThreadTable>("threads");
    this.#runs = live.channelState<RunTable>("runs");
  }

  readonly get = (): WatchedThread => this.#shown;

  /** `get`, by the name that React's documentation uses. */
  readonly getSnapshot = this.get;

  readonly subscribe = (listener: () => void): (() => void) => {
    const entry = (): void => { listener(); };
    this.#listeners.add(entry);
    if (this.#subscription === null) this.#start();
    return () => {
      this.#listeners.delete(entry);
      // mounted again at once (StrictMode): go on
      queueMicrotask(() => {
        if (this.#listeners.size === 0) this.#stop();
      });
    };
  };

  #start(): void {
    this.#error = null;
    this.#leave = [this.#threads.subscribe(this.#showSoon), this.#runs.subscribe(this.#showSoon)];
    const subscription = this.#live.subscribe(`thread:${this.threadId}`);
    this.#subscription = subscription;
    subscription.on(
      (items) => {
        if (items.some(isNews)) this.#ask();
      },
      (error) => { this.#fail(error); },
    );
  }

  #stop(): void {
    this.#asking?.abort();
    this.#asking = null;
    this.#subscription?.close();
    this.#subscription = null;
    for (const leave of this.#leave.splice(0)) leave();
  }

  #fail(error: AntiphonError): void {
    this.#error = error;
    this.#stop();
    this.#showSoon();
  }

  #ask(): void {
    this.#asking?.abort(); // its answer may be older than the news
    const asking = new AbortController();
    this.#asking = asking;
    this.#live.threads.get(this.threadId, { signal: asking.signal, timeoutMs: null }).then(
      (told) => {
        if (this.#asking !== asking) return;
        this.#told = told;
        this.#showSoon();
      },
      (error: unknown) => {
        if (this.#asking !== asking || !(error instanceof AntiphonError)) return;
        if (error.code !== "not_found") {
          this.#fail(error);
          return;
        }
        this.#told = { thread: undefined, runs: [] }; // not asked anything yet, or deleted
        this.#showSoon();
      },
    );
  }

  #show(): void {
    const listed = this.#threads.get()?.value[this.threadId] !== undefined;
    if (this.#listed && !listed && this.#subscription !== null) this.#ask(); // deleted, or too old for the table
    this.#listed = listed;
    const before = this.#shown;
    const next = { ...this.#now(), error: this.#error };
    if (sameRows(before.runs, next.runs)) next.runs = before.runs;
    if (before.thread === next.thread && before.runs === next.runs && before.known === next.known && before.error === next.error) return;
    this.#shown = next;
    for (const listener of [...this.#listeners]) listener();
  }

  #now(): { thread: ThreadRow | undefined; runs: readonly RunRow[]; known: boolean } {
    const told = this.#told;
    const table = this.#runs.get()?.value ?? {};
    const runs = (told?.runs ?? []).map((row) => table[row.run_id] ?? row);
    const there = new Set(runs.map(({ run_id }) => run_id));
    // a question is shown at once; by the time it has been answered the server's list has it
    const fresh = filterRuns(table, { threadId: this.threadId }).filter((row) => !there.has(row.run_id) && !isEnded(row.status));
    const thread = this.#threads.get()?.value[this.threadId] ?? told?.thread;
    return { thread, runs: [...runs, ...fresh.reverse()], known: told !== null };
  }
}

/** Whether the list of runs may be another one now. */
function isNews(item: Item): boolean {
  return item.kind === "subscribed" || item.kind === "gap" || (item.kind === "event" && item.type !== "thread.messages");
}

function sameRows(left: readonly RunRow[], right: readonly RunRow[]): boolean {
  return left.length === right.length && left.every((row, index) => row === right[index]);
}

const shared = new WeakMap<Live, Map<string, WeakRef<ThreadStore>>>();

/** The store of this thread that all who ask for it share while it is in use. */
export function sharedThread(live: Live, threadId: string): ThreadStore {
  let stores = shared.get(live);
  if (stores === undefined) shared.set(live, (stores = new Map<string, WeakRef<ThreadStore>>()));
  const known = stores.get(threadId)?.deref();
  if (known !== undefined) return known;
  for (const [id, store] of stores) if (store.deref() === undefined) stores.delete(id);
  const store = new ThreadStore(live, threadId);
  stores.set(threadId, new WeakRef(store));
  return store;
}
