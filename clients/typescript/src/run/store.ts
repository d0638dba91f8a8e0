/** One run, watched: a value for components that changes at most once per frame. Knows no React. */

import { AntiphonError } from "../errors.js";
import { oncePerFrame } from "../frame.js";
import type { Live } from "../live.js";
import type { Cursor, Item, Readable, Subscription } from "../types.js";
import { RunFolder } from "./fold.js";
import { RunRecording } from "./recording.js";
import { emptyRun } from "./view.js";
import type { RunView } from "./view.js";

/** What is known of a run. The same object until something changes. */
export interface WatchedRun<TState = unknown> {
  readonly view: RunView<TState>;
  /** What was said before we came has been read; false again while a reconnection catches up. */
  readonly caughtUp: boolean;
  /** What ended the reading, e.g. `forbidden`; null = it goes on. */
  readonly error: AntiphonError | null;
}

export interface RunStoreOptions {
  /** Keep everything that is said in `recording`, to be scrubbed through. Default false. */
  readonly record?: boolean;
  /** Calls `task` soon, once however often it is asked. Default: with the next animation frame. */
  readonly batch?: (task: () => void) => () => void;
}

/** Items that may wait for a frame; beyond that they are folded at once. */
const MAX_WAITING = 5000;

export class RunStore<TState = unknown> implements Readable<WatchedRun<TState>> {
  readonly runId: string;
  /** Null unless asked for. */
  readonly recording: RunRecording | null;
  readonly #live: Live;
  readonly #folder: RunFolder;
  readonly #showSoon: () => void;
  readonly #listeners = new Set<() => void>();
  #shown: WatchedRun<TState>;
  #caughtUp = false;
  #error: AntiphonError | null = null;
  #items: Item[] = []; // came, not yet folded
  #subscription: Subscription | null = null;
  #cursor: Cursor | undefined;

  /** Reads nothing until somebody subscribes; when the last has left it stops, and goes on from there for the next. */
  constructor(live: Live, runId: string, options: RunStoreOptions = {}) {
    this.#live = live;
    this.runId = runId;
    this.recording = options.record === true ? new RunRecording(runId) : null;
    this.#folder = new RunFolder(emptyRun(runId));
    this.#shown = { view: this.#folder.view as RunView<TState>, caughtUp: false, error: null };
    this.#showSoon = (options.batch ?? oncePerFrame)(() => { this.#show(); });
  }

  readonly get = (): WatchedRun<TState> => this.#shown;

  /** `get`, by the name that React's documentation uses. */
  readonly getSnapshot = this.get;

  readonly subscribe = (listener: () => void): (() => void) => {
    const entry = (): void => { listener(); };
    this.#listeners.add(entry);
    if (this.#subscription === null) this.#begin();
    return () => {
      this.#listeners.delete(entry);
      // mounted again at once (StrictMode): go on
      queueMicrotask(() => {
        if (this.#listeners.size === 0) this.#stop();
      });
    };
  };

  /** Somebody came back: what was refused then may be allowed now. A state that did not fit will not fit now either. */
  #begin(): void {
    if (this.#error?.code === "invalid_patch") return;
    this.#error = null;
    this.#start();
  }

  #start(): void {
    const subscription = this.#live.subscribe(`run:${this.runId}`, { after: this.#cursor ?? "start" });
    this.#subscription = subscription;
    subscription.on(
      (items) => { this.#take(items); },
      (error) => { this.#fail(error); },
    );
  }

  #stop(): void {
    this.#cursor = this.#subscription?.cursor ?? this.#cursor;
    this.#subscription?.close();
    this.#subscription = null;
  }

  #take(items: readonly Item[]): void {
    this.recording?.push(items);
    this.#items.push(...items);
    if (this.#items.length > MAX_WAITING) this.#fold();
    this.#showSoon();
  }

  #fail(error: AntiphonError): void {
    this.#error = error;
    this.#stop();
    this.#showSoon();
  }

  #fold(): void {
    const items = this.#items;
    this.#items = [];
    for (const item of items) {
      if (item.kind === "caught_up") this.#caughtUp = true;
      if (item.kind === "subscribed") this.#caughtUp = false;
    }
    try {
      this.#folder.take(items);
    } catch (error) {
      if (!(error instanceof AntiphonError)) throw error;
      this.#error = error; // what we have is not what the server has: better an old view than a wrong one
      this.#stop();
    }
  }

  #show(): void {
    this.#fold();
    const view = this.#folder.view as RunView<TState>;
    const before = this.#shown;
    if (view === before.view && this.#caughtUp === before.caughtUp && this.#error === before.error) return;
    this.#shown = { view, caughtUp: this.#caughtUp, error: this.#error };
    for (const listener of [...this.#listeners]) listener();
  }
}

const shared = new WeakMap<Live, Map<string, WeakRef<RunStore>>>();

/** The store of this run that all who ask for it share while it is in use. */
export function sharedRun(live: Live, runId: string): RunStore {
  let stores = shared.get(live);
  if (stores === undefined) shared.set(live, (stores = new Map<string, WeakRef<RunStore>>()));
  const known = stores.get(runId)?.deref();
  if (known !== undefined) return known;
  for (const [id, store] of stores) if (store.deref() === undefined) stores.delete(id);
  const store = new RunStore(live, runId);
  stores.set(runId, new WeakRef(store));
  return store;
}
