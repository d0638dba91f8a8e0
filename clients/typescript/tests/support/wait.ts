/** Waiting for what will be told, never for a while. */

import type { Item, Live, Readable, Subscription } from "../../src/index.js";

/** Resolves once the value fulfils the condition. */
export function until<T>(readable: Readable<T>, fulfils: (value: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const check = (): void => {
      const value = readable.get();
      if (!fulfils(value)) return;
      leave();
      resolve(value);
    };
    const leave = readable.subscribe(check);
    queueMicrotask(check);
  });
}

export function untilLive(live: Live): Promise<unknown> {
  return until(live.connection, ({ phase }) => phase === "live");
}

/** Reads until `enough` says so; closes the subscription. */
export async function take(subscription: Subscription, enough: (item: Item) => boolean): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of subscription) {
    found.push(item);
    if (enough(item)) break;
  }
  return found;
}

export function eventOffsets(items: readonly Item[]): number[] {
  return items.flatMap((item) => (item.kind === "event" ? [item.offset] : []));
}
