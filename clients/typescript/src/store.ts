/** A value that tells when it changes. */

import type { Readable } from "./types.js";

export class Store<T> implements Readable<T> {
  #value: T;
  readonly #listeners = new Set<{ readonly call: () => void }>();

  constructor(value: T) {
    this.#value = value;
  }

  // arrow functions: both are handed to useSyncExternalStore without their object
  readonly get = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  };

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const entry of [...this.#listeners]) guarded(entry.call);
  }
}

/** Calls foreign code; what it throws becomes an uncaught error and disturbs nobody else. */
export function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    reportUncaught(error);
  }
}

export function reportUncaught(error: unknown): void {
  if (typeof globalThis.reportError === "function") {
    globalThis.reportError(error);
    return;
  }
  queueMicrotask(() => {
    throw error;
  });
}
