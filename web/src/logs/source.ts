/** Where a reader gets a log from. The real one asks the server; tests have one in memory. */

import type { AntiphonError, Cursor, HistoryPage, Item, Live } from "@antiphon/client";

export interface PageRequest {
  readonly before?: number; // exclusive
  readonly after?: number; // exclusive
  readonly limit: number;
}

export interface LogSource {
  history(request: PageRequest, signal: AbortSignal): Promise<HistoryPage>;
  /** Returns the function that ends it. */
  subscribe(
    after: Cursor,
    onItems: (items: readonly Item[]) => void,
    onError: (error: AntiphonError) => void,
  ): () => void;
}

export function liveSource(live: Live, channel: string): LogSource {
  return {
    history: (request, signal) => live.request("history", { channel, ...request }, { signal }),
    subscribe: (after, onItems, onError) => {
      const subscription = live.subscribe(channel, { after });
      subscription.on(onItems, onError);
      return () => subscription.close();
    },
  };
}
