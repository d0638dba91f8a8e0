/** What a subscription yields, in words short enough to compare. */

import type { Item, Subscription } from "../../src/index.js";

export function brief(item: Item): string {
  switch (item.kind) {
    case "event":
      return String(item.offset);
    case "gap":
      return `gap ${String(item.from)}-${String(item.to)} ${item.reason}`;
    case "caught_up":
      return "caught up";
    case "subscribed":
      return `subscribed after ${String(item.after)}${item.recovered ? "" : " (not recovered)"}`;
  }
}

/** Collects through `on`; the array grows. */
export function collect(subscription: Subscription): string[] {
  const found: string[] = [];
  subscription.on(
    (items) => found.push(...items.map(brief)),
    (error) => found.push(`error ${error.code}`),
  );
  return found;
}

/** Only the offsets of events. */
export function offsets(found: readonly string[]): number[] {
  return found.filter((word) => /^\d+$/.test(word)).map(Number);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
