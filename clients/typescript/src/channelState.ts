/** The JSON value of one channel, kept up to date while somebody listens. */

import { isObject } from "./decode.js";
import { AntiphonError } from "./errors.js";
import { applyPatch } from "./patch.js";
import type { PatchOperation } from "./patch.js";
import { Store } from "./store.js";
import type { ChannelState, Item, Readable, Subscription } from "./types.js";

/** The state that a channel without any change has. */
const UNTOUCHED: ChannelState = { version: 0, value: {} };

export class ChannelStateReader implements Readable<ChannelState | undefined> {
  readonly #store = new Store<ChannelState | undefined>(undefined);
  readonly #open: () => Subscription;
  readonly #report: (error: AntiphonError) => void;
  #subscription: Subscription | null = null;
  #listeners = 0;
  /** What we have is from an earlier subscription: the next snapshot replaces it, also an empty one. */
  #stale = true;

  /** `open` makes a subscription that begins now; `report` hears what ends it. */
  constructor(open: () => Subscription, report: (error: AntiphonError) => void) {
    this.#open = open;
    this.#report = report;
  }

  readonly get = (): ChannelState | undefined => this.#store.get();

  readonly subscribe = (listener: () => void): (() => void) => {
    const leave = this.#store.subscribe(listener);
    this.#listeners += 1;
    if (this.#subscription === null) this.#start();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave();
      this.#listeners -= 1;
      // a component that is mounted again at once (React's StrictMode, a change of page) goes on without a new subscription
      queueMicrotask(() => {
        if (this.#listeners === 0) this.#stop();
      });
    };
  };

  #start(): void {
    const subscription = this.#open();
    this.#subscription = subscription;
    this.#stale = true;
    subscription.on(
      (items) => {
        if (this.#subscription === subscription) this.#take(items);
      },
      (error) => {
        this.#report(error);
      },
    );
  }

  #stop(): void {
    this.#subscription?.close();
    this.#subscription = null;
  }

  #take(items: readonly Item[]): void {
    try {
      const state = fold(this.#stale ? undefined : this.#store.get(), items);
      if (state === undefined) return;
      this.#stale = false;
      this.#store.set(state);
    } catch (error) {
      if (!(error instanceof AntiphonError)) throw error;
      this.#report(error); // our value is not the server's: begin anew with a fresh one
      this.#stop();
      this.#start();
    }
  }
}

/** The state after `items`. Throws AntiphonError `invalid_patch`. */
export function fold(before: ChannelState | undefined, items: readonly Item[]): ChannelState | undefined {
  let state = before;
  let version = 0;
  let operations: PatchOperation[] = [];
  const settle = (): void => {
    if (operations.length > 0 && state !== undefined) state = { version, value: applyPatch(state.value, operations) };
    operations = [];
  };
  for (const item of items) {
    if (item.kind === "event" && item.type === "state.patch") {
      if (state === undefined || item.offset <= state.version) continue;
      version = item.offset;
      operations.push(...operationsOf(item.data));
    } else if (item.kind === "gap" || (item.kind === "subscribed" && (item.state !== undefined || state === undefined))) {
      settle();
      state = item.state ?? UNTOUCHED; // without one the channel has none
    }
  }
  settle();
  return state;
}

function operationsOf(data: unknown): readonly PatchOperation[] {
  if (!isObject(data) || !Array.isArray(data["ops"])) throw new AntiphonError("invalid_patch", "a state.patch without ops");
  return data["ops"] as PatchOperation[];
}
